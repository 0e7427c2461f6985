//! A state store component.

use std::sync::Arc;

use super::{Change, Item};
use crate::{
    log::{NewMessage, Topic},
    resources::KeyPrefix,
    sqlite::{Database, items, log},
    store::{StoreError, now},
};

/// One component.
#[derive(Debug)]
pub(crate) struct StateStore {
    /// How the API names it.
    pub(crate) name: String,
    /// Where its transactions are published, with the name of the pub/sub component.
    pub(crate) outbox: Option<Arc<Topic>>,
    database: Arc<Database>,
    table: Arc<str>,
    prefix: String,
}

impl StateStore {
    pub(crate) fn new(
        name: String,
        database: Arc<Database>,
        table: &str,
        prefix: &KeyPrefix,
        app_id: &str,
        outbox: Option<Arc<Topic>>,
    ) -> Self {
        let prefix = match prefix {
            KeyPrefix::App => format!("{app_id}||"),
            KeyPrefix::Name => format!("{name}||"),
            KeyPrefix::None => String::new(),
            KeyPrefix::Fixed(text) => format!("{text}||"),
        };
        Self { name, outbox, database, table: table.into(), prefix }
    }

    /// The key as it is stored.
    pub(crate) fn whole_key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Reads one key.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Item>, StoreError> {
        let (table, key) = (self.table.clone(), self.whole_key(key));
        self.database.read(move |connection| items::get(connection, &table, &key, now())).await
    }

    /// Reads many keys, in order. `None` when the values are longer than `limit` bytes together.
    pub(crate) async fn get_many(
        &self,
        keys: Vec<String>,
        limit: usize,
    ) -> Result<Option<Vec<(String, Option<Item>)>>, StoreError> {
        let (table, prefix) = (self.table.clone(), self.prefix.clone());
        self.database
            .read(move |connection| {
                let time = now();
                let (mut items, mut length) = (Vec::with_capacity(keys.len()), 0);
                for key in keys {
                    let item = items::get(connection, &table, &format!("{prefix}{key}"), time)?;
                    length += item.as_ref().map_or(0, |item| item.value.len());
                    if length > limit {
                        return Ok(None);
                    }
                    items.push((key, item));
                }
                Ok(Some(items))
            })
            .await
    }

    /// Makes all changes and appends all messages, or none.
    pub(crate) async fn commit(&self, changes: Vec<Change>, messages: Vec<NewMessage>) -> Result<(), StoreError> {
        let table = self.table.clone();
        self.database
            .write(move |batch| {
                changes.iter().try_for_each(|change| items::change(batch, &table, change))?;
                messages.iter().try_for_each(|message| log::append(batch, message))
            })
            .await
    }
}
