//! Runs devhost and sidelet in one process, sidelet beside Spin, or either host beside a sidecar that runs already.

mod beside;
mod spin;

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use sidelet::AppAddress;
use tokio::net::TcpSocket;
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::beside::Beside;
use crate::keys::{self, Keys};
use crate::sidecar::{self, DATABASE};

/// The app that owns the state and receives the events.
const APP_ID: &str = "todo";
/// Longest body that the sidecar takes: an import of a full list is one transaction of some 12 MB.
const SIDECAR_BODY_BYTES: usize = 32 << 20;
/// How long requests and deliveries in flight may take when the service stops.
const GRACE: Duration = Duration::from_secs(10);

/// How to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The port of the API; 0 takes a free one.
    #[arg(long, default_value_t = 3000, env = "TODO_PORT")]
    port: u16,
    /// The port of the sidecar (the Dapr HTTP API); 0 takes a free one.
    #[arg(long, default_value_t = 3500)]
    dapr_port: u16,
    /// Where data, keys and compiled components are kept.
    #[arg(long, default_value = ".todo")]
    data: PathBuf,
    /// Where compiled components are kept; in the data folder unless given.
    #[arg(long)]
    cache: Option<PathBuf>,
    /// The application.
    #[arg(long, default_value = "spin.toml")]
    from: PathBuf,
    /// Folders of Dapr components and subscriptions; may be given more than once.
    #[arg(long, default_value = "dapr/local")]
    resources: Vec<PathBuf>,
    /// Where Prometheus may read the sidecar's metrics, on this machine alone; 0 takes a free port.
    #[arg(long, value_name = "PORT")]
    metrics_port: Option<u16>,
    /// Another app that subscribes to events, as `id=http://host:port`; may be given more than once.
    #[arg(long = "app", value_name = "ID=URL", value_parser = app)]
    apps: Vec<(String, AppAddress)>,
    /// Deletes all data of this folder first. Keys and compiled components stay.
    #[arg(long)]
    reset: bool,
    /// Lets components call private addresses that only `*` in their `allowed_outbound_hosts` allows, as for webhooks to
    /// this machine.
    #[arg(long, env = devhost::env::ALLOW_PRIVATE_NETWORKS, conflicts_with = "spin")]
    allow_private_networks: bool,
    /// A sidecar that runs already, such as daprd, as `http://host:port`: none is started, and components and
    /// subscriptions are its own business.
    #[arg(
        long,
        value_name = "URL",
        value_parser = sidecar_address,
        conflicts_with_all = ["dapr_port", "resources", "metrics_port", "apps", "reset"]
    )]
    sidecar: Option<String>,
    /// The token of the sidecar given with --sidecar; unless given, `daprApiToken` of the data folder's keys.json.
    #[arg(long, env = "DAPR_API_TOKEN", hide_env_values = true)]
    sidecar_token: Option<String>,
    /// The token that the sidecar given with --sidecar sends with events; unless given, `appApiToken` of keys.json.
    #[arg(long, env = "APP_API_TOKEN", hide_env_values = true)]
    app_token: Option<String>,
    /// Runs the components with `spin up`, where Spin is installed, instead of in this process.
    #[arg(long)]
    spin: bool,
}

/// Reads `id=http://host:port`.
fn app(text: &str) -> Result<(String, AppAddress), String> {
    let (id, address) = text.split_once('=').filter(|(id, _)| !id.is_empty()).ok_or("expected id=http://host:port")?;
    Ok((id.to_owned(), AppAddress::parse(address).map_err(|error| error.to_string())?))
}

/// Reads the address of a sidecar.
fn sidecar_address(text: &str) -> Result<String, String> {
    AppAddress::parse(text).map(|_| text.trim_end_matches('/').to_owned()).map_err(|error| error.to_string())
}

