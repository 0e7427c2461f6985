//! daprd's command line.

mod flags;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use super::{AppAddress, Config};
use crate::{env, error::StartError};

use flags::{Flag, Flags};

/// What a command line says.
#[derive(Debug, Clone)]
pub struct CommandLine {
    /// How to serve.
    pub config: Config,
    /// `debug`, `info`, `warn` or `error`. Default: `info`.
    pub log_level: String,
    /// One JSON object for each line of the log.
    pub log_as_json: bool,
    /// Flags of daprd's that were given and have no effect.
    pub without_effect: Vec<String>,
}

impl Config {
    /// Reads daprd's flags, without the name of the program in front, and the environment (see [`crate::env`]).
    ///
    /// # Errors
    /// [`StartError::Arguments`] names the flag, its value and the accepted form.
    pub fn from_args<T: Into<String>>(arguments: impl IntoIterator<Item = T>) -> Result<Self, StartError> {
        CommandLine::parse(arguments, |name| std::env::var(name).ok()).map(|line| line.config)
    }
}

impl CommandLine {
    /// Reads flags, and variables from `environment`.
    ///
    /// # Errors
    /// As [`Config::from_args`].
    pub fn parse<T: Into<String>>(
        arguments: impl IntoIterator<Item = T>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, StartError> {
        let mut flags = Flags::read(arguments.into_iter().map(Into::into))?;
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let mut config = Config::new(flags.last("app-id").unwrap_or_else(|| "sidelet".into()));
        config.waits_for_database = true;
        config.api_token = variable(env::API_TOKEN);
        config.app_token = variable(env::APP_TOKEN);
        config.listen = listen(&mut flags, variable(env::HTTP_PORT))?;
        let scaler =
            flags.parse("scaler-port", "a port from 1 to 65535, or 0 for none", |text| text.parse::<u16>().ok())?;
        if let Some(port) = scaler.filter(|port| *port > 0) {
            config.scaler = config.listen.iter().map(|address| SocketAddr::new(address.ip(), port)).collect();
        }
        config.resources = flags.all("resources-path").into_iter().map(PathBuf::from).collect();
        config.resources.extend(flags.all("components-path").into_iter().map(PathBuf::from));
        config.configuration =
            flags.all("config").into_iter().filter(|path| !path.is_empty()).map(PathBuf::from).collect();
        if let Some(folder) = flags.last("data-directory") {
            config.data_directory = folder.into();
        }
        apps(&mut flags, &mut config)?;
        if let Some(size) = flags.parse("dapr-http-max-request-size", "a number of megabytes", whole)? {
            config.max_body_size = size << 20;
        }
        if let Some(size) = flags.parse("max-body-size", "a size such as `4Mi` or `500k`", size)? {
            config.max_body_size = size;
        }
        let seconds = "a number of seconds";
        if let Some(grace) = flags.parse("dapr-graceful-shutdown-seconds", seconds, |text| text.parse().ok())? {
            config.graceful_shutdown = Duration::from_secs(grace);
        }
        let level = flags.parse("log-level", "`debug`, `info`, `warn`, `error` or `fatal`", |text| {
            let level = text.to_ascii_lowercase();
            matches!(level.as_str(), "debug" | "info" | "warn" | "error" | "fatal")
                .then(|| level.replace("fatal", "error"))
        })?;
        let (truth, read) = ("`true` or `false`", |text: &str| text.parse().ok());
        config.api_log = flags.parse("enable-api-logging", truth, read)?;
        config.metrics = metrics(&mut flags)?;
        let log_as_json = flags.parse("log-as-json", truth, read)?;
        let without_effect = flags.without_effect();
        Ok(Self {
            config,
            log_level: level.unwrap_or_else(|| "info".into()),
            log_as_json: log_as_json.unwrap_or(false),
            without_effect,
        })
    }
}

fn listen(flags: &mut Flags, variable: Option<String>) -> Result<Vec<SocketAddr>, StartError> {
    let form = "a port from 0 to 65535";
    let port = match flags.parse("dapr-http-port", form, |text| text.parse::<u16>().ok())? {
        Some(port) => port,
        None => match variable {
            Some(text) => text.parse().map_err(|_| Flag::refuse(env::HTTP_PORT, &text, form))?,
            None => 3500,
        },
    };
    let form = "addresses such as `127.0.0.1,[::1]`";
    let addresses: Option<Vec<IpAddr>> = flags.parse("dapr-listen-addresses", form, |text| {
        let address = |part: &str| part.trim().trim_start_matches('[').trim_end_matches(']').parse().ok();
        text.split(',').map(address).collect()
    })?;
    let addresses = addresses.unwrap_or_else(|| vec![Ipv4Addr::LOCALHOST.into()]);
    Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
}

/// daprd's port, on this machine alone unless told otherwise.
fn metrics(flags: &mut Flags) -> Result<Option<SocketAddr>, StartError> {
    let enabled = flags.parse("enable-metrics", "`true` or `false`", |text| text.parse().ok())?.unwrap_or(true);
    let port = flags.parse("metrics-port", "a port from 0 to 65535", |text| text.parse().ok())?.unwrap_or(9090);
    let address: Option<IpAddr> =
        flags.parse("metrics-listen-address", "an address such as `127.0.0.1`", |text| text.parse().ok())?;
    Ok(enabled.then(|| SocketAddr::new(address.unwrap_or(Ipv4Addr::LOCALHOST.into()), port)))
}

/// `--app id=address`, and daprd's one app, whose port health waits for.
fn apps(flags: &mut Flags, config: &mut Config) -> Result<(), StartError> {
    for text in flags.all("app") {
        let form = "`id=http://host:port`";
        let (id, address) = text.split_once('=').ok_or_else(|| Flag::refuse("--app", &text, form))?;
        let address = AppAddress::parse(address).map_err(|_| Flag::refuse("--app", &text, form))?;
        if id.is_empty() || config.apps.insert(id.to_owned(), address).is_some() {
            return Err(Flag::refuse("--app", &text, "an app id that is not empty, once"));
        }
    }
    let protocol = flags.last("app-protocol").unwrap_or_else(|| "http".into());
    if protocol != "http" {
        return Err(Flag::refuse("--app-protocol", &protocol, "`http`, since apps are called over HTTP only"));
    }
    let port = flags.parse("app-port", "a port from 1 to 65535", |text| text.parse::<u16>().ok())?;
    let host = flags.last("app-channel-address").unwrap_or_else(|| "127.0.0.1".into());
    // daprd's default is 0: no app.
    if let Some(port) = port.filter(|port| *port > 0) {
        let address = AppAddress::parse(&format!("http://{host}:{port}"))
            .map_err(|_| Flag::refuse("--app-channel-address", &host, "a host name or address"))?;
        config.apps.insert(config.app_id.clone(), address);
        config.awaited_app = Some(config.app_id.clone());
    }
    Ok(())
}

fn whole(text: &str) -> Option<usize> {
    text.parse().ok().filter(|megabytes| (1..=1024).contains(megabytes))
}

/// A quantity as Kubernetes writes it, up to 1 GiB.
pub(crate) fn size(text: &str) -> Option<usize> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let unit: usize = match &text[digits..] {
        "" => 1,
        "k" => 1000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return None,
    };
    text[..digits].parse::<usize>().ok()?.checked_mul(unit).filter(|size| (1..=1 << 30).contains(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<CommandLine, StartError> {
        CommandLine::parse(arguments.iter().copied(), |_| None)
    }

    #[test]
    fn daprds_flags_are_read() {
        let line = parse(&[
            "--app-id",
            "tasks",
            "--app-port=3000",
            "--dapr-http-port",
            "3501",
            "--resources-path",
            "a",
            "--resources-path",
            "b",
            "--max-body-size",
            "8Mi",
            "--dapr-graceful-shutdown-seconds",
            "2",
            "--log-level",
            "DEBUG",
            "--enable-metrics=false",
            "--enable-api-logging",
            "--config=c.yaml",
            "--app",
            "other=http://h:1",
            "--enable-mtls",
            "--dapr-listen-addresses",
            "[::1],127.0.0.1",
        ])
        .unwrap();
        let config = line.config;
        assert_eq!((config.app_id.as_str(), config.max_body_size), ("tasks", 8 << 20));
        assert_eq!(config.apps["tasks"].to_string(), "http://127.0.0.1:3000");
        assert_eq!(config.apps["other"].to_string(), "http://h:1");
        assert_eq!(config.awaited_app.as_deref(), Some("tasks"));
        assert_eq!(config.listen, ["[::1]:3501".parse().unwrap(), "127.0.0.1:3501".parse().unwrap()]);
        assert_eq!(config.resources, [PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!(config.graceful_shutdown, Duration::from_secs(2));
        assert_eq!(line.log_level, "debug");
        assert_eq!((config.metrics, config.api_log), (None, Some(true)));
        assert_eq!(config.configuration, [PathBuf::from("c.yaml")]);
        assert_eq!(line.without_effect, ["--enable-mtls"]);
        assert_eq!(config.scaler, []);
        let scaler = parse(&["--scaler-port", "6000", "--dapr-listen-addresses", "0.0.0.0"]).unwrap().config.scaler;
        assert_eq!(scaler, ["0.0.0.0:6000".parse().unwrap()]);
        let metrics = parse(&["--metrics-port", "9"]).unwrap().config.metrics;
        assert_eq!(metrics, Some("127.0.0.1:9".parse().unwrap()));
    }

    #[test]
    fn what_is_wrong_is_named_with_the_accepted_form() {
        for (arguments, expected) in [
            (&["--nonsense"][..], "--nonsense"),
            (&["positional"], "positional"),
            (&["--app-port", "many"], "`--app-port` is `many`; expected a port"),
            (&["--app", "x"], "`id=http://host:port`"),
            (&["--app", "x=https://h"], "`id=http://host:port`"),
            (&["--app-protocol", "grpc"], "expected `http`"),
            (&["--max-body-size", "4MB"], "`4Mi`"),
            (&["--log-level", "loud"], "`debug`"),
            (&["--resources-path"], "`--resources-path` has no value"),
        ] {
            let error = parse(arguments).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
    }

    #[test]
    fn the_environment_gives_tokens_and_a_port() {
        let variables = |name: &str| match name {
            env::API_TOKEN => Some("a".to_owned()),
            env::APP_TOKEN => Some(String::new()),
            env::HTTP_PORT => Some("4000".into()),
            _ => None,
        };
        let config = CommandLine::parse([""; 0], variables).unwrap().config;
        assert_eq!((config.api_token.as_deref(), config.app_token), (Some("a"), None));
        assert_eq!(config.listen, ["127.0.0.1:4000".parse().unwrap()]);
    }
}
