//! One open stream.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{Stream, stream};
use prometheus::IntGauge;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep, sleep_until},
};

use super::{
    Interest, Slot,
    event::{self, Event},
    slot::Found,
    tap::Tap,
};
use crate::store::{StoreError, now};

/// Messages of the log that a reader looks at at a time.
const COUNT: usize = 256;
/// Their content.
const BYTES: usize = 64 << 10;
/// The wait after a read that failed.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// Gives the bytes of a stream, from `: ready` to `event: end`. Dropping it ends the stream.
#[derive(Debug)]
pub(crate) struct Reader {
    tap: Arc<Tap>,
    slot: Arc<Slot>,
    interest: Interest,
    /// The offsets behind what was sent, for ids; unknown until something is.
    sent: Box<[i64]>,
    stage: Stage,
    open: IntGauge,
    _place: OwnedSemaphorePermit,
}

#[derive(Debug)]
enum Stage {
    Begin,
    /// The id of an event was sent, and this is the rest of it.
    Within(Bytes),
    Between,
    Over,
}

impl Reader {
    pub(super) fn new(
        tap: Arc<Tap>,
        slot: Arc<Slot>,
        interest: Interest,
        place: OwnedSemaphorePermit,
        open: IntGauge,
    ) -> Self {
        open.inc();
        let sent = slot.begins();
        Self { tap, slot, interest, sent, stage: Stage::Begin, open, _place: place }
    }

    /// The whole stream.
    pub(crate) fn into_stream(self) -> impl Stream<Item = Bytes> + Send + 'static {
        stream::unfold(self, async |mut reader| {
            let bytes = reader.next().await?;
            Some((bytes, reader))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        match std::mem::replace(&mut self.stage, Stage::Between) {
            Stage::Begin => return Some(event::READY),
            Stage::Within(data) => return Some(data),
            Stage::Over => return None,
            Stage::Between => {}
        }
        let common = self.tap.common.clone();
        let heartbeat_at = Instant::now() + common.heartbeat;
        loop {
            if common.stop.is_cancelled() {
                return Some(self.end("the sidecar ends"));
            }
            let behind = match self.slot.take() {
                Found::Event(Event { partition, offset, data }) => {
                    self.sent[partition] = offset + 1;
                    self.stage = Stage::Within(data);
                    return Some(event::id(&self.interest.partitions, &self.sent));
                }
                Found::TooSlow => {
                    tracing::info!(topic = %self.tap.topic.name, "a stream was ended, since its reader is too slow");
                    return Some(self.end("the reader is too slow"));
                }
                Found::Nothing => None,
                Found::Behind(next) => Some(next),
            };
            let step = async {
                match behind {
                    None => self.slot.changed.notified().await,
                    Some(next) => self.catch_up(&next).await,
                }
            };
            tokio::select! {
                () = common.stop.cancelled() => {}
                () = self.tap.outdated.cancelled() => return Some(self.end("the topic has more partitions")),
                () = step => {}
                () = sleep_until(heartbeat_at) => return Some(event::HEARTBEAT),
            }
        }
    }

    fn end(&mut self, reason: &str) -> Bytes {
        self.stage = Stage::Over;
        event::end(reason)
    }

    /// Reads a piece of the log, or goes on with what the tap hands out when there is no more of it.
    async fn catch_up(&self, next: &[i64]) {
        let passed = self.interest.partitions.clone().map(|partition| self.tap.passed(partition));
        let unread = next.iter().zip(passed).position(|(next, passed)| *next < passed);
        match unread {
            None => self.tap.join(&self.interest, &self.slot),
            Some(partition) => {
                if let Err(error) = self.read(partition, next[partition]).await {
                    tracing::warn!(%error, topic = %self.tap.topic.name, "a topic could not be read for one of its streams");
                    sleep(READ_AGAIN).await;
                }
            }
        }
    }

    /// Reads what one partition holds from `from` on, and waits until there is room for it.
    async fn read(&self, index: usize, from: i64) -> Result<(), StoreError> {
        let (tap, partition) = (&self.tap, self.interest.partitions.start + index);
        let _turn = tap.common.catching_up.acquire().await.map_err(|_| StoreError::unavailable("it is closed"))?;
        let passed = tap.passed(partition);
        let messages = tap.pubsub.read(&tap.topic, partition, from, COUNT, BYTES).await?;
        let next = messages.last().map_or(passed, |message| message.offset + 1);
        let time = now();
        let mut events = Vec::new();
        for message in messages {
            let expired = message.expires.is_some_and(|expires| expires <= time);
            let wanted = self.interest.key.is_none() || self.interest.key.as_deref() == message.key.as_deref();
            if wanted && !expired {
                let data = event::data(&tap.topic, partition, &message, &tap.common.memory).await;
                events.push(Event { partition: index, offset: message.offset, data });
            }
        }
        self.slot.fill(index, next, events);
        Ok(())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.open.dec();
        self.tap.detach(&self.interest, &self.slot);
    }
}
