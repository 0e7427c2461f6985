//! The chart as a release.

use anyhow::Result;

use crate::{
    cluster::{Cluster, run},
    images::{Image, Images},
};

/// The release's name, and so that of its objects.
pub(crate) const NAME: &str = "todo";
/// The sidecar's Deployment and Service.
pub(crate) const SIDELET: &str = "todo-sidelet";
/// The chart.
pub(crate) const CHART: &str = "charts/todo";
/// How long Helm waits for hooks and pods.
const TIMEOUT: &str = "--timeout=5m";

/// One release.
#[derive(Debug)]
pub(crate) struct Release {
    namespace: String,
    /// What every revision is told.
    values: Vec<String>,
}

impl Release {
    /// With the images and the servers of this run.
    pub(crate) fn new(cluster: &Cluster, images: &Images, brokers: &str) -> Self {
        let values = [
            "executor=spinImage".to_owned(),
            "broker=external".into(),
            "database=external".into(),
            "kafka.sasl=none".into(),
            // A comma separates values.
            format!("kafka.brokers={}", brokers.replace(',', "\\,")),
            format!("image.repository={}", images.spin.repository),
            format!("image.tag={}", images.spin.tag),
            format!("spinImage={}", images.spin.name()),
            format!("sidelet.image.repository={}", images.sidelet.repository),
            format!("sidelet.image.tag={}", images.sidelet.tag),
            format!("test.image={}", images.curl.name()),
            "api.maxReplicas=1".into(),
            // Not waited for longer than it takes to see it.
            "scaling.cooldown=10".into(),
            // Many accounts come from one address, and many writes from one account.
            "settings.signUpsPerHour=0".into(),
            "settings.writesPerMinute=0".into(),
        ];
        Self { namespace: cluster.namespace.clone(), values: values.into() }
    }

    /// Installs the chart, or changes the release, and waits for what Helm waits for.
    pub(crate) async fn apply(&self, more: &[&str]) -> Result<()> {
        let mut arguments = vec!["upgrade", "--install", NAME, CHART, "--wait", TIMEOUT];
        for value in self.values.iter().map(String::as_str).chain(more.iter().copied()) {
            arguments.extend(["--set", value]);
        }
        self.helm(&arguments).await.map(drop)
    }

    /// The same on the shim of the nodes, with the application as it is in registries.
    pub(crate) async fn apply_on_shim(&self, application: &Image, more: &[&str]) -> Result<()> {
        let image = [format!("image.repository={}", application.repository), format!("image.tag={}", application.tag)];
        let mut values = vec!["executor=shim"];
        values.extend(image.iter().map(String::as_str));
        values.extend(more);
        self.apply(&values).await
    }

    /// Goes back to the revision before.
    pub(crate) async fn roll_back(&self) -> Result<()> {
        self.helm(&["rollback", NAME, "--wait", TIMEOUT]).await.map(drop)
    }

    /// Runs the chart's own test, and gives what it says.
    pub(crate) async fn test(&self) -> Result<String> {
        self.helm(&["test", NAME, TIMEOUT]).await
    }

    /// Ends the release, if there is one.
    pub(crate) async fn uninstall(&self) -> Result<()> {
        self.helm(&["uninstall", NAME, "--ignore-not-found", "--wait", TIMEOUT]).await.map(drop)
    }

    /// `helm` in the namespace.
    pub(crate) async fn helm(&self, arguments: &[&str]) -> Result<String> {
        let mut all = vec!["--namespace", &self.namespace];
        all.extend(arguments);
        run("helm", &all).await
    }
}
