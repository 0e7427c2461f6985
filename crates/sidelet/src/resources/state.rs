//! State stores: where they keep their items, what stands before a key, and where transactions are published.

use std::{sync::Arc, time::Duration};

use super::metadata::{Metadata, duration, place};
use crate::{
    config::Config,
    error::StartError,
    postgres::{self, Address, Name, Names},
    sqlite::Place,
};

/// A state store.
#[derive(Debug)]
pub(crate) struct StateSettings {
    /// Where it keeps its items.
    pub(crate) keeper: Keeper,
    /// What stands before a key.
    pub(crate) prefix: KeyPrefix,
    /// Where transactions are published.
    pub(crate) outbox: Option<Target>,
}

/// Where a store keeps its items.
#[derive(Debug)]
pub(crate) enum Keeper {
    /// A SQLite database. Stores on one file with the same table share their items.
    Sqlite { place: Place, table: String },
    /// A PostgreSQL database.
    Postgres(Box<postgres::Settings>),
}

/// What stands before a key in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyPrefix {
    /// `appid||`
    App,
    /// `componentname||`
    Name,
    /// Nothing.
    None,
    /// This text and `||`.
    Fixed(String),
}

/// A topic of a pub/sub component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The pub/sub component.
    pub(crate) pubsub: Arc<str>,
    /// The topic.
    pub(crate) topic: Arc<str>,
}

/// Keys of every state store.
const KEYS: [&str; 3] = ["keyPrefix", "outboxPublishPubsub", "outboxPublishTopic"];
/// Dapr's keys of every store without a meaning here.
const IGNORED: [&str; 3] = ["actorStateStore", "outboxPubsub", "outboxDiscardWhenMissingState"];
/// Dapr's keys whose work is done another way in SQLite: expiry by the clock, time limits by the caller.
const IGNORED_SQLITE: [&str; 6] =
    ["timeout", "timeoutInSeconds", "busyTimeout", "cleanupInterval", "cleanupIntervalInSeconds", "metadataTableName"];
/// Every question is sent in one message, whatever the mode.
const IGNORED_POSTGRES: [&str; 1] = ["queryExecMode"];

/// A caller waits for its answer, and a request of its own waits for the caller.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Enough for a few thousand requests a second, and few enough that ten replicas fit a small server.
const CONNECTIONS: usize = 8;
/// What Neon calls idle.
const IDLE: Duration = Duration::from_secs(300);
/// As Dapr's.
const CLEANUP: Duration = Duration::from_secs(3600);

pub(super) fn sqlite(mut metadata: Metadata<'_>, config: &Config) -> Result<StateSettings, StartError> {
    let place = place(&mut metadata, config)?;
    let table = metadata.parse("tableName", "letters, digits and underscores", |text| {
        text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_').then(|| text.to_owned())
    })?;
    metadata.parse("disableWAL", "`false`, since a write-ahead log is always kept", |text| {
        text.eq_ignore_ascii_case("false").then_some(())
    })?;
    let keeper = Keeper::Sqlite { place, table: table.unwrap_or_else(|| "state".into()) };
    finish(metadata, keeper, &["connectionString", "tableName", "disableWAL"], &IGNORED_SQLITE)
}

pub(super) fn memory(metadata: Metadata<'_>) -> Result<StateSettings, StartError> {
    let keeper = Keeper::Sqlite { place: Place::Memory, table: "state".into() };
    finish(metadata, keeper, &[], &IGNORED_SQLITE)
}

