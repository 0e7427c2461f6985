//! What a start needs to know, and the bounds that hold while it runs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Says which application to run, where and within which bounds.
#[derive(Clone, Debug)]
pub struct Config {
    /// The manifest: a `spin.toml`, or the folder that has one.
    pub manifest: PathBuf,
    /// The address to serve; port 0 takes a free one, which [`crate::Running::local_addr`] names.
    pub listen: SocketAddr,
    /// Values of application variables that win over the environment, `.env` and defaults.
    pub variables: BTreeMap<String, String>,
    /// Where compiled components and copied files are kept; made with mode 0700 if absent.
    pub cache_dir: PathBuf,
    /// Serves only the components named here; empty serves all.
    pub component_ids: Vec<String>,
    /// Lets components call hosts on this machine and in its networks too that only an entry for every host allows, such
    /// as `https://*:443`. Hosts that an entry names, by name, domain or address, are called wherever they are.
    pub allow_private_networks: bool,
    /// The bounds.
    pub limits: Limits,
}

impl Config {
    /// Describes the application in `manifest` on `127.0.0.1:3000` with the default bounds.
    pub fn new(manifest: impl Into<PathBuf>, cache_dir: impl Into<PathBuf>) -> Self {
        Self {
            manifest: manifest.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            variables: BTreeMap::new(),
            cache_dir: cache_dir.into(),
            component_ids: Vec::new(),
            allow_private_networks: false,
            limits: Limits::default(),
        }
    }
}

/// Bounds on what the host and each of its guests may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Instances alive at once, over all components. Default 2,000, twice Spin's.
    ///
    /// An open stream holds its instance until it ends: there may be 1,000 of them, and as much room for all else.
    pub max_instances: u32,
    /// Requests that may wait for an instance; a further one is answered 503. Default 256.
    pub max_waiting: u32,
    /// How long a request may wait for an instance before it is answered 503. Default 500 ms.
    pub max_wait: Duration,
    /// Linear memory of one instance in bytes, rounded down to pages of 64 KiB. Default 128 MiB.
    pub memory_bytes: usize,
    /// How long one call may compute; waiting is free. Default 10 s.
    ///
    /// A call earns a twentieth of the time that it has been alive on top, so that a stream which
    /// is open for days does not run out. A call that exceeds it is stopped: 504.
    pub compute_time: Duration,
    /// How long a guest may take until it has set its response; then 504. Default 60 s.
    ///
    /// It also bounds what a guest does after its response has ended.
    pub response_time: Duration,
    /// Size of a request body in bytes; a longer one is 413 or ends the guest's reading with
    /// `HTTP-request-body-size`. Default 64 MiB.
    pub request_body_bytes: u64,
    /// Size of the request line and headers in bytes; more is 431. Default 64 KiB.
    pub header_bytes: usize,
    /// Open connections, as far as the limit on open files allows; for a further one the longest open is asked to end,
    /// which it does at once if it is idle, else after its answer. Default 16,384.
    pub max_connections: usize,
    /// How long a connection may take to send a request's head, or stay idle. Default 65 s.
    ///
    /// Proxies in front close idle connections after 60 s; closing first would race them.
    pub header_read_time: Duration,
    /// How long a client may send nothing of a body that its component waits for; then 408, or an error of the body once
    /// the response has begun. Default 30 s.
    pub body_read_time: Duration,
    /// How long a client may take no byte of a response, or a client's machine not answer at all, before its connection is
    /// cut. Default 60 s.
    pub write_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_instances: 2_000,
            max_waiting: 256,
            max_wait: Duration::from_millis(500),
            memory_bytes: 128 << 20,
            compute_time: Duration::from_secs(10),
            response_time: Duration::from_secs(60),
            request_body_bytes: 64 << 20,
            header_bytes: 64 << 10,
            max_connections: 16_384,
            header_read_time: Duration::from_secs(65),
            body_read_time: Duration::from_secs(30),
            write_time: Duration::from_secs(60),
        }
    }
}
