//! What Kafka remembers of groups: asked by people, and by who puts dead letters back.

use std::{collections::BTreeMap, sync::Arc};

use rdkafka::{
    Offset, TopicPartitionList,
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext},
    error::{KafkaError, KafkaResult},
};

use super::{Cluster, context::Client, group, progress, reader::LIMIT};
use crate::{log::Progress, store::StoreError};

impl Cluster {
    /// How far each group of this sidecar is in a partition, as far as that is committed.
    pub(crate) async fn progress(&self, topic: &str, partition: usize) -> Result<Vec<(String, Progress)>, StoreError> {
        self.progress_where(topic, partition, |_| true).await
    }

    /// How far one group of this sidecar is in a partition, as far as that is committed, by whichever of its members.
    pub(crate) async fn progress_of(
        &self,
        group: &str,
        topic: &str,
        partition: usize,
    ) -> Result<Option<Progress>, StoreError> {
        let found = self.progress_where(topic, partition, |known| known == group).await?;
        Ok(found.into_iter().next().map(|(_, progress)| progress))
    }

    async fn progress_where(
        &self,
        topic: &str,
        partition: usize,
        counts: impl Fn(&str) -> bool,
    ) -> Result<Vec<(String, Progress)>, StoreError> {
        let members: Vec<_> = self
            .members()
            .iter()
            .filter(|joined| joined.topic == topic && counts(&joined.group))
            .filter_map(|joined| Some((joined.group.clone(), joined.consumer.upgrade()?)))
            .collect();
        let topic = topic.to_owned();
        blocking(move || {
            let mut all = Vec::new();
            for (group, consumer) in members {
                let found = committed(&*consumer, &topic, partition)?;
                all.extend(found.map(|progress| (group, progress)));
            }
            Ok(all)
        })
        .await
    }

    /// How far a group without members is in a partition. None: it was never there.
    pub(crate) async fn noted(
        self: &Arc<Self>,
        group: &'static str,
        topic: &str,
        partition: usize,
    ) -> Result<Option<Progress>, StoreError> {
        let (cluster, topic) = (self.clone(), topic.to_owned());
        blocking(move || committed(&cluster.clerk(group)?, &topic, partition)).await
    }

    /// Remembers how far a group without members is in a partition.
    pub(crate) async fn note(
        self: &Arc<Self>,
        group: &'static str,
        topic: &str,
        partition: usize,
        progress: Progress,
    ) -> Result<(), StoreError> {
        let cluster = self.clone();
        let offsets = group::offsets(topic, &BTreeMap::from([(partition, progress)]));
        blocking(move || cluster.clerk(group)?.commit(&offsets, CommitMode::Sync)).await
    }

    /// A client that reads nothing.
    fn clerk(&self, group: &str) -> KafkaResult<BaseConsumer<Client>> {
        let config = self.settings.consumer(&self.component, group);
        BaseConsumer::from_config_and_context(&config, self.context())
    }
}

fn committed<C: ConsumerContext>(
    consumer: &impl Consumer<C>,
    topic: &str,
    partition: usize,
) -> KafkaResult<Option<Progress>> {
    let mut asked = TopicPartitionList::new();
    asked.add_partition(topic, i32::try_from(partition).expect("Kafka counts partitions in an i32"));
    let found = consumer.committed_offsets(asked, LIMIT)?;
    let elements = found.elements();
    let Some(element) = elements.first() else { return Ok(None) };
    element.error()?;
    Ok(match element.offset() {
        Offset::Offset(offset) => Some(progress::decode(offset, element.metadata())),
        _ => None,
    })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> KafkaResult<T> + Send + 'static) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error: KafkaError| StoreError::Unavailable { source: Arc::new(error) }),
        Err(_) => Err(StoreError::unavailable("it is closed")),
    }
}
