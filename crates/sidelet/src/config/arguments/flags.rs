//! Flags by name: served, daprd's without effect here, or unknown.

use crate::error::StartError;

/// Flags that mean something here.
const SERVED: [&str; 21] = [
    "app",
    "app-channel-address",
    "app-id",
    "app-port",
    "app-protocol",
    "components-path",
    "config",
    "dapr-graceful-shutdown-seconds",
    "dapr-http-max-request-size",
    "dapr-http-port",
    "dapr-listen-addresses",
    "data-directory",
    "enable-api-logging",
    "enable-metrics",
    "log-as-json",
    "log-level",
    "max-body-size",
    "metrics-listen-address",
    "metrics-port",
    "resources-path",
    "scaler-port",
];

/// Those of them that are true when no value is given with them.
const SWITCHES: [&str; 3] = ["enable-api-logging", "enable-metrics", "log-as-json"];

/// daprd's flags that are accepted, so that its command lines work, and that change nothing.
const WITHOUT_EFFECT: [&str; 28] = [
    "actors-service",
    "allowed-origins",
    "app-health-check-path",
    "app-health-probe-interval",
    "app-health-probe-timeout",
    "app-health-threshold",
    "app-max-concurrency",
    "control-plane-address",
    "control-plane-namespace",
    "control-plane-trust-domain",
    "dapr-block-shutdown-duration",
    "dapr-grpc-port",
    "dapr-http-read-buffer-size",
    "dapr-internal-grpc-listen-address",
    "dapr-internal-grpc-port",
    "dapr-public-listen-address",
    "dapr-public-port",
    "kubeconfig",
    "mode",
    "placement-host-address",
    "profile-port",
    "read-buffer-size",
    "reminders-service",
    "scheduler-host-address",
    "scheduler-job-streams",
    "sentry-address",
    "sentry-request-jwt-audiences",
    "unix-domain-socket",
];

/// As [`WITHOUT_EFFECT`], without a value behind them.
const SWITCHES_WITHOUT_EFFECT: [&str; 6] = [
    "app-ssl",
    "disable-builtin-k8s-secret-store",
    "disable-init-endpoints",
    "enable-app-health-check",
    "enable-mtls",
    "enable-profiling",
];

/// A flag as it was given.
#[derive(Debug)]
pub(super) struct Flag {
    name: String,
    value: String,
}

impl Flag {
    /// An error about one flag or variable.
    pub(super) fn refuse(name: &str, value: &str, form: &str) -> StartError {
        StartError::Arguments { message: format!("`{name}` is `{value}`; expected {form}") }
    }
}

/// The flags of one command line.
#[derive(Debug, Default)]
pub(super) struct Flags {
    given: Vec<Flag>,
    without_effect: Vec<String>,
}

impl Flags {
    /// Takes `--name value` and `--name=value` apart.
    pub(super) fn read(arguments: impl Iterator<Item = String>) -> Result<Self, StartError> {
        let mut flags = Self::default();
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let refuse = |reason: &str| StartError::Arguments { message: format!("`{argument}` {reason}") };
            let text = argument.strip_prefix("--").ok_or_else(|| refuse("is not a flag; expected `--name value`"))?;
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (text, None),
            };
            if SWITCHES_WITHOUT_EFFECT.contains(&name) {
                flags.without_effect.push(format!("--{name}"));
                continue;
            }
            let switch = SWITCHES.contains(&name);
            let served = SERVED.contains(&name);
            if !served && !WITHOUT_EFFECT.contains(&name) {
                return Err(refuse("is not a flag of daprd's or of ours; see --help"));
            }
            let value = match value {
                Some(value) => value,
                None if switch => "true".into(),
                None => arguments.next().ok_or_else(|| refuse("has no value; expected `--name value`"))?,
            };
            if served {
                flags.given.push(Flag { name: name.to_owned(), value });
            } else {
                flags.without_effect.push(format!("--{name}"));
            }
        }
        Ok(flags)
    }

    /// Takes every value of a flag that may be repeated.
    pub(super) fn all(&mut self, name: &str) -> Vec<String> {
        self.given.extract_if(.., |flag| flag.name == name).map(|flag| flag.value).collect()
    }

    /// Takes a flag's value. Given twice, the last counts, as in daprd.
    pub(super) fn last(&mut self, name: &str) -> Option<String> {
        self.all(name).pop().filter(|value| !value.is_empty())
    }

    /// Takes a value of a certain form.
    pub(super) fn parse<T>(
        &mut self,
        name: &str,
        form: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StartError> {
        let Some(value) = self.last(name) else { return Ok(None) };
        match read(&value) {
            Some(read) => Ok(Some(read)),
            None => Err(Flag::refuse(&format!("--{name}"), &value, form)),
        }
    }

    /// Flags of daprd's that were given in vain.
    pub(super) fn without_effect(self) -> Vec<String> {
        self.without_effect
    }
}
