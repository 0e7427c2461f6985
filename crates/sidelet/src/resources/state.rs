//! State stores: where they keep their items, what stands before a key, and where transactions are published.

#[cfg(feature = "postgres")]
mod postgres;

use std::sync::Arc;

use super::metadata::{Metadata, place};
use crate::{config::Config, error::StartError, sqlite::Place};

#[cfg(feature = "postgres")]
pub(super) use postgres::postgres;

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
    #[cfg(feature = "postgres")]
    Postgres(Box<crate::postgres::Settings>),
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
