//! What an operator wants to know: which groups lag, where an event is, which dead letters there are and why,
//! and which jobs wait.
//!
//! Nothing here changes anything. It may read all of a log, so it is for people, not for a page that asks every second.

mod event;
mod groups;
mod jobs;
mod letters;

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
        Log::Kafka(cluster) => {
            let mut all = cluster.progress(&topic.name, partition).await?;
            let replayed = cluster.noted(replay::GROUP, &topic.name, partition).await?;
            all.extend(replayed.map(|progress| (replay::GROUP.to_owned(), progress)));
            Ok(all)
        }
    }
}
