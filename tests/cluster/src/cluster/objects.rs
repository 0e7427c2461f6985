//! Everything that is there.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{Cluster, run};
use crate::release::NAME;

/// Kinds that tell of others, and go by themselves.
const PASSING: [&str; 4] = ["events", "events.events.k8s.io", "pods.metrics.k8s.io", "nodes.metrics.k8s.io"];

impl Cluster {
    /// Every object of the namespace, and those of the cluster that say that they are the release's.
    pub(crate) async fn objects(&self) -> Result<BTreeSet<String>> {
        let (own, wide) = (kinds(true).await?, kinds(false).await?);
        let names = ["--output=name", "--ignore-not-found"];
        let own = self.kubectl(&["get", &own, names[0], names[1]]).await?;
        let selector = format!("--selector=app.kubernetes.io/instance={NAME}");
        let wide = run("kubectl", &["get", &wide, &selector, names[0], names[1]]).await?;
        Ok(own.lines().chain(wide.lines()).map(str::to_owned).collect())
    }
}

/// The kinds that the API server lists, with commas between.
async fn kinds(namespaced: bool) -> Result<String> {
    let namespaced = format!("--namespaced={namespaced}");
    let all = run("kubectl", &["api-resources", &namespaced, "--verbs=list", "--output=name"]).await?;
    Ok(all.lines().filter(|kind| !PASSING.contains(kind)).collect::<Vec<_>>().join(","))
}
