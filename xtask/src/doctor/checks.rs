//! What has to be so, and what to do where it is not.

use serde_json::Value;

use super::Finding::{self, Bad, Good, Note};
use super::cluster::Cluster;
use super::quantity::{add, cpu, memory, requests, thousandths, times};
use super::values::Values;

/// The oldest Kubernetes, 1.x, that the chart and KEDA are for.
const KUBERNETES: u32 = 30;
/// What makes OCI's block volumes.
const OCI_VOLUMES: &str = "blockvolume.csi.oraclecloud.com";
/// Gigabytes: what is free on OCI, and the least that a volume has, a node's own included.
const OCI_FREE_GB: usize = 200;
const OCI_VOLUME_GB: usize = 50;

/// Everything, in the order in which it would fail.
pub(super) fn all(cluster: &Cluster, values: &Values) -> Vec<(&'static str, Finding)> {
    let mut findings = vec![
        ("kubernetes", version(cluster)),
        ("nodes", nodes(cluster)),
        ("architecture", architecture(cluster)),
        ("executor", executor(cluster, values)),
    ];
    findings.extend(operators(cluster, values));
    findings.extend([
        ("metrics", metrics(cluster, values)),
        ("storage", storage(cluster, values)),
        ("ingress", ingress(cluster, values)),
    ]);
    for (what, name, keys) in secrets(values) {
        findings.push((what, secret(cluster, name, keys)));
    }
    findings.extend([
        ("pod security", pod_security(cluster)),
        ("room", room(cluster, values)),
        ("quota", quota(cluster, values)),
    ]);
    findings
}

fn bad(cause: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Bad { cause: cause.into(), remedy: remedy.into() }
}

fn version(cluster: &Cluster) -> Finding {
    let minor = cluster.version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
    if minor.is_some_and(|minor| minor >= KUBERNETES) {
        return Good(cluster.version.clone());
    }
    bad(
        format!("the API server is {}, and the chart needs v1.{KUBERNETES} or later", cluster.version),
        "upgrade the control plane first, then the nodes",
    )
}

/// The nodes that pods may run on.
fn ready(cluster: &Cluster) -> impl Iterator<Item = &Value> {
    cluster.all("nodes").iter().filter(|node| {
        let is_ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
        node["status"]["conditions"].as_array().is_some_and(|conditions| conditions.iter().any(is_ready))
            && node["spec"]["unschedulable"] != true
    })
}

fn nodes(cluster: &Cluster) -> Finding {
    let (ready, all) = (ready(cluster).count(), cluster.all("nodes").len());
    match ready {
        0 => bad(
            format!("none of {all} nodes is ready and takes pods"),
            "`kubectl describe nodes` says why; on OKE, \"out of host capacity\" of the node pool is the usual cause",
        ),
        ready if ready < all => Note(format!("{ready} of {all} are ready and take pods")),
        ready => Good(format!("{ready} ready")),
    }
}

/// A field of the nodes' own account of themselves, each value once.
fn info<'a>(cluster: &'a Cluster, field: &str) -> Vec<&'a str> {
    let mut values: Vec<_> = ready(cluster).filter_map(|node| node["status"]["nodeInfo"][field].as_str()).collect();
    values.sort_unstable();
    values.dedup();
    values
}

fn architecture(cluster: &Cluster) -> Finding {
    let found = info(cluster, "architecture");
    if found.is_empty() {
        return Note("no node tells".to_owned());
    }
    match found.iter().find(|name| !["amd64", "arm64"].contains(name)) {
        Some(name) => bad(
            format!("there are nodes of {name}, and the images are for amd64 and arm64"),
            "taint these nodes, or build the images for them",
        ),
        None => Good(found.join(", ")),
    }
}

