//! A pub/sub component.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use dapr::{Metadata, metadata_key};

#[cfg(feature = "kafka")]
use crate::kafka::{self, Cluster, Piece};
use crate::{
    log::{Message, NewMessage, Topic},
    sqlite::{
        Database, inspect,
        log::{append, open_topic, read},
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
pub(crate) enum Log {
    /// In a SQLite file, or in memory; a new topic gets so many partitions.
    Sqlite {
        /// The database.
        database: Arc<Database>,
        /// How many.
        partitions: u32,
    },
    /// In Kafka.
    #[cfg(feature = "kafka")]
    Kafka(Arc<Cluster>),
}

impl PubSub {
    /// A component over a log in a database, where a new topic gets so many `partitions`.
    pub(crate) fn in_database(name: String, database: Arc<Database>, partitions: u32) -> Self {
        Self { name, log: Log::Sqlite { database, partitions }, topics: Mutex::default() }
    }

    /// A component over Kafka.
    #[cfg(feature = "kafka")]
    pub(crate) fn in_kafka(name: String, cluster: Arc<Cluster>) -> Self {
        Self { name, log: Log::Kafka(cluster), topics: Mutex::default() }
    }

    /// Where its messages are.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// The name of the consumer group of an app's subscription.
    pub(crate) fn group(&self, app: &str, subscription: &str) -> Arc<str> {
        match &self.log {
            Log::Sqlite { .. } => format!("{app}/{subscription}").into(),
            #[cfg(feature = "kafka")]
            Log::Kafka(cluster) => cluster.group(app, subscription).into(),
        }
    }

    /// A topic by name, made on first use. In Kafka nothing is asked for: who makes topics is the brokers' business.
    pub(crate) async fn topic(&self, name: &str) -> Result<Arc<Topic>, StoreError> {
        if let Some(topic) = self.opened().get(name) {
            return Ok(topic.clone());
        }
        let opened = match &self.log {
            Log::Sqlite { database, partitions } => self.open_in_database(database, name, *partitions).await?,
            #[cfg(feature = "kafka")]
            Log::Kafka(_) if kafka::is_topic(name) => Topic::in_kafka(&self.name, name),
            #[cfg(feature = "kafka")]
            Log::Kafka(_) => {
                let form =
                    "the topic's name is none of Kafka's; expected letters, digits, `.`, `_` and `-`, 249 at most";
                return Err(StoreError::rejected(form));
            }
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
            // Those that this sidecar has to do with: a cluster may have thousands of others.
            #[cfg(feature = "kafka")]
            Log::Kafka(_) => {
                let mut names: Vec<_> = self.opened().keys().cloned().collect();
                names.sort();
                Ok(names)
            }
        }
    }

    /// Appends messages in order, all or none. In Kafka, some may have been appended after an error.
    pub(crate) async fn append(&self, messages: Vec<NewMessage>) -> Result<(), StoreError> {
        match &self.log {
            Log::Sqlite { database, .. } => {
                database.write(move |batch| messages.iter().try_for_each(|message| append(batch, message))).await
            }
            #[cfg(feature = "kafka")]
            Log::Kafka(cluster) => cluster.append(&messages).await,
        }
    }

    /// Appends messages in order, however long it takes, and says of each what became of it. Those behind the last that is
    /// told of were not tried.
    pub(crate) async fn append_each(
        &self,
        messages: Vec<NewMessage>,
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        match &self.log {
            Log::Sqlite { .. } => {
                let count = messages.len();
                self.append(messages).await.map(|()| vec![Ok(()); count])
            }
            #[cfg(feature = "kafka")]
            Log::Kafka(cluster) => cluster.append_each(&messages).await,
        }
    }

    /// Reads messages of a partition in order, from `from` on: at most `count`, and no more after `bytes` of content.
    pub(crate) async fn read(
        &self,
        topic: &Topic,
        partition: usize,
        from: i64,
        count: usize,
        bytes: usize,
    ) -> Result<Vec<Message>, StoreError> {
        match &self.log {
            Log::Sqlite { database, .. } => {
                let id = topic.partitions().id(partition);
                database.read(move |connection| read(connection, id, from, count, bytes)).await
            }
            #[cfg(feature = "kafka")]
            Log::Kafka(cluster) => cluster.read(&topic.name, Piece { partition, from, count, bytes }).await,
        }
    }

    /// How many messages a partition holds, and the newest of them, the newest first.
    pub(crate) async fn newest(
        &self,
        topic: &Topic,
        partition: usize,
        count: usize,
    ) -> Result<(i64, Vec<Message>), StoreError> {
        match &self.log {
            Log::Sqlite { database, .. } => {
                let id = topic.partitions().id(partition);
                let look = move |connection: &_| {
                    Ok((inspect::count(connection, id)?, inspect::newest(connection, id, count)?))
                };
                database.read(look).await
            }
            #[cfg(feature = "kafka")]
            Log::Kafka(cluster) => {
                let spans = cluster.spans(&topic.name).await?;
                let Some(span) = spans.get(partition) else { return Ok((0, Vec::new())) };
                let from = span.oldest.max(span.end.saturating_sub(i64::try_from(count).unwrap_or(i64::MAX)));
                let mut messages = self.read(topic, partition, from, count, usize::MAX).await?;
                messages.reverse();
                Ok((span.end - span.oldest, messages))
            }
        }
    }

    /// Messages of a partition whose content has `text` somewhere, `count` at most, the oldest first.
    pub(crate) async fn containing(
        &self,
        topic: &Topic,
        partition: usize,
        text: String,
        count: usize,
    ) -> Result<Vec<Message>, StoreError> {
        match &self.log {
            Log::Sqlite { database, .. } => {
                let id = topic.partitions().id(partition);
                database.read(move |connection| inspect::containing(connection, id, &text, count)).await
            }
            #[cfg(feature = "kafka")]
            Log::Kafka(cluster) => cluster.containing(&topic.name, partition, text, count).await,
        }
    }

    /// Where each partition of a topic ends now.
    pub(crate) async fn ends(&self, topic: &Topic) -> Result<Vec<i64>, StoreError> {
        match &self.log {
            Log::Sqlite { .. } => {
                let partitions = topic.partitions();
                Ok((0..partitions.count()).map(|partition| partitions.end(partition)).collect())
            }
            #[cfg(feature = "kafka")]
            Log::Kafka(cluster) => Ok(cluster.spans(&topic.name).await?.into_iter().map(|span| span.end).collect()),
        }
    }

    /// The partition of a key among `count`.
    pub(crate) fn partition_of(&self, topic: &Topic, key: &str, count: usize) -> usize {
        match &self.log {
            Log::Sqlite { .. } => topic.partitions().of(Some(key)),
            #[cfg(feature = "kafka")]
            Log::Kafka(_) => kafka::partition_of(key, count),
        }
    }

    /// Waits a little for what is on its way. A database is closed by whoever opened it.
    pub(crate) async fn close(&self) {
        #[cfg(feature = "kafka")]
        if let Log::Kafka(cluster) = &self.log {
            cluster.close().await;
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
