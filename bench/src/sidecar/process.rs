//! A sidecar as a process: sidelet and daprd take the same command line and the same files.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::client::Connection;
use crate::memory;

/// How long a start may take.
const START: Duration = Duration::from_secs(60);

/// What is measured.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) binary: PathBuf,
}

/// A running sidecar with a folder of its own. It ends with this value.
pub(super) struct Sidecar {
    pub(super) port: u16,
    /// From the start of the process until it was ready with its app.
    pub(super) ready_after: Duration,
    child: Child,
    folder: TempDir,
}

impl Sidecar {
    /// Starts `peer` with these component files for the app on `app_port`.
    pub(super) async fn start(peer: &Peer, components: &str, app_port: u16) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let resources = folder.path().join("resources");
        std::fs::create_dir(&resources)?;
        for (index, document) in components.split("\n---\n").enumerate() {
            std::fs::write(resources.join(format!("{index}.yaml")), document)?;
        }
        let configuration = folder.path().join("configuration.yaml");
        std::fs::write(&configuration, CONFIGURATION)?;
        let port = free_port()?;
        let log = std::fs::File::create(folder.path().join("log"))?;
        let begin = Instant::now();
        let child = Command::new(&peer.binary)
            .current_dir(folder.path())
            .env("DAPR_HOST_IP", "127.0.0.1")
            .args(["--mode", "standalone", "--app-id", "bench", "--log-level", "warn"])
            .args(["--app-port", &app_port.to_string(), "--dapr-http-port", &port.to_string()])
            .args(["--dapr-listen-addresses", "127.0.0.1", "--metrics-listen-address", "127.0.0.1"])
            .args(["--dapr-internal-grpc-listen-address", "127.0.0.1"])
            .args(["--dapr-grpc-port", &free_port()?.to_string()])
            .args(["--dapr-internal-grpc-port", &free_port()?.to_string()])
            .args(["--metrics-port", &free_port()?.to_string()])
            .arg("--resources-path")
            .arg(&resources)
            .arg("--config")
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start `{}`", peer.binary.display()))?;
        let mut sidecar = Self { port, ready_after: Duration::ZERO, child, folder };
        while !is_ready(port).await {
            let ended = sidecar.child.try_wait()?;
            ensure!(ended.is_none() && begin.elapsed() < START, "{} is not ready: {}", peer.name, sidecar.log());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        sidecar.ready_after = begin.elapsed();
        Ok(sidecar)
    }

    /// What the sidecar has said.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Resident memory in MiB.
    pub(super) fn resident(&self) -> Result<f64> {
        memory::resident(self.child.id().context("the sidecar has ended")?)
    }

    /// Time of processors so far, in seconds.
    pub(super) fn processor_time(&self) -> Result<f64> {
        let id = self.child.id().context("the sidecar has ended")?;
        let text = std::fs::read_to_string(format!("/proc/{id}/stat")).context("this system has no /proc")?;
        // Behind the name, which may have spaces, fields count from the third on.
        let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks / TICKS)
    }
}

/// Linux tells times of processors in hundredths of a second.
const TICKS: f64 = 100.0;

async fn is_ready(port: u16) -> bool {
    let Ok(mut connection) = Connection::open(port).await else { return false };
    connection.call("GET", "/v1.0/healthz", "").await.is_ok()
}

/// daprd takes no port 0: another process could take this one in between, which a start would tell.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Names are looked up in a file, so that nothing leaves the machine.
const CONFIGURATION: &str = "apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: bench
spec:
  nameResolution:
    component: sqlite
    configuration:
      connectionString: names.db
";
