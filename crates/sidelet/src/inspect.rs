//! What an operator wants to know: which groups lag, where an event is, which dead letters there are and why,
//! and which jobs wait.
//!
//! Nothing here changes anything. It may read all of a log, so it is for people, not for a page that asks every second.

mod event;
mod groups;
mod jobs;
mod letters;

use std::sync::Arc;

use crate::{
    log::{Progress, Topic},
    pubsub::{Log, PubSub},
    replay,
    sqlite::{ProgressKey, inspect},
    store::StoreError,
};

pub(crate) use event::event;
pub(crate) use groups::groups;
pub(crate) use jobs::jobs;
pub(crate) use letters::{dead_letter_topics, dead_letters};

/// How many messages of a topic a group at work here has not finished, wherever its partitions are.
pub(crate) async fn behind(pubsub: &PubSub, topic: &str, group: &Arc<str>) -> Result<i64, StoreError> {
    let topic = pubsub.topic(topic).await?;
    let mut behind = 0;
    for (partition, end) in pubsub.ends(&topic).await?.into_iter().enumerate() {
        let progress = match pubsub.log() {
            Log::Sqlite { database, .. } => {
                let id = topic.partitions().id(partition);
                database.progress(&ProgressKey { group: group.clone(), partition: id })
            }
            #[cfg(feature = "kafka")]
            Log::Kafka(cluster) => cluster.progress_of(group, &topic.name, partition).await?,
        };
        behind += progress.map_or(0, |progress| unfinished(end, &progress));
    }
    Ok(behind)
}

/// How many messages of a partition that ends at `end` are not finished.
fn unfinished(end: i64, progress: &Progress) -> i64 {
    (end - progress.next).max(0) + i64::try_from(progress.unfinished.len()).unwrap_or(i64::MAX)
}

/// How far each group has come in one partition: in memory where it is at work, else on the disk. Of Kafka, the groups of
/// this sidecar, as far as that is committed.
async fn progress(pubsub: &PubSub, topic: &Topic, partition: usize) -> Result<Vec<(String, Progress)>, StoreError> {
    match pubsub.log() {
        Log::Sqlite { database, .. } => {
            let id = topic.partitions().id(partition);
            let written = database.read(move |connection| inspect::groups(connection, id)).await?;
            let newest = written.into_iter().map(|(group, written)| {
                let key = ProgressKey { group: group.as_str().into(), partition: id };
                (group, database.progress(&key).unwrap_or(written))
            });
            Ok(newest.collect())
        }
        #[cfg(feature = "kafka")]
        Log::Kafka(cluster) => {
            let mut all = cluster.progress(&topic.name, partition).await?;
            let replayed = cluster.noted(replay::GROUP, &topic.name, partition).await?;
            all.extend(replayed.map(|progress| (replay::GROUP.to_owned(), progress)));
            Ok(all)
        }
    }
}
