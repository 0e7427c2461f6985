//! In how many ways the chart is rendered.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::CHART;
use super::rendering::Rendering;
use crate::build::root;

/// The files of values that are shipped; the chart's own values are the profile without a name.
pub(super) const PROFILES: [&str; 4] = ["", "minikube", "oke-12g", "oke-24g"];
/// The version of Kubernetes that the schemas are of.
const KUBERNETES: &str = "1.34.4";

/// Values beside the chart's own that people choose, and that change what is rendered.
const VARIATIONS: [&str; 16] = [
    "scaling.trigger=none",
    "broker=strimzi,scaling.trigger=kafka",
    "broker=strimzi,scaling.trigger=both",
    "database=external,sidelet.replicas=1",
    "broker=external,database=external,kafka.brokers=kafka.example.com:9092,sidelet.replicas=3",
    "broker=external,kafka.brokers=kafka.example.com:9093,kafka.sasl=SHA-512,kafka.replicas=3,scaling.trigger=kafka",
    "broker=external,kafka.brokers=kafka.example.com:9093,kafka.sasl=PLAIN,scaling.trigger=both",
    "broker=external,kafka.brokers=kafka.example.com:9093,kafka.sasl=SHA-256,kafka.tls=false,scaling.trigger=both",
    "mail.host=smtp.example.com,mail.from=todo@example.com",
    "sidecar=dapr,broker=strimzi,database=external,scaling.trigger=kafka,mail.host=smtp.example.com,mail.port=465,mail.from=todo@example.com",
    "secrets.apiToken=api,secrets.appToken=app,secrets.keys=keys",
    "networkPolicy.enabled=false",
    "networkPolicy.ingressNamespace=traefik,networkPolicy.monitoringNamespace=monitoring",
    "ingress.enabled=true,ingress.className=traefik,ingress.tlsSecret=,ingress.annotations.example\\.com/a=b",
    "api.maxReplicas=1,handlers.notifier.maxReplicas=2,handlers.activity.minReplicas=1",
    "image.digest=sha256:0000000000000000000000000000000000000000000000000000000000000000,image.pullSecrets={registry}",
];

/// What is told to Helm.
#[derive(Debug)]
pub(super) struct Case {
    /// A file of values, or empty.
    pub(super) profile: &'static str,
    /// Values beside it, as `--set` takes them.
    pub(super) values: String,
}

/// Each profile with each executor and each sidecar, and the variations.
pub(super) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for profile in PROFILES {
        cases.push(Case { profile, values: String::new() });
        for executor in ["shim", "spinImage"] {
            cases.push(Case { profile, values: format!("executor={executor}") });
            // Dapr's own sidecar keeps nothing itself, and does not tell KEDA anything.
            let dapr = "sidecar=dapr,broker=strimzi,database=external,scaling.trigger=kafka";
            cases.push(Case { profile, values: format!("executor={executor},{dapr}") });
        }
    }
    cases.extend(VARIATIONS.map(|values| Case { profile: "", values: values.to_owned() }));
    cases
}

impl Case {
    /// What the values say at a place, such as `sidecar`; the last that says it counts.
    pub(super) fn says(&self, value: &str) -> bool {
        self.values.split(',').any(|told| told == value)
    }

    /// Renders the chart, after asking `helm lint` for what it finds.
    pub(super) fn render(&self, helm: &Path, folder: &Path) -> Result<Rendering> {
        let name = format!("chart {} {}", self.profile, self.values);
        run(helm, &["lint", "--strict", "--quiet", CHART], self).with_context(|| name.clone())?;
        let text = run(helm, &["template", "todo", CHART], self).with_context(|| name.clone())?;
        let letters = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
        let file: String = name.chars().map(letters).take(120).collect();
        let path = folder.join(format!("{file}.yaml"));
        std::fs::write(&path, &text).with_context(|| format!("could not write `{}`", path.display()))?;
        Rendering::of_text(name, path, &text)
    }
}

/// Packs the chart, and refuses a package that renders otherwise than the folder, as without what links lead to.
pub(super) fn check_package(helm: &Path, folder: &Path) -> Result<()> {
    let case = Case { profile: "", values: String::new() };
    let to = folder.display().to_string();
    let mut command = Command::new(helm);
    let output = command.args(["package", CHART, "--destination", &to]).current_dir(root()).output();
    let output = output.with_context(|| format!("could not run `{}`", helm.display()))?;
    ensure!(output.status.success(), "helm package: {}", String::from_utf8_lossy(&output.stderr));
    let entries = std::fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let package = entries.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "tgz"));
    let package = package.context("helm package made nothing")?;
    // What the package renders is what the folder renders; random values aside.
    let rendered = |chart: &str| -> Result<Vec<serde_json::Value>> {
        let mut objects = super::rendering::objects(&run(helm, &["template", "todo", chart], &case)?)?;
        objects.retain(|object| object["kind"] != "Secret");
        Ok(objects)
    };
    ensure!(
        rendered(&package.display().to_string())? == rendered(CHART)?,
        "the package lacks files that the folder has"
    );
    Ok(())
}

/// Runs Helm with a case's values and gives what it prints; what it says beside that is shown when it fails.
pub(super) fn run(helm: &Path, arguments: &[&str], case: &Case) -> Result<String> {
    let mut command = Command::new(helm);
    command.args(arguments).args(["--namespace", "todo", "--kube-version", KUBERNETES]).current_dir(root());
    if !case.profile.is_empty() {
        command.args(["--values", &format!("{CHART}/values-{}.yaml", case.profile)]);
    }
    if !case.values.is_empty() {
        command.args(["--set", &case.values]);
    }
    let output = command.output().with_context(|| format!("could not run `{}`", helm.display()))?;
    if !output.status.success() {
        let told = [output.stdout, output.stderr].concat();
        bail!("helm {}: {}", arguments.join(" "), String::from_utf8_lossy(&told));
    }
    String::from_utf8(output.stdout).context("what Helm renders is text")
}
