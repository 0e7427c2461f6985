//! Puts the dead letters of a topic back into the topics that they came from.
//!
//! What was put back is remembered in the database, as a consumer group's progress is: however often it is asked for,
//! and whatever is killed meanwhile, each letter goes back once.

#[cfg(feature = "kafka")]
mod kafka;

use std::{collections::HashMap, sync::Arc};

use serde::Serialize;

use crate::{
    log::Topic,
    pubsub::{Log, PubSub},
    sqlite::{Database, ProgressKey, replay::Step},
    store::StoreError,
};

/// The group under whose name it is remembered. No app's group has such a name.
pub(crate) const GROUP: &str = "(replay)";

/// What a replay did.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Letters that were put back.
    replayed: usize,
    /// Messages of the topic that do not say where they came from; they stay.
    unknown: usize,
}

/// Puts back the letters that are there now; with an `id`, those of that event alone.
///
/// Those that come while it works are left: a handler that still fails would keep it at work for ever.
pub(crate) async fn replay(pubsub: &PubSub, topic: &Topic, id: Option<&str>) -> Result<Report, StoreError> {
    let report = match pubsub.log() {
        Log::Sqlite { database, .. } => in_file(pubsub, database, topic, id).await?,
        #[cfg(feature = "kafka")]
        Log::Kafka(cluster) => kafka::replay(pubsub, cluster, topic, id).await?,
    };
    tracing::info!(topic = %topic.name, replayed = report.replayed, "dead letters were put back");
    Ok(report)
}

async fn in_file(pubsub: &PubSub, database: &Database, topic: &Topic, id: Option<&str>) -> Result<Report, StoreError> {
    let ends = pubsub.ends(topic).await?;
    let (mut report, mut topics) = (Report::default(), HashMap::<String, Arc<Topic>>::new());
    for (partition, end) in ends.into_iter().enumerate() {
        let key = ProgressKey { group: GROUP.into(), partition: topic.partitions().id(partition) };
        let mut step = Step { key, from: 0, end, id: id.map(str::to_owned) };
        loop {
            let (now, open) = (step.clone(), topics.clone());
            let done = database.write(move |batch| crate::sqlite::replay::replay(batch, &now, &open)).await?;
            report.replayed += done.replayed;
            report.unknown += done.unknown;
            if let Some(name) = done.missing {
                let opened = pubsub.topic(&name).await?;
                topics.insert(name, opened);
            }
            match done.next {
                Some(next) => step.from = next,
                None => break,
            }
        }
    }
    Ok(report)
}