/// Runs until it is told to stop.
pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    let begin = Instant::now();
    // Before anything starts: whoever reads that the service is up may stop it at once.
    let mut stop = StopSignal::listen()?;
    devhost::raise_open_files();
    // Tasks are nobody else's business.
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&options.data)
        .with_context(|| format!("could not make the data folder `{}`", options.data.display()))?;
    let data = options.data.canonicalize().context("could not resolve the data folder")?;
    let mut keys = Keys::load_or_make(&data)?;
    if options.sidecar.is_some() {
        keys = keys.with_tokens(options.sidecar_token.clone(), options.app_token.clone());
    }
    let socket = reserve(options.port, "--port")?;
    let address = socket.local_addr().context("a bound socket has an address")?;

    let sidecar = match &options.sidecar {
        Some(address) => Beside::Given(address.clone()),
        None => {
            let config = sidecar_config(&options, &data, &keys, address.port())?;
            let sidecar = sidelet::start(config).await.context("could not start the sidecar")?;
            Beside::Own(Box::new(sidecar))
        }
    };
    sidecar::announce(&data, &sidecar.address())?;
    let mut variables: BTreeMap<String, String> = [
        ("dapr_url", sidecar.address()),
        ("dapr_api_token", keys.dapr_api_token.clone()),
        ("app_api_token", keys.app_api_token.clone()),
        ("signing_key", keys.signing_key.clone()),
        ("app_id", APP_ID.to_owned()),
        ("vapid_private_key", keys.vapid_private_key.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    variables.extend(sidecar.variables());

    if options.spin {
        // Spin opens the port itself.
        drop(socket);
        let mut spin = spin::start(&options.from, address, &variables)?;
        announce(address, &sidecar, &data, begin);
        let code = tokio::select! {
            code = spin.wait() => Some(code?),
            () = stop.received() => None,
            () = sidecar.asked_to_stop() => None,
        };
        let code = match code {
            Some(code) => code,
            None => {
                sidecar.end_streams();
                spin.stop(GRACE).await?
            }
        };
        sidecar.shutdown(GRACE).await;
        return Ok(code);
    }

    let mut config = devhost::Config::new(&options.from, options.cache.unwrap_or_else(|| data.join("cache")));
    config.variables = variables;
    config.allow_private_networks = options.allow_private_networks;
    let host = match devhost::start_on(socket, config).await {
        Ok(host) => host,
        Err(error) => {
            sidecar.shutdown(GRACE).await;
            return Err(anyhow::Error::new(error).context("could not start the application"));
        }
    };
    announce(host.local_addr(), &sidecar, &data, begin);
    tokio::select! {
        () = stop.received() => {}
        () = sidecar.asked_to_stop() => {}
    }
    eprintln!("stopping: requests and deliveries in flight are finished first");
    // What components read from them ends with them.
    sidecar.end_streams();
    // First, so that what a handler answers is still heard.
    sidecar.stop_deliveries(GRACE).await;
    host.shutdown(GRACE).await;
    sidecar.shutdown(GRACE).await;
    Ok(ExitCode::SUCCESS)
}

fn sidecar_config(options: &Options, data: &Path, keys: &Keys, app_port: u16) -> Result<sidelet::Config> {
    if options.reset {
        reset(data)?;
    }
    if options.dapr_port != 0 {
        drop(reserve(options.dapr_port, "--dapr-port")?);
    }
    let app = AppAddress::parse(&format!("http://127.0.0.1:{app_port}")).context("the app's address")?;
    Ok(sidelet::Config {
        apps: options.apps.iter().cloned().chain([(APP_ID.to_owned(), app)]).collect(),
        listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, options.dapr_port))],
        resources: options.resources.clone(),
        data_directory: data.to_owned(),
        api_token: Some(keys.dapr_api_token.clone()),
        app_token: Some(keys.app_api_token.clone()),
        max_body_size: SIDECAR_BODY_BYTES,
        metrics: options.metrics_port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        graceful_shutdown: GRACE,
        ..sidelet::Config::new(APP_ID)
    })
}

/// Deletes the database. Nothing else in the folder is touched, and nothing at all while another process uses it.
fn reset(data: &Path) -> Result<()> {
    if sidecar::is_in_use(data) {
        bail!("the data in `{}` is in use by another process: stop it before --reset", data.display())
    }
    for suffix in ["", "-wal", "-shm"] {
        let path = data.join(format!("{DATABASE}{suffix}"));
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("could not delete `{}`", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Takes a port, or a free one for 0, without listening on it. One that is taken is refused before anything starts.
fn reserve(port: u16, option: &str) -> Result<TcpSocket> {
    let socket = TcpSocket::new_v4().context("could not make a socket")?;
    // A port of one's own choice may still have connections that end; a free one is to be nobody else's.
    socket.set_reuseaddr(port != 0).context("could not set up a socket")?;
    match socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))) {
        Ok(()) => Ok(socket),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            bail!("port {port} is taken: stop what uses it, or choose another with {option}")
        }
        Err(error) => Err(error).with_context(|| format!("could not open port {port}")),
    }
}

fn announce(address: SocketAddr, sidecar: &Beside, data: &Path, begin: Instant) {
    println!("todo is up after {:.1} s", begin.elapsed().as_secs_f32());
    println!("  API      http://{address}");
    let token = match sidecar {
        Beside::Own(_) => format!("its token is in {}", keys::path(data).display()),
        Beside::Given(_) => "it runs by itself".to_owned(),
    };
    println!("  sidecar  {} (Dapr's HTTP API; {token})", sidecar.address());
    if let Some(metrics) = sidecar.metrics() {
        println!("  metrics  http://{metrics}/metrics");
    }
    println!("  data     {}", data.display());
    println!("Try it:");
    let (email, password) = (crate::load::EXAMPLE_EMAIL, crate::load::EXAMPLE_PASSWORD);
    println!(
        "  curl -i http://{address}/api/auth/sign-up -H 'content-type: application/json' -d '{{\"email\":\"{email}\",\"name\":\"Ada\",\"password\":\"{password}\"}}'"
    );
    println!("Ctrl-C stops it.");
}

/// Notices that the process is told to stop, from its making on.
struct StopSignal {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignal {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).context("could not listen for signals");
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Ends when the process is, or was, told to stop.
    async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
