//! daprd, or another sidecar that takes its command line, and Dapr's scheduler.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::{Context, Result};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::ports;
use crate::server::Server;

/// A name resolver that sends nothing to other machines, as daprd's own does.
const CONFIGURATION: &str = "\
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: names
spec:
  nameResolution:
    component: sqlite
    configuration:
      connectionString: names.db
";

/// Which program serves whom.
#[derive(Debug, Clone, Default)]
pub struct DaprdOptions {
    /// The program: daprd, or one that takes its flags.
    pub program: PathBuf,
    /// Dapr's scheduler, for jobs.
    pub scheduler: Option<PathBuf>,
    /// The app's id.
    pub app_id: String,
    /// The app's port on `127.0.0.1`; none is no app.
    pub app_port: Option<u16>,
    /// Folders of components, subscriptions and resiliency.
    pub resources: Vec<PathBuf>,
    /// Configuration files beside the one that names need.
    pub configurations: Vec<PathBuf>,
    /// More flags.
    pub arguments: Vec<String>,
    /// Variables of the process, such as `DAPR_API_TOKEN`. There are no others, but for `PATH` and `HOME`.
    pub environment: Vec<(String, String)>,
}

/// A running sidecar on free ports with a folder of its own, where relative paths of its components begin.
/// It ends with this value.
#[derive(Debug)]
pub struct Daprd {
    /// `None` between a stop and the next start.
    server: Option<Server>,
    _scheduler: Option<Server>,
    scheduler_port: u16,
    port: u16,
    options: DaprdOptions,
    folder: TempDir,
}

impl Daprd {
    /// Starts it, and the scheduler before it.
    ///
    /// # Errors
    /// When a program is not there or does not serve; its log is part of the error.
    pub async fn start(options: DaprdOptions) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("daprd-").tempdir().context("a folder for data")?;
        std::fs::write(folder.path().join("names.yaml"), CONFIGURATION).context("could not write a configuration")?;
        let scheduler_port = ports::free()?;
        let scheduler = match &options.scheduler {
            Some(program) => Some(scheduler(program, scheduler_port, folder.path()).await?),
            None => None,
        };
        let port = ports::free()?;
        let mut daprd = Self { server: None, _scheduler: scheduler, scheduler_port, port, options, folder };
        daprd.start_again().await?;
        Ok(daprd)
    }

    /// Starts the sidecar on the data that is there, and waits until its API answers; the app may still be awaited.
    ///
    /// # Errors
    /// As [`Daprd::start`].
    pub async fn start_again(&mut self) -> Result<()> {
        let mut command = Command::new(&self.options.program);
        command.args(self.arguments()?).current_dir(self.folder.path()).env_clear();
        command.envs(["PATH", "HOME"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command
            .env("DAPR_HOST_IP", "127.0.0.1")
            .envs(self.options.environment.iter().map(|(name, value)| (name, value)));
        let mut server = Server::spawn("the sidecar", &mut command, self.folder.path())?;
        let port = self.port;
        server.ready(async |_| status(port, "/v1.0/healthz/outbound").await == Some(204)).await?;
        self.server = Some(server);
        Ok(())
    }

    fn arguments(&self) -> Result<Vec<String>> {
        let options = &self.options;
        let local = "127.0.0.1".to_owned();
        let mut pairs = vec![
            ("app-id", options.app_id.clone()),
            ("dapr-http-port", self.port.to_string()),
            ("dapr-grpc-port", ports::free()?.to_string()),
            ("dapr-internal-grpc-port", ports::free()?.to_string()),
            ("metrics-port", ports::free()?.to_string()),
            ("dapr-internal-grpc-listen-address", local.clone()),
            ("dapr-listen-addresses", local.clone()),
            ("metrics-listen-address", local),
            ("config", self.folder.path().join("names.yaml").display().to_string()),
        ];
        pairs.extend(options.app_port.map(|port| ("app-port", port.to_string())));
        pairs.extend(options.resources.iter().map(|folder| ("resources-path", folder.display().to_string())));
        pairs.extend(options.configurations.iter().map(|file| ("config", file.display().to_string())));
        if options.scheduler.is_some() {
            pairs.push(("scheduler-host-address", format!("127.0.0.1:{}", self.scheduler_port)));
        }
        let pairs = pairs.into_iter().map(|(name, value)| format!("--{name}={value}"));
        Ok(pairs.chain(options.arguments.iter().cloned()).collect())
    }

    /// Lets the sidecar finish, waits until it has stopped, and tells how.
    ///
    /// # Errors
    /// When it does not run, or does not stop in time.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.server.take().context("the sidecar does not run")?.end(Signal::TERM).await
    }

    /// Tells the sidecar to stop, and does not wait for it.
    ///
    /// # Errors
    /// When it does not run.
    pub fn terminate(&self) -> Result<()> {
        self.server.as_ref().context("the sidecar does not run")?.signal(Signal::TERM)
    }

    /// Ends the sidecar at once, as a power cut would; the scheduler goes on.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// How the sidecar ended by itself, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.server.as_mut()?.ended()
    }

    /// Where its API is, as `http://host:port`.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where relative paths of its components begin.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The sidecar's process, while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.server.as_ref().map(Server::id)
    }

    /// What it logged since it was started.
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

/// Dapr's scheduler with an etcd of its own.
async fn scheduler(program: &Path, port: u16, folder: &Path) -> Result<Server> {
    let folder = folder.join("scheduler");
    std::fs::create_dir(&folder).context("could not make a folder for the scheduler")?;
    let health = ports::free()?;
    let mut command = Command::new(program);
    command.args(["--listen-address=127.0.0.1", "--healthz-listen-address=127.0.0.1", "--enable-metrics=false"]);
    command.args([format!("--port={port}"), format!("--override-broadcast-host-port=127.0.0.1:{port}")]);
    command.args([format!("--healthz-port={health}"), format!("--etcd-client-port={}", ports::free()?)]);
    command.arg("--etcd-client-listen-address=127.0.0.1");
    command.arg(format!("--etcd-initial-cluster=dapr-scheduler-server-0=http://127.0.0.1:{}", ports::free()?));
    command.arg(format!("--etcd-data-dir={}", folder.join("etcd").display()));
    let mut server = Server::spawn("Dapr's scheduler", &mut command, &folder)?;
    server.ready(async |_| status(health, "/healthz").await == Some(200)).await?;
    Ok(server)
}

/// The status of the answer to a `GET`; none when there is no answer.
async fn status(port: u16, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    String::from_utf8_lossy(&answer).split_whitespace().nth(1)?.parse().ok()
}
