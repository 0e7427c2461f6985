//! A pub/sub component over the log.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use dapr::{Metadata, metadata_key};

use crate::{
    sqlite::{
        Database, inspect,
        log::{self, NewMessage, Topic},
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
    /// Where its log is.
    pub(crate) database: Arc<Database>,
    partitions: u32,
    topics: Mutex<HashMap<String, Arc<Topic>>>,
}

impl PubSub {
    pub(crate) fn new(name: String, database: Arc<Database>, partitions: u32) -> Self {
        Self { name, database, partitions, topics: Mutex::default() }
    }

    /// A topic by name, made on first use.
    pub(crate) async fn topic(&self, name: &str) -> Result<Arc<Topic>, StoreError> {
        if let Some(topic) = self.topics.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Ok(topic.clone());
        }
        let (pubsub, owned, partitions) = (self.name.clone(), name.to_owned(), self.partitions);
        let opened = self.database.write(move |batch| log::open_topic(batch, &pubsub, &owned, partitions)).await?;
        if opened.partitions() != partitions as usize {
            let partitions = opened.partitions();
            tracing::info!(topic = name, partitions, "a topic keeps the number of partitions that it was made with");
        }
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if topics.len() >= TOPICS {
            return Err(StoreError::failed("a component has too many topics"));
        }
        // Another request may have been first: all must share one.
        Ok(topics.entry(name.to_owned()).or_insert_with(|| Arc::new(opened)).clone())
    }

    /// A topic by name, if it was ever made.
    pub(crate) async fn existing_topic(&self, name: &str) -> Result<Option<Arc<Topic>>, StoreError> {
        let pubsub = self.name.clone();
        let names = self.database.read(move |connection| inspect::topics(connection, &pubsub)).await?;
        if names.iter().any(|known| known == name) { self.topic(name).await.map(Some) } else { Ok(None) }
    }

    /// Appends messages in order, all or none.
    pub(crate) async fn append(&self, messages: Vec<NewMessage>) -> Result<(), StoreError> {
        self.database.write(move |batch| messages.iter().try_for_each(|message| log::append(batch, message))).await
    }
}

/// A message for `topic` with the metadata that travels beside it.
pub(crate) fn message(topic: Arc<Topic>, metadata: &Metadata, expires: Option<i64>, content: Bytes) -> NewMessage {
    NewMessage {
        topic,
        key: metadata.get(metadata_key::PARTITION_KEY).filter(|key| !key.is_empty()).cloned(),
        attributes: serde_json::to_string(metadata).expect("a map of text is JSON"),
        expires,
        content,
    }
}
