//! Components: which types are served, and what their metadata means.

use std::{path::Path, sync::Arc, time::Duration};

use serde::Deserialize;

use super::{
    CronSettings, SecretStores, binding,
    document::{Document, Location},
    metadata::{Entry, Metadata, duration, place},
    state::{self, Keeper, StateSettings},
};
#[cfg(feature = "kafka")]
use crate::kafka;
use crate::{
    bindings::Output,
    config::Config,
    error::StartError,
    resiliency::Kind,
    secrets::{FileForm, Kubernetes, SecretStore},
    sqlite::Place,
};

/// One component.
#[derive(Debug)]
pub(crate) struct Component {
    /// How the API names it.
    pub(crate) name: String,
    /// Its type, such as `state.sqlite`.
    pub(crate) kind: String,
    /// Its version, as written: `v1`.
    pub(crate) version: String,
    /// The document.
    pub(crate) location: Location,
    /// What its metadata says.
    pub(crate) settings: Settings,
}

/// What a component is.
#[derive(Debug)]
pub(crate) enum Settings {
    /// A state store.
    State(StateSettings),
    /// Pub/sub over a log.
    Log(LogSettings),
    /// Pub/sub over Kafka.
    #[cfg(feature = "kafka")]
    Kafka(Box<kafka::Settings>),
    /// A secret store.
    Secrets(SecretSettings),
    /// An input binding that is due by a schedule.
    Cron(Arc<CronSettings>),
    /// An output binding.
    Output(Box<Output>),
}

impl Settings {
    /// By which the default policies of what it is asked to do are named. None: it is asked nothing.
    pub(crate) fn kind(&self) -> Option<Kind> {
        Some(match self {
            Self::State(_) => Kind::State,
            Self::Log(_) => Kind::PubSub,
            #[cfg(feature = "kafka")]
            Self::Kafka(_) => Kind::PubSub,
            Self::Secrets(_) => Kind::Secrets,
            Self::Output(_) => Kind::Binding,
            Self::Cron(_) => return None,
        })
    }

    /// Whether it has topics.
    pub(crate) fn is_pubsub(&self) -> bool {
        self.kind() == Some(Kind::PubSub)
    }

    /// The SQLite database in which the component keeps what it is given. None: it keeps nothing, or elsewhere.
    pub(crate) fn place(&self) -> Option<&Place> {
        match self {
            Self::State(StateSettings { keeper: Keeper::Sqlite { place, .. }, .. }) => Some(place),
            Self::Log(log) => Some(&log.place),
            _ => None,
        }
    }
}

/// A secret store.
#[derive(Debug)]
pub(crate) struct SecretSettings {
    /// Whether one secret may have several values.
    pub(crate) multi_valued: bool,
    /// What it holds.
    pub(crate) store: Arc<SecretStore>,
}

/// Pub/sub over a log.
#[derive(Debug)]
pub(crate) struct LogSettings {
    /// Where it keeps its messages.
    pub(crate) place: Place,
    /// How many partitions a new topic gets.
    pub(crate) partitions: u32,
    /// How long messages are kept once all groups have them.
    pub(crate) retention: Duration,
}

/// As many as Kafka topics of this size usually have; enough for three consumers later.
const PARTITIONS: u32 = 3;
/// More would cost a read each at every start and bring nothing to one process.
const PARTITIONS_MAX: u32 = 64;
/// As Kafka's default.
const RETENTION: Duration = Duration::from_secs(7 * 86_400);

/// Where Kubernetes puts a pod's token, its authority and its namespace.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

const TYPES: &str = "one of `state.sqlite`, `state.postgresql`, `state.in-memory`, `pubsub.sqlite`, `pubsub.in-memory`, `pubsub.kafka`, \
                     `secretstores.local.env`, `secretstores.local.file`, `secretstores.kubernetes`, `bindings.cron`, `bindings.http`, `bindings.smtp`";

/// The feature without which a build does not serve a type.
fn feature(kind: &str) -> Option<&'static str> {
    match kind {
        "state.postgresql" | "state.postgres" => Some("postgres"),
        "pubsub.kafka" => Some("kafka"),
        _ => None,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default = "first_version")]
    version: String,
    #[serde(default)]
    metadata: Option<Vec<Entry>>,
    #[serde(default)]
    ignore_errors: Option<bool>,
    #[serde(default)]
    init_timeout: Option<String>,
}

fn first_version() -> String {
    "v1".into()
}

