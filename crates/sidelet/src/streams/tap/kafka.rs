//! A topic in Kafka is followed by one consumer while anyone reads, and a little longer.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};

use super::{READ_AGAIN, Tap};
use crate::{
    kafka::{Cluster, Follower},
    log::Message,
    store::StoreError,
};

/// How long the consumer stays without a reader: a page that is loaded again finds it.
const LINGER: Duration = Duration::from_secs(30);

impl Tap {
    pub(super) async fn follow_kafka(&self, cluster: &Arc<Cluster>) {
        while let Err(error) = self.follow(cluster).await {
            tracing::warn!(%error, topic = %self.topic.name, "a topic could not be read for its streams");
            self.board().partitions.iter_mut().for_each(|partition| partition.followed = false);
            if self.common.stop.run_until_cancelled(sleep(READ_AGAIN)).await.is_none() {
                return;
            }
        }
    }

    async fn follow(&self, cluster: &Arc<Cluster>) -> Result<(), StoreError> {
        let mut follower = Follower::new(cluster, &self.topic.name)?;
        loop {
            let wanted = self.wanted();
            follower.follow(&wanted)?;
            if wanted.is_empty() {
                let came = timeout(LINGER, self.readers_changed.notified());
                if !matches!(self.common.stop.run_until_cancelled(came).await, Some(Ok(()))) && self.ended() {
                    break;
                }
                continue;
            }
            tokio::select! {
                () = self.common.stop.cancelled() => break,
                () = self.readers_changed.notified() => {}
                messages = follower.next() => self.pass_on(messages),
            }
        }
        follower.close().await;
        Ok(())
    }

    /// The partitions with readers, and where each is.
    fn wanted(&self) -> BTreeMap<usize, i64> {
        let mut board = self.board();
        let partitions = board.partitions.iter_mut().enumerate();
        let read = partitions.filter_map(|(number, partition)| {
            partition.followed = partition.readers > 0;
            partition.followed.then_some((number, partition.passed))
        });
        read.collect()
    }

    /// Whether there is still no reader, and then none will be seen.
    fn ended(&self) -> bool {
        let mut board = self.board();
        let over = !board.has_readers() || self.common.stop.is_cancelled();
        board.running = !over;
        over
    }

    fn pass_on(&self, messages: Vec<(usize, Message)>) {
        let mut board = self.board();
        for (partition, message) in messages {
            if message.offset >= board.partitions[partition].passed {
                board.partitions[partition].passed = message.offset + 1;
                board.hand_out(self, partition, &[message]);
            }
        }
    }
}
