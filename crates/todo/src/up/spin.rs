//! The components under Spin, as a child process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::process::{Child, Command};

/// `spin up`.
pub(super) struct Spin(Child);

/// Starts Spin. Secrets travel by its environment, which other users cannot read, not by its command line.
pub(super) fn start(manifest: &Path, address: SocketAddr, variables: &BTreeMap<String, String>) -> Result<Spin> {
    let mut command = Command::new("spin");
    command.arg("up").arg("--from").arg(manifest).arg("--listen").arg(address.to_string()).kill_on_drop(true);
    for (name, value) in variables {
        command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
    }
    match command.spawn() {
        Ok(child) => Ok(Spin(child)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            anyhow::bail!("`spin` is not installed: install Spin, or leave out --spin")
        }
        Err(error) => Err(error).context("could not start `spin up`"),
    }
}

impl Spin {
    /// Waits until Spin ends by itself.
    pub(super) async fn wait(&mut self) -> Result<ExitCode> {
        let status = self.0.wait().await.context("could not wait for `spin up`")?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Tells Spin to stop, and ends it when it does not within `grace`.
    pub(super) async fn stop(&mut self, grace: Duration) -> Result<ExitCode> {
        if let Some(id) = self.0.id() {
            let _status = Command::new("kill").arg("-TERM").arg(id.to_string()).status().await;
        }
        match tokio::time::timeout(grace, self.0.wait()).await {
            Ok(_) => Ok(ExitCode::SUCCESS),
            Err(_) => {
                self.0.kill().await.context("could not end `spin up`")?;
                Ok(ExitCode::FAILURE)
            }
        }
    }
}
