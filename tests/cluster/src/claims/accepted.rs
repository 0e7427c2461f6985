//! What the API server says to everything that there is to apply, without keeping it.
//!
//! It refuses fields that it does not know, and kinds that it has not, by name; what admission has to say is said too.

use anyhow::{Context, Result, ensure};

use crate::{Setting, cluster::run_with, release::CHART};

/// A dry run, in which nothing is overlooked.
const STRICT: [&str; 4] = ["apply", "--dry-run=server", "--validate=strict", "--output=name"];
/// The chart's values, with what is set beside them.
const RELEASES: [(&str, &[&str]); 6] = [
    ("values", &[]),
    ("values-minikube", &[]),
    ("values-oke-12g", &[]),
    ("values-oke-24g", &[]),
    // Its pods need Dapr; that it would be taken needs the kinds alone.
    ("values-oke-12g", &["sidecar=dapr", "scaling.trigger=kafka"]),
    ("values-oke-12g", &["scaling.trigger=both", "kafka.sasl=SHA-512"]),
];
/// What people apply without the chart.
const FOLDERS: [&str; 4] = ["spinkube", "kafka/strimzi", "kafka/topics", "dapr/cluster"];
/// What has a field too many.
const WRONG: &str = r#"{"apiVersion": "core.spinkube.dev/v1alpha1", "kind": "SpinApp", "metadata": {"name": "wrong"},
    "spec": {"image": "todo", "executor": "todo", "replicas": 1, "replcas": 1}}"#;

/// Asks for all of it.
pub(super) async fn all(setting: &Setting) -> Result<String> {
    let version = setting.cluster.version().await?;
    let mut count = 0;
    for (profile, more) in RELEASES {
        let name = [&[profile], more].concat().join(" ");
        // Another name than the release's: what is there is not changed, even in a dry run.
        let values = format!("{CHART}/{profile}.yaml");
        let mut arguments = vec!["template", "accepted", CHART, "--kube-version", &version, "--values", &values];
        for value in more {
            arguments.extend(["--set", value]);
        }
        let rendered = setting.release.helm(&arguments).await?;
        count += apply(setting, &["--filename=-"], &rendered).await.with_context(|| format!("`{name}` is refused"))?;
    }
    for folder in FOLDERS {
        let filename = format!("--filename={folder}");
        count += apply(setting, &[&filename], "").await.with_context(|| format!("`{folder}` is refused"))?;
    }
    let wrong =
        apply(setting, &["--filename=-"], WRONG).await.err().context("a field that nobody knows is accepted")?;
    ensure!(format!("{wrong:#}").contains("replcas"), "a field that nobody knows is not named: {wrong:#}");
    Ok(format!("{count} objects of {} sets of values and {} folders", RELEASES.len(), FOLDERS.len()))
}

/// How many objects were accepted.
async fn apply(setting: &Setting, more: &[&str], input: &str) -> Result<usize> {
    let mut arguments = vec!["--namespace", &setting.cluster.namespace];
    arguments.extend(STRICT.iter().chain(more));
    let accepted = run_with("kubectl", &arguments, input).await?.lines().count();
    ensure!(accepted > 0, "there was nothing to accept");
    Ok(accepted)
}