fn executor(cluster: &Cluster, values: &Values) -> Finding {
    let runtimes = info(cluster, "containerRuntimeVersion");
    let found = if runtimes.is_empty() { "none that is ready".to_owned() } else { runtimes.join(", ") };
    if values.text("executor") == "spinImage" {
        return Good(format!("spinImage runs on any node; these have {found}"));
    }
    let class = values.text("runtimeClassName");
    if let Some(other) = runtimes.iter().find(|runtime| !runtime.starts_with("containerd://")) {
        return bad(
            format!("executor: shim needs containerd, and there are nodes with {other}"),
            "set `executor: spinImage`, which runs Spin in an ordinary container; OKE's nodes have CRI-O",
        );
    }
    if !cluster.has("runtimeclasses", class) {
        return bad(
            format!("executor: shim needs the runtime class `{class}`, which is not there"),
            "install the Spin shim on the nodes with runtime-class-manager (docs/deployment-guide.md), or set `executor: spinImage`",
        );
    }
    Good(format!("shim, by the runtime class {class} on {found}"))
}

/// An operator: its name, the definition that it serves, the Deployment that runs it, and when the values need it.
struct Operator {
    name: &'static str,
    definition: &'static str,
    deployment: &'static str,
    is_needed: fn(&Values) -> bool,
}

const OPERATORS: [Operator; 5] = [
    Operator {
        name: "cert-manager",
        definition: "certificates.cert-manager.io",
        deployment: "cert-manager-webhook",
        // SpinKube's operator has its webhook's certificate from it.
        is_needed: |_values| true,
    },
    Operator {
        name: "SpinKube",
        definition: "spinapps.core.spinkube.dev",
        deployment: "spin-operator-controller-manager",
        is_needed: |_values| true,
    },
    Operator {
        name: "KEDA",
        definition: "scaledobjects.keda.sh",
        deployment: "keda-operator",
        is_needed: |values| values.text("scaling.trigger") != "none",
    },
    Operator {
        name: "Strimzi",
        definition: "kafkatopics.kafka.strimzi.io",
        deployment: "strimzi-cluster-operator",
        is_needed: |values| values.text("broker") == "strimzi",
    },
    Operator {
        name: "Dapr",
        definition: "components.dapr.io",
        deployment: "dapr-operator",
        is_needed: |values| values.text("sidecar") == "dapr",
    },
];

fn operators(cluster: &Cluster, values: &Values) -> Vec<(&'static str, Finding)> {
    let needed = OPERATORS.iter().filter(|operator| (operator.is_needed)(values));
    needed.map(|operator| (operator.name, operator.finding(cluster))).collect()
}

impl Operator {
    fn finding(&self, cluster: &Cluster) -> Finding {
        let Self { name, definition, deployment, .. } = self;
        if !cluster.has("customresourcedefinitions", definition) {
            return bad(
                format!("{name} is not installed: the cluster does not know {definition}"),
                format!("install {name} as docs/deployment-guide.md says"),
            );
        }
        let running = cluster.all("deployments").iter().find(|object| object["metadata"]["name"] == *deployment);
        match running.map(|object| object["status"]["readyReplicas"].as_u64().unwrap_or_default()) {
            Some(0) => bad(
                format!("{name} is installed, but no pod of the Deployment {deployment} is ready"),
                format!(
                    "`kubectl get pods --all-namespaces | grep {deployment}` shows it; `kubectl describe pod` says why"
                ),
            ),
            Some(_) => Good("runs".to_owned()),
            None => Note(format!("its definitions are there, but no Deployment is called {deployment}")),
        }
    }
}

/// Who measures the pods: the API's are scaled by their CPU.
fn metrics(cluster: &Cluster, values: &Values) -> Finding {
    if values.number("api.maxReplicas") <= values.number("api.minReplicas") {
        return Good("not needed: the API's pods are as many at all times".to_owned());
    }
    if cluster.has("deployments", "metrics-server") {
        return Good("metrics-server runs".to_owned());
    }
    bad(
        "the API's pods are scaled by their CPU, and there is no metrics-server that measures it",
        "install metrics-server as docs/deployment-guide.md says, or set `api.maxReplicas` to `api.minReplicas`",
    )
}

