//! Follows a topic without a group, from chosen offsets on, for those who want its messages as they come.

use std::{collections::BTreeMap, fmt, sync::Arc};

use futures::FutureExt;
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    config::FromClientConfigAndContext,
    consumer::{Consumer as _, StreamConsumer},
    error::KafkaError,
};

use super::{Cluster, context::Client, record};
use crate::{log::Message, store::StoreError};

/// Messages handed on at once.
const MESSAGES: usize = 256;
/// The name of its group, which no offset is ever committed for.
const GROUP: &str = "(stream)";

/// A consumer of some partitions of one topic.
pub(crate) struct Follower {
    topic: String,
    consumer: Arc<StreamConsumer<Client>>,
    followed: BTreeMap<usize, i64>,
}

impl Follower {
    /// Follows nothing yet.
    pub(crate) fn new(cluster: &Arc<Cluster>, topic: &str) -> Result<Self, StoreError> {
        let config = cluster.settings.consumer(&cluster.component, GROUP);
        let consumer = StreamConsumer::from_config_and_context(&config, cluster.context());
        let consumer = consumer.map_err(|error| StoreError::Failed { source: Arc::new(error) })?;
        let consumer = Arc::new(consumer);
        Ok(Self { topic: topic.to_owned(), consumer, followed: BTreeMap::new() })
    }

    /// Follows these partitions, each from its offset on, and no others. What it follows already goes on where it is.
    pub(crate) fn follow(&mut self, wanted: &BTreeMap<usize, i64>) -> Result<(), StoreError> {
        if self.followed.keys().eq(wanted.keys()) {
            return Ok(());
        }
        let failed = |error: KafkaError| StoreError::Failed { source: Arc::new(error) };
        self.followed =
            wanted.iter().map(|(number, from)| (*number, *self.followed.get(number).unwrap_or(from))).collect();
        let mut assignment = TopicPartitionList::new();
        for (partition, from) in &self.followed {
            let number = i32::try_from(*partition).expect("Kafka counts partitions in an i32");
            assignment.add_partition_offset(&self.topic, number, Offset::Offset(*from)).map_err(failed)?;
        }
        self.consumer.assign(&assignment).map_err(failed)
    }

    /// The next messages, with their partitions. Nothing is lost when this is not waited for to the end.
    pub(crate) async fn next(&mut self) -> Vec<(usize, Message)> {
        let mut messages = Vec::new();
        let mut next = Some(self.consumer.recv().await);
        while let Some(record) = next {
            match record {
                Ok(record) => {
                    let partition = usize::try_from(record.partition()).expect("a message has a partition");
                    if let Some(at) = self.followed.get_mut(&partition)
                        && record.offset() >= *at
                    {
                        *at = record.offset() + 1;
                        messages.push((partition, record::message(&record)));
                    }
                }
                Err(error) => tracing::info!(topic = %self.topic, %error, "a topic cannot be followed; it is tried on"),
            }
            let more = messages.len() < MESSAGES;
            next = if more { self.consumer.recv().now_or_never() } else { None };
        }
        messages
    }

    /// Ends the consumer, which may take a moment.
    pub(crate) async fn close(self) {
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Follower").field("topic", &self.topic).finish_non_exhaustive()
    }
}