/// Both versions of Dapr's component: they differ in their tables, and these are of our own.
pub(super) fn postgres(mut metadata: Metadata<'_>) -> Result<StateSettings, StartError> {
    let key = "connectionString";
    let form =
        "one such as `host=db user=app password=... dbname=app sslmode=verify-full` or `postgres://app:...@db/app`";
    let text = metadata.require(key, form)?;
    let address =
        Address::parse(&text).map_err(|reason| metadata.refuse(key, &format!("{reason}; expected {form}")))?;
    let key = "directConnectionString";
    let direct = match metadata.take(key) {
        Some(text) => Some(Address::parse(&text).map_err(|reason| metadata.refuse(key, &reason))?),
        None => None,
    };
    let form = "a name such as `state` or `todo.state`: 48 letters, digits and underscores at most in each part";
    let mut name = |key: &str, default: &str| {
        let name = metadata.parse(key, form, Name::parse)?;
        Ok(name.unwrap_or_else(|| Name::parse(default).expect("a default is a name")))
    };
    let names = Names::new(name("tableName", "state")?, name("metadataTableName", "dapr_metadata")?);
    let form = "a duration such as `5s`, or seconds";
    let timeout = ["timeout", "timeoutInSeconds"].into_iter().try_fold(None, |found, key| {
        let parsed = metadata.parse(key, form, |text| seconds(text).filter(|time| !time.is_zero()))?;
        Ok(found.or(parsed))
    })?;
    let connections = metadata
        .parse("maxConns", "a number from 1 to 1000", |text| text.parse().ok().filter(|n| (1..=1000).contains(n)))?;
    let idle = metadata.parse("connectionMaxIdleTime", "a duration such as `5m`", |text| {
        seconds(text).filter(|time| !time.is_zero())
    })?;
    let cleanup = ["cleanupInterval", "cleanupIntervalInSeconds"].into_iter().try_fold(None, |found, key| {
        // As Dapr's: nothing or less than it is never.
        let parsed = metadata.parse(key, "a duration such as `1h`, seconds, or `0` for never", |text| {
            if text.starts_with('-') { Some(Duration::ZERO) } else { seconds(text) }
        })?;
        Ok(found.or(parsed))
    })?;
    let settings = postgres::Settings {
        address,
        direct,
        names,
        timeout: timeout.unwrap_or(TIMEOUT),
        connections: connections.unwrap_or(CONNECTIONS),
        idle: idle.unwrap_or(IDLE),
        cleanup: Some(cleanup.unwrap_or(CLEANUP)).filter(|interval| !interval.is_zero()),
    };
    let known = [
        "connectionString",
        "directConnectionString",
        "tableName",
        "metadataTableName",
        "timeout",
        "maxConns",
        "connectionMaxIdleTime",
        "cleanupInterval",
    ];
    finish(metadata, Keeper::Postgres(Box::new(settings)), &known, &IGNORED_POSTGRES)
}

/// `90s`, or a number of seconds.
fn seconds(text: &str) -> Option<Duration> {
    duration(text).or_else(|| text.parse().ok().map(Duration::from_secs))
}

/// Reads what every store has.
fn finish(
    mut metadata: Metadata<'_>,
    keeper: Keeper,
    known: &[&str],
    ignored: &[&str],
) -> Result<StateSettings, StartError> {
    let prefix =
        metadata.parse("keyPrefix", "`appid`, `name`, `none` or a fixed text without `||`", |text| match text {
            "appid" => Some(KeyPrefix::App),
            "name" => Some(KeyPrefix::Name),
            "none" => Some(KeyPrefix::None),
            // Dapr's fifth form, for which there is no namespace here.
            "namespace" => None,
            text if text.contains("||") => None,
            text => Some(KeyPrefix::Fixed(text.to_owned())),
        })?;
    let outbox = match (metadata.take("outboxPublishPubsub"), metadata.take("outboxPublishTopic")) {
        (Some(pubsub), Some(topic)) => Some(Target { pubsub: pubsub.into(), topic: topic.into() }),
        (None, None) => None,
        (Some(_), None) => {
            return Err(
                metadata.refuse("outboxPublishTopic", "is missing; expected a topic beside `outboxPublishPubsub`")
            );
        }
        (None, Some(_)) => {
            return Err(
                metadata.refuse("outboxPublishPubsub", "is missing; expected a component beside `outboxPublishTopic`")
            );
        }
    };
    let (known, ignored) = ([known, &KEYS].concat(), [ignored, &IGNORED].concat());
    metadata.finish(&ignored, &known)?;
    Ok(StateSettings { keeper, prefix: prefix.unwrap_or(KeyPrefix::App), outbox })
}
