//! The command line, spelled as `spin up` spells it where it has the same.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Serves a Spin application on this machine.
#[derive(Debug, Parser)]
#[command(name = "devhost", version)]
pub(crate) struct Arguments {
    /// The manifest, or the folder that has it.
    #[arg(short = 'f', long = "from", value_name = "SPIN_TOML", default_value = "spin.toml")]
    from: PathBuf,
    /// The address to serve; port 0 takes a free one.
    #[arg(long, env = "SPIN_HTTP_LISTEN_ADDR", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Serves only this component; may be repeated.
    #[arg(short = 'c', long = "component-id", value_name = "ID")]
    component_ids: Vec<String>,
    /// Sets an application variable; may be repeated.
    #[arg(long = "variable", value_name = "KEY=VALUE", value_parser = parse_variable)]
    variables: Vec<(String, String)>,
    /// Where compiled components are kept; by default below the user's cache folder.
    #[arg(long, value_name = "FOLDER")]
    cache_dir: Option<PathBuf>,
    /// Lets components call private addresses that only `*` in their `allowed_outbound_hosts` allows.
    #[arg(long, env = devhost::env::ALLOW_PRIVATE_NETWORKS)]
    allow_private_networks: bool,
    #[command(flatten)]
    limits: LimitArguments,
    /// Seconds that requests in flight get on SIGTERM and SIGINT.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    grace: u64,
}

impl Arguments {
    /// The time that requests in flight get.
    pub(crate) fn grace(&self) -> Duration {
        Duration::from_secs(self.grace)
    }

    /// The configuration that the flags amount to.
    pub(crate) fn into_config(self) -> devhost::Config {
        let mut config = devhost::Config::new(self.from, self.cache_dir.unwrap_or_else(default_cache_dir));
        config.listen = self.listen;
        config.component_ids = self.component_ids;
        config.variables = self.variables.into_iter().collect();
        config.allow_private_networks = self.allow_private_networks;
        self.limits.apply_to(&mut config.limits);
        config
    }
}

/// The bounds, each the default of [`devhost::Limits`] unless given; docs/limits.md says what happens at each.
#[derive(Debug, clap::Args)]
struct LimitArguments {
    /// Instances alive at once.
    #[arg(long, value_name = "NUMBER")]
    max_instances: Option<u32>,
    /// Requests that may wait for an instance.
    #[arg(long, value_name = "NUMBER")]
    max_waiting: Option<u32>,
    /// Connections open at once.
    #[arg(long, value_name = "NUMBER")]
    max_connections: Option<usize>,
    /// Linear memory of one instance, in MiB.
    #[arg(long, value_name = "MIB")]
    max_memory: Option<usize>,
    /// Longest request body, in MiB.
    #[arg(long, value_name = "MIB")]
    max_body: Option<u64>,
    /// Longest head of a request, in KiB.
    #[arg(long, value_name = "KIB")]
    max_head: Option<usize>,
    /// Seconds that one call may compute.
    #[arg(long, value_name = "SECONDS")]
    compute_time: Option<u64>,
    /// Seconds until a component must have answered.
    #[arg(long, value_name = "SECONDS")]
    response_time: Option<u64>,
    /// Seconds that a client may take for the head of a request, or stay idle.
    #[arg(long, value_name = "SECONDS")]
    head_time: Option<u64>,
    /// Seconds that a client may pause in a body that is waited for.
    #[arg(long, value_name = "SECONDS")]
    body_time: Option<u64>,
    /// Seconds that a client may take nothing of a response.
    #[arg(long, value_name = "SECONDS")]
    write_time: Option<u64>,
}

impl LimitArguments {
    fn apply_to(self, limits: &mut devhost::Limits) {
        fn set<T>(limit: &mut T, given: Option<T>) {
            if let Some(given) = given {
                *limit = given;
            }
        }
        let seconds = |given: Option<u64>| given.map(Duration::from_secs);
        set(&mut limits.max_instances, self.max_instances);
        set(&mut limits.max_waiting, self.max_waiting);
        set(&mut limits.max_connections, self.max_connections);
        set(&mut limits.memory_bytes, self.max_memory.map(|mebibytes| mebibytes.saturating_mul(1 << 20)));
        set(&mut limits.request_body_bytes, self.max_body.map(|mebibytes| mebibytes.saturating_mul(1 << 20)));
        set(&mut limits.header_bytes, self.max_head.map(|kibibytes| kibibytes.saturating_mul(1 << 10)));
        set(&mut limits.compute_time, seconds(self.compute_time));
        set(&mut limits.response_time, seconds(self.response_time));
        set(&mut limits.header_read_time, seconds(self.head_time));
        set(&mut limits.body_read_time, seconds(self.body_time));
        set(&mut limits.write_time, seconds(self.write_time));
    }
}

/// `$XDG_CACHE_HOME/devhost`, `~/.cache/devhost`, or a folder here if neither is known.
fn default_cache_dir() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("XDG_CACHE_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".cache")))
        .map_or_else(|| ".devhost".into(), |cache| cache.join("devhost"))
}

fn parse_variable(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| "expected KEY=VALUE".to_owned())
}
