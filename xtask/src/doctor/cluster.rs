//! What a cluster has, as `kubectl` tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::values::Values;

/// What is asked for, as `kubectl get` names it, and the field of its answer.
const KINDS: [&str; 9] = [
    "nodes",
    "pods",
    "deployments",
    "customresourcedefinitions",
    "runtimeclasses",
    "storageclasses",
    "ingressclasses",
    "persistentvolumes",
    "resourcequotas",
];

/// The answers.
pub(super) struct Cluster {
    /// Where the application is to be.
    pub(super) namespace: String,
    /// The version of the API server, as `v1.34.1`.
    pub(super) version: String,
    /// The namespace's labels; `None` where there is no such namespace.
    pub(super) labels: Option<Value>,
    /// The keys of the Secrets that the values name, where they exist. Their values are never read.
    pub(super) secrets: BTreeMap<String, BTreeSet<String>>,
    /// Objects by their kind.
    objects: BTreeMap<String, Vec<Value>>,
}

impl Cluster {
    /// Asks the cluster of the current context, or of `KUBECONFIG`.
    pub(super) fn read(namespace: &str, values: &Values) -> Result<Self> {
        let version = kubectl(&["version", "--output", "json"])?
            .context("kubectl says nothing")
            .and_then(|text| Ok(serde_json::from_str::<Value>(&text)?))
            .context("could not read the version that kubectl tells")?;
        let mut objects = BTreeMap::new();
        for kind in KINDS {
            let text = kubectl(&["get", kind, "--all-namespaces", "--output", "json"])?.unwrap_or_default();
            objects.insert(kind.to_owned(), items(&text).with_context(|| format!("could not read the {kind}"))?);
        }
        let labels = match kubectl(&["get", "namespace", namespace, "--ignore-not-found", "--output", "json"])? {
            Some(text) => Some(serde_json::from_str::<Value>(&text)?["metadata"]["labels"].clone()),
            None => None,
        };
        let mut secrets = BTreeMap::new();
        for (_, name, _) in super::checks::secrets(values) {
            // A template that shows the keys alone: no secret comes this way.
            let keys = "go-template={{range $key, $value := .data}}{{$key}} {{end}}";
            let arguments = ["get", "secret", name, "--namespace", namespace, "--ignore-not-found", "--output", keys];
            if let Some(text) = kubectl(&arguments)? {
                secrets.insert(name.to_owned(), text.split_whitespace().map(str::to_owned).collect());
            }
        }
        let version = version["serverVersion"]["gitVersion"].as_str().unwrap_or_default().to_owned();
        Ok(Self { namespace: namespace.to_owned(), version, labels, secrets, objects })
    }

    /// The objects of a kind.
    pub(super) fn all(&self, kind: &str) -> &[Value] {
        self.objects.get(kind).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether there is an object of a kind by this name.
    pub(super) fn has(&self, kind: &str, name: &str) -> bool {
        self.all(kind).iter().any(|object| object["metadata"]["name"] == name)
    }
}

/// The objects of a list.
fn items(text: &str) -> Result<Vec<Value>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut list: Value = serde_json::from_str(text).context("it is no JSON")?;
    match list["items"].take() {
        Value::Array(items) => Ok(items),
        _ => bail!("it is no list"),
    }
}

/// What kubectl prints; `None` for nothing.
fn kubectl(arguments: &[&str]) -> Result<Option<String>> {
    let output = Command::new("kubectl")
        .args(["--request-timeout", "15s"])
        .args(arguments)
        .output()
        .context("could not run `kubectl`: install it, see https://kubernetes.io/docs/tasks/tools")?;
    if !output.status.success() {
        bail!(
            "`kubectl {}` failed, so the cluster of KUBECONFIG or ~/.kube/config cannot be looked at: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let text = String::from_utf8(output.stdout).context("kubectl prints text")?;
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

#[cfg(test)]
impl Cluster {
    /// A cluster of lists that kubectl printed.
    pub(super) fn of(lists: &[(&str, &str)]) -> Self {
        Self {
            namespace: "todo".to_owned(),
            version: "v1.34.1".to_owned(),
            labels: None,
            secrets: BTreeMap::new(),
            objects: lists.iter().map(|(kind, text)| ((*kind).to_owned(), items(text).unwrap())).collect(),
        }
    }
}
