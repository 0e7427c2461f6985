//! Puts dead letters back in Kafka: first the messages, and then the note that they were put back.
//!
//! A sidecar that is killed between the two puts the letters of one piece back again.

use std::sync::Arc;

use super::{GROUP, Report};
use crate::{
    dead_letter::{self, Facts},
    envelope,
    kafka::Cluster,
    log::{Progress, Topic},
    pubsub::PubSub,
    store::StoreError,
};

/// Letters between two notes.
const LETTERS: usize = 200;
/// Content between two notes.
const BYTES: usize = 4 << 20;

pub(super) async fn replay(
    pubsub: &PubSub,
    cluster: &Arc<Cluster>,
    topic: &Topic,
    id: Option<&str>,
) -> Result<Report, StoreError> {
    let mut report = Report::default();
    for (partition, span) in cluster.spans(&topic.name).await?.into_iter().enumerate() {
        let noted = cluster.noted(GROUP, &topic.name, partition).await?;
        let mut progress = noted.unwrap_or(Progress { next: span.oldest, unfinished: Vec::new() });
        let mut from = progress.lowest();
        while from < span.end {
            let letters = pubsub.read(topic, partition, from, LETTERS, BYTES).await?;
            let Some(last) = letters.last() else { break };
            from = last.offset + 1;
            let mut back = Vec::new();
            for letter in letters.iter().filter(|letter| letter.offset < span.end) {
                if progress.has_finished(letter.offset) {
                    continue;
                }
                let chosen = id.is_none_or(|id| envelope::id(&letter.content).as_deref() == Some(id));
                let facts = Facts::of(letter).filter(|_| chosen);
                let settled = facts.is_some();
                match facts {
                    Some(facts) => back.push(dead_letter::restored(pubsub.topic(&facts.topic).await?, letter)),
                    None => report.unknown += usize::from(chosen),
                }
                progress.settle(letter.offset, settled);
            }
            report.replayed += back.len();
            pubsub.append(back).await?;
            cluster.note(GROUP, &topic.name, partition, progress.clone()).await?;
        }
    }
    Ok(report)
}
