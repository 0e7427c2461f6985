//! What the file of a `state.postgresql` says.

use std::time::Duration;

use super::{Keeper, StateSettings, finish};
use crate::{
    error::StartError,
    postgres::{self, Address, Name, Names},
    resources::metadata::{Metadata, duration},
};

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

/// Both versions of Dapr's component: they differ in their tables, and these are of our own.
pub(in crate::resources) fn postgres(mut metadata: Metadata<'_>) -> Result<StateSettings, StartError> {
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
