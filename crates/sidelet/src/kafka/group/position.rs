//! Where a group begins in partitions that became its own.

use std::time::Duration;

use rdkafka::{Offset, TopicPartitionList, consumer::Consumer as _, error::KafkaResult};

use super::Consumer;
use crate::{
    kafka::{progress, settings::Start},
    log::Progress,
};

/// How long a broker may take for one answer.
const LIMIT: Duration = Duration::from_secs(10);

/// The beginning of one partition.
#[derive(Debug)]
pub(super) struct Begins {
    pub(super) partition: usize,
    pub(super) progress: Progress,
    /// It is nowhere committed yet.
    pub(super) new: bool,
}

/// Finds out how far the group is. Where it never was, `start` says where it begins.
pub(super) fn find(consumer: &Consumer, partitions: &TopicPartitionList, start: Start) -> KafkaResult<Vec<Begins>> {
    let committed = consumer.committed_offsets(partitions.clone(), LIMIT)?;
    let mut all = Vec::new();
    for element in committed.elements() {
        element.error()?;
        let number = element.partition();
        let (oldest, end) = consumer.fetch_watermarks(element.topic(), number, LIMIT)?;
        let fresh = |next| (Progress { next, unfinished: Vec::new() }, true);
        let (progress, new) = match element.offset() {
            // A topic that was deleted and made again.
            Offset::Offset(offset) if offset > end => fresh(oldest),
            Offset::Offset(offset) => (progress::decode(offset, element.metadata()), false),
            _ => fresh(if start == Start::Oldest { oldest } else { end }),
        };
        let Ok(partition) = usize::try_from(number) else { continue };
        all.push(Begins { partition, progress, new });
    }
    Ok(all)
}
