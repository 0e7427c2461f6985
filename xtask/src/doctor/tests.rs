//! Clusters as `kubectl get --output json` shows them, and what is said of each.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::{Value, json};

use super::Finding::{self, Bad, Good, Note};
use super::cluster::Cluster;
use super::values::Values;
use super::{checks, report};

/// Two nodes of Oracle's free shape.
const OKE_NODES: &str = include_str!("samples/nodes-oke.json");
/// The one of Minikube.
const MINIKUBE_NODES: &str = include_str!("samples/nodes-minikube.json");
const OKE: &str = include_str!("../../../charts/todo/values-oke-12g.yaml");
const LARGE_OKE: &str = include_str!("../../../charts/todo/values-oke-24g.yaml");
const MINIKUBE: &str = include_str!("../../../charts/todo/values-minikube.yaml");

/// A list of objects that have nothing but a name.
fn named(names: &[&str]) -> String {
    let items: Vec<Value> = names.iter().map(|name| json!({"metadata": {"name": name}})).collect();
    json!({"items": items}).to_string()
}

/// All definitions and operators, running.
fn operators() -> [(&'static str, String); 2] {
    let definitions = [
        "certificates.cert-manager.io",
        "spinapps.core.spinkube.dev",
        "scaledobjects.keda.sh",
        "kafkatopics.kafka.strimzi.io",
    ];
    let deployments = [
        "cert-manager-webhook",
        "spin-operator-controller-manager",
        "keda-operator",
        "strimzi-cluster-operator",
        "metrics-server",
    ];
    let running: Vec<Value> =
        deployments.iter().map(|name| json!({"metadata": {"name": name}, "status": {"readyReplicas": 1}})).collect();
    [("customresourcedefinitions", named(&definitions)), ("deployments", json!({"items": running}).to_string())]
}

/// A cluster with everything that the profile asks for.
fn cluster(nodes: &str, class: Value) -> Cluster {
    let [definitions, deployments] = operators();
    let classes = json!({"items": [class]}).to_string();
    let ingress = json!({"items": [{"metadata": {
        "name": "traefik", "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}}}]});
    let mut cluster = Cluster::of(&[
        ("nodes", nodes),
        (definitions.0, &definitions.1),
        (deployments.0, &deployments.1),
        ("storageclasses", &classes),
        ("ingressclasses", &ingress.to_string()),
        ("runtimeclasses", &named(&["wasmtime-spin-v2"])),
    ]);
    let keys = BTreeSet::from(["connectionString".to_owned()]);
    cluster.secrets = BTreeMap::from([("todo-postgres".to_owned(), keys)]);
    cluster
}

fn oke() -> Cluster {
    let annotations = json!({"storageclass.kubernetes.io/is-default-class": "true"});
    cluster(
        OKE_NODES,
        json!({"metadata": {"name": "oci-bv", "annotations": annotations}, "provisioner": "blockvolume.csi.oraclecloud.com"}),
    )
}

fn minikube() -> Cluster {
    let annotations = json!({"storageclass.kubernetes.io/is-default-class": "true"});
    cluster(
        MINIKUBE_NODES,
        json!({"metadata": {"name": "standard", "annotations": annotations}, "provisioner": "k8s.io/minikube-hostpath"}),
    )
}

/// The chart's own values under a profile's.
fn values(profile: &str) -> Values {
    Values::of(&[include_str!("../../../charts/todo/values.yaml"), profile])
}

/// What is said about one subject.
fn finding(cluster: &Cluster, values: &Values, subject: &str) -> Finding {
    let mut findings = checks::all(cluster, values);
    let at = findings.iter().position(|(name, _)| *name == subject).unwrap_or_else(|| panic!("nothing on {subject}"));
    findings.swap_remove(at).1
}

/// Holds a finding to be bad, with these words in its cause and its remedy.
fn assert_bad(finding: &Finding, in_cause: &str, in_remedy: &str) {
    match finding {
        Bad { cause, remedy } => {
            assert!(cause.contains(in_cause), "{cause}");
            assert!(remedy.contains(in_remedy), "{remedy}");
        }
        Good(_) | Note(_) => panic!("{finding:?}"),
    }
}

#[test]
fn a_cluster_with_everything_passes() {
    for (cluster, profile) in [(oke(), OKE), (minikube(), MINIKUBE)] {
        for (subject, finding) in checks::all(&cluster, &values(profile)) {
            assert!(matches!(finding, Good(_)), "{subject}: {finding:?}");
        }
    }
}

#[test]
fn the_shim_does_not_run_on_nodes_with_cri_o() {
    let found = finding(&oke(), &values(MINIKUBE), "executor");
    assert_bad(&found, "cri-o://1.34.1", "executor: spinImage");
}

#[test]
fn the_shim_needs_its_runtime_class() {
    let cluster = Cluster::of(&[("nodes", MINIKUBE_NODES)]);
    assert_bad(&finding(&cluster, &values(MINIKUBE), "executor"), "`wasmtime-spin-v2`", "runtime-class-manager");
}

#[test]
fn an_empty_cluster_is_told_what_it_lacks() {
    let cluster = Cluster::of(&[]);
    let values = values(OKE);
    for (subject, in_cause, in_remedy) in [
        ("nodes", "none of 0 nodes", "kubectl describe nodes"),
        ("cert-manager", "certificates.cert-manager.io", "install cert-manager"),
        ("SpinKube", "spinapps.core.spinkube.dev", "install SpinKube"),
        ("KEDA", "scaledobjects.keda.sh", "install KEDA"),
        ("Strimzi", "kafkatopics.kafka.strimzi.io", "install Strimzi"),
        ("metrics", "metrics-server", "api.maxReplicas"),
        ("storage", "no storage class", "sidelet.storage.className"),
        ("ingress", "no controller", "ingress.className"),
        ("database", "`todo-postgres`", "--from-file=connectionString=FILE"),
        ("room", "0.00 CPU", "larger nodes"),
    ] {
        assert_bad(&finding(&cluster, &values, subject), in_cause, in_remedy);
    }
}

#[test]
fn an_operator_without_a_ready_pod_is_told() {
    let [definitions, _] = operators();
    let stopped = json!({"items": [{"metadata": {"name": "keda-operator"}, "status": {}}]}).to_string();
    let cluster = Cluster::of(&[(definitions.0, &definitions.1), ("deployments", &stopped)]);
    assert_bad(&finding(&cluster, &values(OKE), "KEDA"), "no pod of the Deployment keda-operator", "describe pod");
    assert!(matches!(finding(&cluster, &values(OKE), "SpinKube"), Note(_)));
}

#[test]
fn an_old_control_plane_is_told() {
    let mut cluster = oke();
    cluster.version = "v1.29.10".to_owned();
    assert_bad(&finding(&cluster, &values(OKE), "kubernetes"), "v1.29.10", "upgrade");
}

#[test]
fn a_secret_without_its_key_is_told_and_how_it_is_made() {
    let mut cluster = oke();
    cluster.secrets = BTreeMap::from([("todo-postgres".to_owned(), BTreeSet::from(["url".to_owned()]))]);
    let found = finding(&cluster, &values(OKE), "database");
    assert_bad(&found, "has no `connectionString`", "create secret generic todo-postgres");
}

#[test]
fn a_namespace_that_enforces_restricted_is_told() {
    let mut cluster = oke();
    cluster.labels = Some(json!({"pod-security.kubernetes.io/enforce": "restricted"}));
    assert_bad(&finding(&cluster, &values(OKE), "pod security"), "restricted", "enforce=baseline");
}

/// A pod that runs, with labels and requests.
fn pod(namespace: &str, labels: &Value, requests: &Value) -> Value {
    json!({"metadata": {"namespace": namespace, "labels": labels}, "status": {"phase": "Running"},
        "spec": {"containers": [{"resources": {"requests": requests}}]}})
}

/// The two nodes of the smaller free shape, and pods.
fn oke_with(pods: &[Value]) -> Cluster {
    Cluster::of(&[("nodes", OKE_NODES), ("pods", &json!({"items": pods}).to_string())])
}

#[test]
fn what_is_wanted_is_what_the_values_ask_for() {
    let mib = |mib: i128| (mib << 20) * 1_000;
    for (profile, cpu, memory) in
        [("{}", 350, 576), (MINIKUBE, 390, 1_344), (OKE, 390, 1_344), (LARGE_OKE, 1_000, 1_792)]
    {
        assert_eq!(values(profile).requests(), (cpu, mib(memory)), "{profile}");
    }
    let dapr = "{sidecar: dapr, handlers: {activity: {minReplicas: 2, resources: {requests: {cpu: 100m}}}}}";
    // The API, five handlers of which one has two pods, and Dapr's own beside each.
    assert_eq!(values(dapr).requests(), (100 + 4 * 50 + 2 * 100 + 7 * 50, mib(128 + 6 * 96 + 7 * 96)));
}

#[test]
fn everything_else_leaves_less_room_and_the_release_itself_does_not() {
    let large = json!({"cpu": "1400m", "memory": "2Gi"});
    let values = values(OKE);
    for namespace in ["shop", "kube-system", "keda", "todo"] {
        let found = finding(&oke_with(&[pod(namespace, &json!({}), &large)]), &values, "room");
        assert_bad(&found, "0.26 CPU", "kubectl top pods");
    }
    for labels in [json!({"app.kubernetes.io/name": "todo"}), json!({"strimzi.io/cluster": "todo"})] {
        assert!(matches!(finding(&oke_with(&[pod("todo", &labels, &large)]), &values, "room"), Good(_)), "{labels}");
    }
    let mut done = pod("shop", &json!({}), &large);
    done["status"]["phase"] = json!("Succeeded");
    assert!(matches!(finding(&oke_with(&[done]), &values, "room"), Good(_)));
}

#[test]
fn a_release_that_runs_is_upgraded_in_little_room_too() {
    let other = pod("shop", &json!({}), &json!({"cpu": "1400m", "memory": "2Gi"}));
    let own = pod("todo", &json!({"app.kubernetes.io/name": "todo"}), &json!({"cpu": "50m", "memory": "64Mi"}));
    let found = finding(&oke_with(&[other, own]), &values(OKE), "room");
    assert!(matches!(&found, Note(what) if what.contains("already")), "{found:?}");
}

#[test]
fn mail_asks_for_its_secret() {
    let values = values("{mail: {host: smtp.example.com, from: todo@example.com}}");
    let found = finding(&oke(), &values, "mail");
    assert_bad(&found, "`todo-mail`", "--from-file=password=FILE");
}

#[test]
fn volumes_beyond_what_is_free_are_noted() {
    let volume =
        json!({"spec": {"csi": {"driver": "blockvolume.csi.oraclecloud.com"}, "claimRef": {"namespace": "shop"}}});
    let class = json!({"metadata": {"name": "oci-bv", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "blockvolume.csi.oraclecloud.com"});
    let classes = json!({"items": [class]}).to_string();
    for (others, is_free) in [(0, true), (1, true), (2, false)] {
        let volumes = json!({"items": vec![volume.clone(); others]}).to_string();
        let cluster =
            Cluster::of(&[("nodes", OKE_NODES), ("storageclasses", &classes), ("persistentvolumes", &volumes)]);
        assert_eq!(matches!(finding(&cluster, &values(OKE), "storage"), Good(_)), is_free, "{others}");
    }
}

#[test]
fn a_quota_below_the_budget_is_told() {
    let quota = json!({"items": [{"metadata": {"namespace": "todo"}, "spec": {"hard": {"requests.memory": "1Gi"}}}]});
    let cluster = Cluster::of(&[("resourcequotas", &quota.to_string())]);
    assert_bad(&finding(&cluster, &values(OKE), "quota"), "requests.memory", "1.3 GiB");
}

#[test]
fn the_report_has_the_remedy_below_its_cause() -> Result<()> {
    let findings = [
        ("nodes", Good("2 ready".to_owned())),
        ("KEDA", Bad { cause: "not installed".to_owned(), remedy: "install it".to_owned() }),
    ];
    assert_eq!(report(&findings), "ok    nodes: 2 ready\nFAIL  KEDA: not installed\n      install it\n");
    Ok(())
}
