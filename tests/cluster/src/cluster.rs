//! The cluster, by way of `kubectl`.

mod objects;
mod watched;

use std::{process::Stdio, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use backends::within;
use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command};

pub(crate) use self::watched::Watched;

/// How long pods may take to come or to go on a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);
/// What has to be in the cluster, and who brings it.
const KINDS: [(&str, &str); 4] = [
    ("spinapps.core.spinkube.dev", "SpinKube's operator"),
    ("spinappexecutors.core.spinkube.dev", "SpinKube's operator"),
    ("scaledobjects.keda.sh", "KEDA"),
    ("triggerauthentications.keda.sh", "KEDA"),
];
/// What every namespace is given, a moment after it was made.
const GIVEN: [[&str; 2]; 2] = [["serviceaccount", "default"], ["configmap", "kube-root-ca.crt"]];

/// One namespace of the cluster that `KUBECONFIG` names.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub(crate) namespace: String,
}

impl Cluster {
    pub(crate) fn new(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned() }
    }

    /// Refuses a cluster on which nothing could be shown.
    pub(crate) async fn check(&self) -> Result<()> {
        run("helm", &["version", "--short"]).await?;
        run("kubectl", &["version"]).await.context("does KUBECONFIG name a cluster that runs?")?;
        for (kind, owner) in KINDS {
            let found = run("kubectl", &["get", "crd", kind]).await;
            found.with_context(|| format!("the cluster has no `{kind}`: install {owner}"))?;
        }
        let there =
            run("kubectl", &["get", "namespace", &self.namespace, "--ignore-not-found", "--output=name"]).await?;
        ensure!(there.is_empty(), "the namespace `{0}` is there: delete it, or name another", self.namespace);
        Ok(())
    }

    /// The version of its API server, such as `v1.34.4`.
    pub(crate) async fn version(&self) -> Result<String> {
        let told: Value = serde_json::from_str(&run("kubectl", &["version", "--output=json"]).await?)?;
        Ok(told["serverVersion"]["gitVersion"].as_str().context("a server has a version")?.to_owned())
    }

    /// Makes the namespace, with the database's address as the chart expects it.
    pub(crate) async fn begin(&self, database: &str) -> Result<()> {
        run("kubectl", &["create", "namespace", &self.namespace]).await?;
        let address = format!("--from-literal=connectionString={database}");
        self.kubectl(&["create", "secret", "generic", "todo-postgres", &address]).await?;
        for given in GIVEN {
            let there = async || self.get(&given).await.ok();
            within(PATIENCE, &format!("the namespace has its {}", given.join(" ")), there).await?;
        }
        Ok(())
    }

    /// Removes the namespace.
    pub(crate) async fn end(&self) -> Result<()> {
        run("kubectl", &["delete", "namespace", &self.namespace, "--timeout=180s"]).await?;
        Ok(())
    }

    /// `kubectl` in the namespace.
    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        run("kubectl", &self.within(arguments)).await
    }

    fn within<'all>(&'all self, arguments: &[&'all str]) -> Vec<&'all str> {
        let mut all = vec!["--namespace", &self.namespace];
        all.extend(arguments);
        all
    }

    /// Objects as JSON: `["deployment", "todo"]`, or a kind alone for a list.
    pub(crate) async fn get(&self, what: &[&str]) -> Result<Value> {
        let mut arguments = vec!["get", "--output=json"];
        arguments.extend(what);
        Ok(serde_json::from_str(&self.kubectl(&arguments).await?)?)
    }

    /// The pods of a Deployment that are to be, and those that are ready.
    pub(crate) async fn replicas(&self, deployment: &str) -> Result<(u64, u64)> {
        let found = self.get(&["deployment", deployment]).await?;
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        Ok((number(&found["spec"]["replicas"]), number(&found["status"]["readyReplicas"])))
    }

    /// Waits until a Deployment has as many pods as it is to have, all ready.
    pub(crate) async fn wait_for_replicas(&self, deployment: &str, replicas: u64) -> Result<()> {
        let what = format!("{replicas} ready pods of `{deployment}`");
        let exactly = async || {
            let (wanted, ready) = self.replicas(deployment).await.ok()?;
            (wanted == replicas && ready == replicas).then_some(())
        };
        within(PATIENCE, &what, exactly).await
    }

    /// Listens to what becomes of a Deployment's pods.
    pub(crate) async fn watch(&self, deployment: &str) -> Result<Watched> {
        Watched::begin(&self.namespace, deployment).await
    }

    /// The address of a Service.
    pub(crate) async fn service(&self, name: &str) -> Result<String> {
        let service = self.get(&["service", name]).await?;
        let address = service["spec"]["clusterIP"].as_str().context("a Service has an address")?;
        Ok(format!("http://{address}"))
    }

    /// What a Secret has under a key.
    pub(crate) async fn secret(&self, name: &str, key: &str) -> Result<String> {
        let template = format!("--output=go-template={{{{.data.{key} | base64decode}}}}");
        self.kubectl(&["get", "secret", name, &template]).await
    }

    /// What a person would look at when something did not come about.
    pub(crate) async fn picture(&self) -> String {
        let mut picture = String::new();
        for arguments in [
            &["get", "all,scaledobjects,spinapps", "--output=wide"][..],
            &["get", "events", "--sort-by=.lastTimestamp"],
            &["logs", "--selector=app.kubernetes.io/component=sidelet", "--tail=40"],
        ] {
            let seen = self.kubectl(arguments).await.unwrap_or_else(|error| format!("{error:#}"));
            picture.push_str(&format!("--- kubectl {}\n{seen}\n", arguments.join(" ")));
        }
        picture
    }
}

/// Runs a program, and gives what it prints.
pub(crate) async fn run(program: &str, arguments: &[&str]) -> Result<String> {
    run_with(program, arguments, "").await
}

/// Runs a program that is given a text, and gives what it prints.
pub(crate) async fn run_with(program: &str, arguments: &[&str], input: &str) -> Result<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().with_context(|| format!("could not run `{program}`: is it on the path?"))?;
    let mut writer = child.stdin.take().context("its input was asked for")?;
    let write = async move {
        // One that ends early says why by itself.
        let _ = writer.write_all(input.as_bytes()).await;
    };
    let ((), output) = tokio::join!(write, child.wait_with_output());
    let output = output.with_context(|| format!("`{program}` was lost"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{program} {}` failed: {}", arguments.join(" "), said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}
