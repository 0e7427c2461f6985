//! What a sidecar is started with.

mod arguments;

use std::{
    collections::BTreeMap,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use http::{Uri, uri::Authority};

pub use arguments::CommandLine;
pub(crate) use arguments::size;

/// Everything that [`start`](crate::start) needs to know.
///
/// Beginning from [`Config::new`] keeps a caller compiling when a field is added.
#[derive(Debug, Clone)]
pub struct Config {
    /// The app that owns the keys in the state stores and is the source of published events.
    pub app_id: String,
    /// Where events are delivered, by app id. Empty: the API is served and nothing is delivered.
    pub apps: BTreeMap<String, AppAddress>,
    /// Addresses of the API. Port 0 takes any free port. Default: `127.0.0.1:3500`.
    pub listen: Vec<SocketAddr>,
    /// Files or folders of YAML resources, read in this order; a folder's files are sorted by name.
    pub resources: Vec<PathBuf>,
    /// YAML files with one configuration between them. Default: none, which allows everything.
    pub configuration: Vec<PathBuf>,
    /// Whether calls of the API are logged. Default: what the configuration says.
    pub api_log: Option<bool>,
    /// Where Prometheus may read metrics. Port 0 takes any free port. Default: nowhere.
    pub metrics: Option<SocketAddr>,
    /// Where KEDA may ask what there is to do for an app, over gRPC. Port 0 takes any free port. Default: nowhere.
    pub scaler: Vec<SocketAddr>,
    /// Relative paths in connection strings start here; made when absent. Default: the working directory.
    pub data_directory: PathBuf,
    /// Secret that every call of the API must bring as `dapr-api-token`. `None` or empty: no token is asked for.
    pub api_token: Option<String>,
    /// Secret sent as `dapr-api-token` with every call into an app. `None` or empty: none is sent.
    pub app_token: Option<String>,
    /// Longest request body in bytes. Default: 4 MiB, as daprd's.
    pub max_body_size: usize,
    /// How long a request body may take to arrive. Default: 60 s, for the longest over a slow line.
    pub body_timeout: Duration,
    /// How long a stream of a topic is silent before a comment is sent to its reader. Default: 15 s.
    pub stream_heartbeat: Duration,
    /// An app of `apps` whose port must have accepted once before `/v1.0/healthz` says 204. Default: none.
    pub awaited_app: Option<String>,
    /// Waits while another process has a database, and takes over when that one ends; until then health is not ready.
    /// Default: `false`, which refuses to start. The command waits.
    pub waits_for_database: bool,
    /// Removes no message for its age, as when the groups that may still need it do not run here. Default: `false`.
    pub keeps_old_messages: bool,
    /// How long the command waits for deliveries in flight when it is told to stop. Default: 5 s, as daprd's.
    pub graceful_shutdown: Duration,
}

impl Config {
    /// A configuration for the app `app_id` with defaults for the rest.
    pub fn new(app_id: impl Into<String>) -> Self {
        Self {
            app_id: app_id.into(),
            apps: BTreeMap::new(),
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 3500))],
            resources: Vec::new(),
            configuration: Vec::new(),
            api_log: None,
            metrics: None,
            scaler: Vec::new(),
            data_directory: PathBuf::from("."),
            api_token: None,
            app_token: None,
            max_body_size: 4 << 20,
            body_timeout: Duration::from_secs(60),
            stream_heartbeat: Duration::from_secs(15),
            awaited_app: None,
            waits_for_database: false,
            keeps_old_messages: false,
            graceful_shutdown: Duration::from_secs(5),
        }
    }
}

/// Where an app listens: `http://host:port`, with an optional path before every route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppAddress {
    authority: Authority,
    base_path: String,
}

/// An app's address is not of the form `http://host:port`.
#[derive(Debug, thiserror::Error)]
#[error("the app address `{value}` is not of the form `http://host:port`")]
pub struct InvalidAddress {
    value: String,
}

impl AppAddress {
    /// Reads `http://host[:port][/path]`.
    ///
    /// # Errors
    /// When `text` is another scheme, has no host, or has a query.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let refused = || InvalidAddress { value: text.to_owned() };
        let uri: Uri = text.parse().map_err(|_| refused())?;
        if uri.scheme_str() != Some("http") || uri.query().is_some() {
            return Err(refused());
        }
        let authority = uri.authority().cloned().ok_or_else(refused)?;
        Ok(Self { authority, base_path: uri.path().trim_end_matches('/').to_owned() })
    }

    /// Host and port.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The whole address of `route`, which may lack the slash in front.
    pub(crate) fn url(&self, route: &str) -> String {
        format!("{self}/{}", route.trim_start_matches('/'))
    }
}

impl fmt::Display for AppAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}{}", self.authority, self.base_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_with_or_without_slash_is_joined_to_the_address() {
        let address = AppAddress::parse("http://127.0.0.1:3000/").unwrap();
        assert_eq!(address.url("/events/x"), "http://127.0.0.1:3000/events/x");
        assert_eq!(AppAddress::parse("http://app/base").unwrap().url("x"), "http://app/base/x");
    }

    #[test]
    fn other_schemes_and_bare_hosts_are_refused() {
        for text in ["https://a:1", "a:1", "127.0.0.1", "http://", "", "http://a?b"] {
            assert!(AppAddress::parse(text).is_err(), "{text}");
        }
    }
}