fn storage(cluster: &Cluster, values: &Values) -> Finding {
    let embedded = values.text("broker") == "embedded" || values.text("database") == "embedded";
    if !embedded && values.text("broker") != "strimzi" {
        return Good("no volume is needed".to_owned());
    }
    let class = values.text("sidelet.storage.className");
    let is_default =
        |object: &Value| object["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true";
    let found = cluster.all("storageclasses").iter().find(|object| match class {
        "" => is_default(object),
        class => object["metadata"]["name"] == class,
    });
    let Some(found) = found else {
        let which = if class.is_empty() { "that is the default".to_owned() } else { format!("`{class}`") };
        return bad(
            format!("a volume is needed, and there is no storage class {which}"),
            "name one of `kubectl get storageclasses` in `sidelet.storage.className`, or make one the default",
        );
    };
    let name = found["metadata"]["name"].as_str().unwrap_or_default();
    if found["provisioner"] != OCI_VOLUMES {
        return Good(format!("{name} makes the volumes"));
    }
    let of_oci = |object: &&Value| object["spec"]["csi"]["driver"] == OCI_VOLUMES;
    let ours = |object: &&Value| object["spec"]["claimRef"]["namespace"] == cluster.namespace.as_str();
    let others = cluster.all("persistentvolumes").iter().filter(of_oci).filter(|object| !ours(object)).count();
    let taken = (cluster.all("nodes").len() + others + 1) * OCI_VOLUME_GB;
    if taken > OCI_FREE_GB {
        return Note(format!(
            "nodes, other volumes and this one take {taken} GB or more of block storage, of which {OCI_FREE_GB} GB are free"
        ));
    }
    Good(format!("{name} makes the volume; with the nodes' own {taken} GB of {OCI_FREE_GB} GB that are free"))
}

fn ingress(cluster: &Cluster, values: &Values) -> Finding {
    if !values.is_on("ingress.enabled") {
        return Good("not asked for".to_owned());
    }
    let class = values.text("ingress.className");
    let is_default =
        |object: &Value| object["metadata"]["annotations"]["ingressclass.kubernetes.io/is-default-class"] == "true";
    let found = cluster.all("ingressclasses").iter().any(|object| match class {
        "" => is_default(object),
        class => object["metadata"]["name"] == class,
    });
    if found {
        return Good(if class.is_empty() { "by the default class".to_owned() } else { format!("by {class}") });
    }
    bad(
        "no controller serves the Ingress: its class is not there",
        "install an ingress controller as docs/deployment-guide.md says, and name its class in `ingress.className`",
    )
}

/// The Secrets that the values name: for what, by which name, with which keys.
pub(super) fn secrets(values: &Values) -> Vec<(&'static str, &str, &'static [&'static str])> {
    let external = |what: &str, is_needed: bool| is_needed && !what.is_empty();
    let (postgres, kafka) = (values.text("postgres.secret"), values.text("kafka.secret"));
    let mut wanted: Vec<(&str, &str, &[&str])> = Vec::new();
    if external(postgres, values.text("database") == "external") {
        wanted.push(("database", postgres, &["connectionString"]));
    }
    let signs_in = values.text("broker") != "embedded" && values.text("kafka.sasl") != "none";
    if external(kafka, signs_in) {
        wanted.push(("broker", kafka, &["username", "password"]));
    }
    if external(values.text("mail.secret"), !values.text("mail.host").is_empty()) {
        wanted.push(("mail", values.text("mail.secret"), &["username", "password"]));
    }
    for (what, path, keys) in [
        ("API token", "secrets.apiToken", &["token"] as &[&str]),
        ("app token", "secrets.appToken", &["token"]),
        ("keys", "secrets.keys", &["signingKey", "vapidPrivateKey"]),
    ] {
        if !values.text(path).is_empty() {
            wanted.push((what, values.text(path), keys));
        }
    }
    wanted
}

fn secret(cluster: &Cluster, name: &str, keys: &[&str]) -> Finding {
    let namespace = &cluster.namespace;
    let literals: Vec<_> = keys.iter().map(|key| format!("--from-file={key}=FILE")).collect();
    let remedy = format!(
        "make it, of files that do not end with a new line: kubectl --namespace {namespace} create secret generic {name} {}",
        literals.join(" ")
    );
    let Some(found) = cluster.secrets.get(name) else {
        return bad(format!("the Secret `{name}` is not in the namespace {namespace}"), remedy);
    };
    match keys.iter().find(|key| !found.contains(**key)) {
        Some(key) => bad(format!("the Secret `{name}` has no `{key}`"), remedy),
        None => Good(format!("the Secret `{name}`")),
    }
}

fn pod_security(cluster: &Cluster) -> Finding {
    let enforced = cluster.labels.as_ref().map(|labels| &labels["pod-security.kubernetes.io/enforce"]);
    match enforced.and_then(Value::as_str) {
        Some("restricted") => bad(
            format!(
                "the namespace {} enforces `restricted`, and SpinKube's operator sets no security context",
                cluster.namespace
            ),
            format!(
                "kubectl label --overwrite namespace {} pod-security.kubernetes.io/enforce=baseline pod-security.kubernetes.io/warn=restricted",
                cluster.namespace
            ),
        ),
        enforced => Good(enforced.unwrap_or("not enforced").to_owned()),
    }
}

/// Whether a pod is the release's, or the broker's of kafka/strimzi.
fn is_ours(pod: &Value, cluster: &Cluster) -> bool {
    let labels = &pod["metadata"]["labels"];
    pod["metadata"]["namespace"] == cluster.namespace.as_str()
        && (is_release(labels) || labels["strimzi.io/cluster"] == "todo")
}

fn is_release(labels: &Value) -> bool {
    labels["app.kubernetes.io/name"] == "todo"
}

/// Whether there is room for what the values ask for beside everything else that runs, the operators among it.
fn room(cluster: &Cluster, values: &Values) -> Finding {
    let wanted = values.requests();
    let mut free = ready(cluster).map(|node| requests(&node["status"]["allocatable"])).fold((0, 0), add);
    let runs = |pod: &&Value| !["Succeeded", "Failed"].contains(&pod["status"]["phase"].as_str().unwrap_or_default());
    let mut is_upgrade = false;
    for pod in cluster.all("pods").iter().filter(runs) {
        if is_ours(pod, cluster) {
            is_upgrade |= is_release(&pod["metadata"]["labels"]);
            continue;
        }
        for container in pod["spec"]["containers"].as_array().into_iter().flatten() {
            free = add(free, times(requests(&container["resources"]["requests"]), -1));
        }
    }
    let found = format!(
        "{} and {} are free for it, {} and {} are wanted",
        cpu(free.0),
        memory(free.1),
        cpu(wanted.0),
        memory(wanted.1)
    );
    if free.0 >= wanted.0 && free.1 >= wanted.1 {
        return Good(found);
    }
    if is_upgrade {
        return Note(format!("{found}; the release is there already, and some of its pods may have to wait"));
    }
    bad(found, "remove what else runs there (`kubectl top pods --all-namespaces`), or take larger nodes")
}

fn quota(cluster: &Cluster, values: &Values) -> Finding {
    let ours =
        cluster.all("resourcequotas").iter().find(|quota| quota["metadata"]["namespace"] == cluster.namespace.as_str());
    let Some(quota) = ours else {
        return Good("none".to_owned());
    };
    let wanted = values.requests();
    let hard = &quota["spec"]["hard"];
    for (key, least) in [("requests.cpu", wanted.0), ("requests.memory", wanted.1)] {
        if hard[key].as_str().and_then(thousandths).is_some_and(|bound| bound < least) {
            return bad(
                format!("the quota of the namespace {} allows {key} of {} in all", cluster.namespace, hard[key]),
                format!("raise it above {} and {}", cpu(wanted.0), memory(wanted.1)),
            );
        }
    }
    Good("large enough".to_owned())
}
