//! What a cluster keeps for everything together, for each profile, and what it may at most.

use std::ops::Add;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::cases::{Case, PROFILES};
use super::pods::pod;
use super::rendering::{Rendering, list, text};

/// CPU and memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amount {
    /// Thousandths of a CPU.
    cpu: u64,
    /// Bytes.
    memory: u64,
}

const MIB: u64 = 1 << 20;

/// What a profile may request with all handlers at zero, and with each of them awake once: CPU in thousandths, MiB.
/// Of two nodes with 1 OCPU and 6 GB each, Oracle's own pods and the kubelets leave little more than the first.
const BOUNDS: [(&str, u64, u64); 4] =
    [("", 500, 640), ("minikube", 1_200, 3_072), ("oke-12g", 1_200, 3_072), ("oke-24g", 2_400, 5_120)];

/// What else the cluster needs: CPU in thousandths and MiB that it requests, and where that is written.
const PLATFORM: [(&str, u64, u64, &str); 8] = [
    ("spin-operator", 10, 64, "its chart 0.6.1, controllerManager.manager.resources"),
    ("cert-manager", 30, 192, "requests nothing; three pods of some 10m and 64Mi"),
    ("KEDA's operator", 100, 100, "its chart 2.21, resources.operator"),
    ("KEDA's metrics server", 100, 100, "its chart 2.21, resources.metricServer"),
    ("KEDA's webhooks", 100, 100, "its chart 2.21, resources.webhooks"),
    ("Strimzi's operator", 200, 384, "its chart 1.2.0, resources"),
    ("metrics-server", 100, 200, "its manifest 0.8, and the add-ons of OKE and Minikube"),
    ("the ingress controller", 100, 128, "an allowance: Traefik requests nothing, ingress-nginx 100m and 90Mi"),
];
/// The profiles without anything of the platform: nothing is told of where they run.
const BARE: &str = "";

/// Sums up each profile as it is shipped; gives a line for each, or says which is beyond its bound.
pub(super) fn check(cases: &[Case], rendered: &[Rendering]) -> Result<Vec<String>> {
    let broker = broker()?;
    let platform = PLATFORM.iter().fold(Amount::default(), |sum, (_, cpu, mib, _)| sum + Amount::new(*cpu, *mib));
    let mut lines = Vec::new();
    for profile in PROFILES {
        let shipped = cases.iter().position(|case| case.profile == profile && case.values.is_empty());
        let rendering = &rendered[shipped.context("each profile is rendered as it is shipped")?];
        let (_, cpu, mib) = BOUNDS.iter().find(|(name, ..)| *name == profile).context("each profile has a bound")?;
        let bound = Amount::new(*cpu, *mib);
        let around = if profile == BARE { Amount::default() } else { platform + broker };
        let idle = requests(rendering, Pods::Fewest)? + around;
        let awake = requests(rendering, Pods::Awake)? + around;
        let most = requests(rendering, Pods::Most)? + around;
        ensure!(
            awake.fits(&bound),
            "the profile `{profile}` requests {idle} at rest and {awake} with its handlers awake, and may {bound}"
        );
        let name = if profile.is_empty() { "without a profile" } else { profile };
        lines.push(format!("{name}: {idle} at rest, {awake} with each handler awake, {most} at most; bound {bound}"));
    }
    Ok(lines)
}

/// How many pods of an app are counted.
#[derive(Clone, Copy)]
enum Pods {
    Fewest,
    /// At least one.
    Awake,
    Most,
}

/// The requests of all pods, those of the hooks too: they run while the release before them does.
fn requests(rendering: &Rendering, pods: Pods) -> Result<Amount> {
    let mut sum = Amount::default();
    for object in &rendering.objects {
        let name = text(object, "/metadata/name");
        if text(object, "/kind") == "SpinApp" {
            let each = Amount::of(&object["spec"]["resources"]["requests"]).with_context(|| name.to_owned())?;
            sum = sum + each.times(count(object, rendering, pods));
        } else if let Some(pod) = pod(object) {
            let replicas = object["spec"]["replicas"].as_u64().unwrap_or(1);
            for container in list(pod, "/containers") {
                let each = Amount::of(&container["resources"]["requests"]).with_context(|| name.to_owned())?;
                sum = sum + each.times(replicas);
            }
        }
    }
    Ok(sum)
}

/// The pods of a SpinApp, after what scales it.
fn count(app: &Value, rendering: &Rendering, pods: Pods) -> u64 {
    if let Some(replicas) = app["spec"]["replicas"].as_u64() {
        return replicas;
    }
    let name = text(app, "/metadata/name");
    let between = |kind, fewest: &str, most: &str| {
        let by = rendering.object(kind, name)?;
        Some((by["spec"][fewest].as_u64()?, by["spec"][most].as_u64()?))
    };
    let scaled = between("ScaledObject", "minReplicaCount", "maxReplicaCount");
    let scaled = scaled.or_else(|| between("HorizontalPodAutoscaler", "minReplicas", "maxReplicas"));
    let (fewest, most) = scaled.unwrap_or((1, 1));
    match pods {
        Pods::Fewest => fewest,
        Pods::Awake => fewest.max(1),
        Pods::Most => most,
    }
}

/// The broker of kafka/strimzi.
fn broker() -> Result<Amount> {
    let folder = Rendering::of_folder("kafka/strimzi")?;
    let mut sum = Amount::default();
    for pool in folder.of_kind("KafkaNodePool") {
        let each = Amount::of(&pool["spec"]["resources"]["requests"]).context("the broker's requests")?;
        sum = sum + each.times(pool["spec"]["replicas"].as_u64().context("how many brokers there are")?);
    }
    Ok(sum)
}

impl Amount {
    const fn new(cpu: u64, mib: u64) -> Self {
        Self { cpu, memory: mib * MIB }
    }

    /// Reads `cpu` and `memory`, both of which have to be there.
    pub(super) fn of(resources: &Value) -> Result<Self> {
        let read = |name: &str, parse: fn(&str) -> Option<u64>| {
            let told = text(resources, &format!("/{name}"));
            parse(told).with_context(|| format!("`{name}` is `{told}`, which is no quantity"))
        };
        Ok(Self { cpu: read("cpu", cpu)?, memory: read("memory", memory)? })
    }

    /// Whether it is no more than `bound`.
    pub(super) fn fits(&self, bound: &Self) -> bool {
        self.cpu <= bound.cpu && self.memory <= bound.memory
    }

    fn times(self, count: u64) -> Self {
        Self { cpu: self.cpu * count, memory: self.memory * count }
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { cpu: self.cpu + other.cpu, memory: self.memory + other.memory }
    }
}

impl std::fmt::Display for Amount {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} m and {} MiB", self.cpu, self.memory / MIB)
    }
}

/// Thousandths of a CPU.
fn cpu(text: &str) -> Option<u64> {
    match text.strip_suffix('m') {
        Some(thousandths) => thousandths.parse().ok(),
        None => text.parse::<u64>().ok()?.checked_mul(1_000),
    }
}

/// Bytes of a text such as `128Mi`.
fn memory(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let unit = match unit {
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_does() {
        assert_eq!(["1", "250m", "0.5", "x"].map(cpu), [Some(1_000), Some(250), None, None]);
        assert_eq!(["1Gi", "64Mi", "64M", "1"].map(memory), [Some(1 << 30), Some(64 << 20), None, None]);
    }
}