impl Component {
    pub(super) fn read(mut document: Document, config: &Config, stores: &SecretStores) -> Result<Self, StartError> {
        if document.api_version != "dapr.io/v1alpha1" {
            return Err(document.location.refuse(format!(
                "component `{}`: `apiVersion` is `{}`; expected `dapr.io/v1alpha1`",
                document.name, document.api_version
            )));
        }
        let spec: Spec = document.spec()?;
        let refuse = |key: &str, value: &str, form: &str| {
            document
                .location
                .refuse(format!("component `{}`: `spec.{key}` is `{value}`; expected {form}", document.name))
        };
        let two_versions = matches!(spec.kind.as_str(), "state.postgresql" | "state.postgres");
        if spec.version != "v1" && !(two_versions && spec.version == "v2") {
            return Err(refuse("version", &spec.version, if two_versions { "`v1` or `v2`" } else { "`v1`" }));
        }
        if spec.ignore_errors.is_some() || spec.init_timeout.is_some() {
            tracing::info!(component = %document.name, "`ignoreErrors` and `initTimeout` have no effect here");
        }
        let metadata = Metadata::new(&document, spec.metadata.unwrap_or_default(), stores)?;
        let settings = match spec.kind.as_str() {
            "state.sqlite" => Settings::State(state::sqlite(metadata, config)?),
            "state.in-memory" => Settings::State(state::memory(metadata)?),
            #[cfg(feature = "postgres")]
            "state.postgresql" | "state.postgres" => Settings::State(state::postgres(metadata)?),
            "pubsub.sqlite" => Settings::Log(log_sqlite(metadata, config)?),
            "pubsub.in-memory" => Settings::Log(log(metadata, Place::Memory, &["partitions", "retention"])?),
            #[cfg(feature = "kafka")]
            "pubsub.kafka" => Settings::Kafka(Box::new(super::kafka::read(metadata)?)),
            "secretstores.local.env" => Settings::Secrets(secrets_env(metadata)?),
            "secretstores.local.file" => Settings::Secrets(secrets_file(metadata)?),
            "secretstores.kubernetes" => {
                let outside = |reason: String| refuse("type", &spec.kind, &format!("it in a pod only: {reason}"));
                Settings::Secrets(secrets_kubernetes(metadata, outside)?)
            }
            "bindings.cron" => Settings::Cron(CronSettings::read(metadata, &document, config)?),
            "bindings.http" => Settings::Output(Box::new(binding::http(metadata)?)),
            "bindings.smtp" => Settings::Output(Box::new(binding::smtp(metadata)?)),
            other => {
                let lacks = feature(other).map(|feature| {
                    format!(
                        "it of a build with the feature `{feature}`, which this one lacks: take one with all of them"
                    )
                });
                return Err(refuse("type", other, lacks.as_deref().unwrap_or(TYPES)));
            }
        };
        Ok(Self { kind: spec.kind, version: spec.version, name: document.name, location: document.location, settings })
    }
}

fn log_sqlite(mut metadata: Metadata<'_>, config: &Config) -> Result<LogSettings, StartError> {
    let place = place(&mut metadata, config)?;
    log(metadata, place, &["connectionString", "partitions", "retention"])
}

fn log(mut metadata: Metadata<'_>, place: Place, known: &[&str]) -> Result<LogSettings, StartError> {
    let partitions = metadata.parse("partitions", "a number from 1 to 64", |text| {
        text.parse().ok().filter(|count| (1..=PARTITIONS_MAX).contains(count))
    })?;
    let retention = metadata.parse("retention", "a duration such as `7d`, `12h` or `30m`", duration)?;
    metadata.finish(&["consumerID"], known)?;
    Ok(LogSettings { place, partitions: partitions.unwrap_or(PARTITIONS), retention: retention.unwrap_or(RETENTION) })
}

fn secrets_env(mut metadata: Metadata<'_>) -> Result<SecretSettings, StartError> {
    let prefix = metadata.take("prefix").unwrap_or_default();
    metadata.finish(&[], &["prefix"])?;
    Ok(SecretSettings { multi_valued: false, store: Arc::new(SecretStore::Environment { prefix }) })
}

/// The path is relative to the working directory, as in Dapr.
fn secrets_file(mut metadata: Metadata<'_>) -> Result<SecretSettings, StartError> {
    let path = metadata.require("secretsFile", "a JSON file such as `secrets.json`")?;
    let separator = metadata.take("nestedSeparator").unwrap_or_else(|| ":".into());
    let multi_valued = metadata.parse("multiValued", "`true` or `false`", |text| text.parse().ok())?.unwrap_or(false);
    let form = FileForm { separator, multi_valued };
    let store = SecretStore::read(Path::new(&path), &form)
        .map_err(|error| metadata.refuse("secretsFile", &format!("is `{path}`, which {error}")))?;
    metadata.finish(&[], &["secretsFile", "nestedSeparator", "multiValued"])?;
    Ok(SecretSettings { multi_valued, store: Arc::new(store) })
}

/// The folder is where every pod has its service account, unless that is mounted elsewhere.
fn secrets_kubernetes(
    mut metadata: Metadata<'_>,
    outside: impl FnOnce(String) -> StartError,
) -> Result<SecretSettings, StartError> {
    let known = ["serviceAccountDirectory", "defaultNamespace"];
    let [account, namespace] = known.map(|key| metadata.take(key));
    let account = account.unwrap_or_else(|| SERVICE_ACCOUNT.into());
    let store = Kubernetes::in_cluster(account.into(), namespace, |name| std::env::var(name).ok()).map_err(outside)?;
    metadata.finish(&[], &known)?;
    Ok(SecretSettings { multi_valued: false, store: Arc::new(SecretStore::Kubernetes(store)) })
}
