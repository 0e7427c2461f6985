//! A Deployment as it changes: told by the API server, since asking again and again would slow down what is measured.

use std::{process::Stdio, time::Instant};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use super::PATIENCE;

/// `kubectl get --watch`, which ends with this value.
#[derive(Debug)]
pub(crate) struct Watched {
    deployment: String,
    lines: Lines<BufReader<ChildStdout>>,
    ready: u64,
    _process: Child,
}

impl Watched {
    /// Begins with the ready pods of now.
    pub(super) async fn begin(namespace: &str, deployment: &str) -> Result<Self> {
        let mut process = Command::new("kubectl")
            .args(["--namespace", namespace, "get", "deployment", deployment, "--watch"])
            .arg("--output=jsonpath={.status.readyReplicas}{\"\\n\"}")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("could not run `kubectl`")?;
        let output = process.stdout.take().context("its output was asked for")?;
        let lines = BufReader::new(output).lines();
        let mut watched = Self { deployment: deployment.to_owned(), lines, ready: 0, _process: process };
        watched.next().await?;
        Ok(watched)
    }

    /// Waits until so many pods are ready, and says when that was.
    pub(crate) async fn until_ready(&mut self, pods: u64) -> Result<Instant> {
        let what = format!("waited {PATIENCE:?} in vain: {pods} ready pods of `{}`", self.deployment);
        let reached = async {
            while self.ready != pods {
                self.next().await?;
            }
            Ok(Instant::now())
        };
        timeout(PATIENCE, reached).await.context(what)?
    }

    async fn next(&mut self) -> Result<()> {
        let line = self.lines.next_line().await?;
        let line = line.with_context(|| format!("`kubectl` no longer watches `{}`", self.deployment))?;
        // Nothing stands for none.
        self.ready = line.trim().parse().unwrap_or_default();
        Ok(())
    }
}
