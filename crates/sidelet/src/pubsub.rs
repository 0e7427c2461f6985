//! A pub/sub component.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use dapr::{Metadata, metadata_key};

use crate::{
    log::{Message, NewMessage, Topic},
    sqlite::{
        Database, inspect,
        log::{append, open_topic, read_at},
    },
    store::StoreError,
};

/// Topics of one component at most: each is a few rows and a little memory for good.
const TOPICS: usize = 1000;

/// One component.
#[derive(Debug)]
pub(crate) struct PubSub {
    /// How the API names it.
    pub(crate) name: String,
    log: Log,
    topics: Mutex<HashMap<String, Arc<Topic>>>,
}

/// Where the messages of a component are.
#[derive(Debug)]
enum Log {
    /// In a SQLite file, or in memory; a new topic gets so many partitions.
    Sqlite { database: Arc<Database>, partitions: u32 },
}

impl PubSub {
    /// A component over a log in a database, where a new topic gets so many `partitions`.
    pub(crate) fn in_database(name: String, database: Arc<Database>, partitions: u32) -> Self {
        Self { name, log: Log::Sqlite { database, partitions }, topics: Mutex::default() }
    }

    /// Where its log is.
    pub(crate) fn database(&self) -> &Arc<Database> {
        match &self.log {
            Log::Sqlite { database, .. } => database,
        }
    }

    /// A topic by name, made on first use.
    pub(crate) async fn topic(&self, name: &str) -> Result<Arc<Topic>, StoreError> {
        if let Some(topic) = self.opened().get(name) {
            return Ok(topic.clone());
        }
        let opened = match &self.log {
            Log::Sqlite { database, partitions } => self.open_in_database(database, name, *partitions).await?,
        };
        let mut topics = self.opened();
        if topics.len() >= TOPICS {
            return Err(StoreError::failed("a component has too many topics"));
        }
        // Another request may have been first: all must share one.
        Ok(topics.entry(name.to_owned()).or_insert_with(|| Arc::new(opened)).clone())
    }

    async fn open_in_database(&self, database: &Database, name: &str, partitions: u32) -> Result<Topic, StoreError> {
        let (pubsub, owned) = (self.name.clone(), name.to_owned());
        let opened = database.write(move |batch| open_topic(batch, &pubsub, &owned, partitions)).await?;
        let made_with = opened.partitions().count();
        if made_with != partitions as usize {
            tracing::info!(
                topic = name,
                partitions = made_with,
                "a topic keeps the number of partitions that it was made with"
            );
        }
        Ok(opened)
    }

    /// A topic by name, if it was ever made.
    pub(crate) async fn existing_topic(&self, name: &str) -> Result<Option<Arc<Topic>>, StoreError> {
        let names = self.topic_names().await?;
        if names.iter().any(|known| known == name) { self.topic(name).await.map(Some) } else { Ok(None) }
    }

    /// Every topic that was ever made.
    pub(crate) async fn all_topics(&self) -> Result<Vec<Arc<Topic>>, StoreError> {
        let names = self.topic_names().await?;
        let mut topics = Vec::with_capacity(names.len());
        for name in names {
            topics.push(self.topic(&name).await?);
        }
        Ok(topics)
    }

    async fn topic_names(&self) -> Result<Vec<String>, StoreError> {
        match &self.log {
            Log::Sqlite { database, .. } => {
                let pubsub = self.name.clone();
                database.read(move |connection| inspect::topics(connection, &pubsub)).await
            }
        }
    }

    /// Appends messages in order, all or none.
    pub(crate) async fn append(&self, messages: Vec<NewMessage>) -> Result<(), StoreError> {
        match &self.log {
            Log::Sqlite { database, .. } => {
                database.write(move |batch| messages.iter().try_for_each(|message| append(batch, message))).await
            }
        }
    }

    /// Reads one message. None: it is gone from the log.
    pub(crate) async fn read(
        &self,
        topic: &Topic,
        partition: usize,
        offset: i64,
    ) -> Result<Option<Message>, StoreError> {
        match &self.log {
            Log::Sqlite { database, .. } => {
                let id = topic.partitions().id(partition);
                let found = database.read(move |connection| read_at(connection, id, &[offset])).await?;
                Ok(found.into_iter().next())
            }
        }
    }

    fn opened(&self) -> MutexGuard<'_, HashMap<String, Arc<Topic>>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message for `topic` with the metadata that travels beside it.
pub(crate) fn message(topic: Arc<Topic>, metadata: &Metadata, expires: Option<i64>, content: Bytes) -> NewMessage {
    NewMessage { topic, key: key(metadata), attributes: attributes(metadata), expires, content }
}

/// The key that metadata give a message.
pub(crate) fn key(metadata: &Metadata) -> Option<String> {
    metadata.get(metadata_key::PARTITION_KEY).filter(|key| !key.is_empty()).cloned()
}

/// Metadata as they travel beside a message.
pub(crate) fn attributes(metadata: &Metadata) -> String {
    serde_json::to_string(metadata).expect("a map of text is JSON")
}
