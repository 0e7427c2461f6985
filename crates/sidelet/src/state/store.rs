//! A state store component.

use std::sync::Arc;

use super::{Change, Item};
#[cfg(feature = "postgres")]
use crate::postgres;
use crate::{
    log::Topic,
    outbox::{Message, Relay},
    resources::{KeyPrefix, Target},
    sqlite::{Batch, Database, items, log, outbox},
    store::{StoreError, now},
};

/// One component.
#[derive(Debug)]
pub(crate) struct StateStore {
    /// How the API names it.
    pub(crate) name: String,
    /// Where its transactions are published.
    pub(crate) outbox: Option<Target>,
    keeper: Keeper,
    prefix: String,
}

/// Where the items are. What a transaction publishes is written with it.
#[derive(Debug)]
pub(crate) enum Keeper {
    /// In a SQLite database, with the topic.
    Sqlite {
        /// The database.
        database: Arc<Database>,
        /// Tells the stores of one database apart.
        table: Arc<str>,
        /// Where its transactions are published.
        publishes: Publishes,
    },
    /// In a PostgreSQL database, with the messages that wait for the relay.
    #[cfg(feature = "postgres")]
    Postgres {
        /// The database.
        database: Arc<postgres::Database>,
        /// What publishes them.
        relay: Option<Arc<Relay>>,
    },
}

/// Where the messages of a SQLite database go.
#[derive(Debug, Clone)]
pub(crate) enum Publishes {
    /// Nowhere.
    Nothing,
    /// Into a topic of the same database, with the transaction.
    Here(Arc<Topic>),
    /// Elsewhere, from where they wait for the relay.
    Elsewhere(Arc<Relay>),
}

impl StateStore {
    pub(crate) fn new(name: String, keeper: Keeper, prefix: &KeyPrefix, app_id: &str, outbox: Option<Target>) -> Self {
        let prefix = match prefix {
            KeyPrefix::App => format!("{app_id}||"),
            KeyPrefix::Name => format!("{name}||"),
            KeyPrefix::None => String::new(),
            KeyPrefix::Fixed(text) => format!("{text}||"),
        };
        Self { name, outbox, keeper, prefix }
    }

    /// The key as it is stored.
    pub(crate) fn whole_key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Reads one key.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Item>, StoreError> {
        let key = self.whole_key(key);
        match &self.keeper {
            Keeper::Sqlite { database, table, .. } => {
                let table = table.clone();
                database.read(move |connection| items::get(connection, &table, &key, now())).await
            }
            #[cfg(feature = "postgres")]
            Keeper::Postgres { database, .. } => database.get(&key).await,
        }
    }

    /// Reads many keys, in order. `None` when the values are longer than `limit` bytes together.
    pub(crate) async fn get_many(&self, keys: Vec<String>, limit: usize) -> Result<Option<Found>, StoreError> {
        let whole: Vec<_> = keys.iter().map(|key| self.whole_key(key)).collect();
        match &self.keeper {
            Keeper::Sqlite { database, table, .. } => {
                let table = table.clone();
                let read = move |connection: &_| {
                    let time = now();
                    collect(keys, &whole, limit, |key| items::get(connection, &table, key, time))
                };
                database.read(read).await
            }
            #[cfg(feature = "postgres")]
            Keeper::Postgres { database, .. } => {
                let Some(found) = database.get_many(&whole, limit).await? else { return Ok(None) };
                collect(keys, &whole, limit, |key| Ok(found.get(key).cloned()))
            }
        }
    }

    /// Makes all changes and publishes all messages, or none.
    pub(crate) async fn commit(&self, changes: Vec<Change>, messages: Vec<Message>) -> Result<(), StoreError> {
        match &self.keeper {
            Keeper::Sqlite { database, table, publishes } => {
                let (table, publishes) = (table.clone(), publishes.clone());
                database
                    .write(move |batch| {
                        changes.iter().try_for_each(|change| items::change(batch, &table, change))?;
                        publish(batch, messages, publishes)
                    })
                    .await
            }
            #[cfg(feature = "postgres")]
            Keeper::Postgres { database, relay } => {
                let (database, relay) = (database.clone(), relay.clone().filter(|_| !messages.is_empty()));
                let commit = async move {
                    let tells = relay.as_ref().is_some_and(|relay| relay.tells());
                    let done = database.commit(changes, messages, tells).await;
                    if let Some(relay) = relay {
                        match &done {
                            Ok(()) => relay.committed(),
                            // Nobody knows what becomes of a commit whose answer was lost, and when.
                            Err(StoreError::Unavailable { .. }) => relay.heard(),
                            Err(_) => {}
                        }
                    }
                    done
                };
                // The relay has to be told even when the caller has gone.
                let ended = tokio::spawn(commit).await;
                ended.unwrap_or_else(|_| Err(StoreError::failed("a commit ended badly")))
            }
        }
    }
}

/// Writes messages with their transaction.
fn publish(batch: &mut Batch<'_>, messages: Vec<Message>, publishes: Publishes) -> Result<(), StoreError> {
    match publishes {
        Publishes::Nothing => Ok(()),
        Publishes::Here(topic) => {
            messages.into_iter().try_for_each(|message| log::append(batch, &message.to(topic.clone())))
        }
        Publishes::Elsewhere(relay) => {
            messages.iter().try_for_each(|message| outbox::add(batch, message))?;
            if !messages.is_empty() {
                batch.once_committed(move || relay.committed());
            }
            Ok(())
        }
    }
}

/// Keys in the order in which they were asked for, with what is there.
type Found = Vec<(String, Option<Item>)>;

/// The items of `keys`, until they are too long together.
fn collect(
    keys: Vec<String>,
    whole: &[String],
    limit: usize,
    mut get: impl FnMut(&str) -> Result<Option<Item>, StoreError>,
) -> Result<Option<Found>, StoreError> {
    let (mut items, mut length) = (Vec::with_capacity(keys.len()), 0);
    for (key, whole) in keys.into_iter().zip(whole) {
        let item = get(whole)?;
        length += item.as_ref().map_or(0, |item| item.value.len());
        if length > limit {
            return Ok(None);
        }
        items.push((key, item));
    }
    Ok(Some(items))
}
