//! Topics as streams: whoever asks over HTTP is sent a topic's messages as they are appended, without a consumer group.
//!
//! One tap ([`tap`]) reads each topic for all its readers, and only while there is one. A reader has a small buffer
//! ([`slot`]); one that falls behind reads the log by itself, at its own pace, until it has caught up ([`reader`]), and
//! one that falls too far behind is ended. Where a stream goes on is what its events' ids say ([`event`]).

mod event;
mod reader;
mod slot;
mod tap;

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus::IntGauge;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{log::Topic, pubsub::PubSub, store::StoreError};

use slot::Slot;
use tap::Tap;

pub(crate) use reader::Reader;

/// Open streams at most. A reader more is asked to come later.
const STREAMS: usize = 10_000;
/// Open streams of one key of a topic at most, so that no key takes the places of all others.
const OF_A_KEY: usize = 64;
/// Bytes of messages that wait for readers, at most, however many readers a message waits for.
const MEMORY: usize = 64 << 20;
/// Readers that read the log by themselves at the same moment, so that the API's own reads never wait for many.
const CATCHING_UP: usize = 2;

/// What all streams share.
#[derive(Debug)]
struct Common {
    /// One permit for each byte that waits.
    memory: Arc<Semaphore>,
    catching_up: Semaphore,
    heartbeat: Duration,
    stop: CancellationToken,
}

/// All streams of a sidecar.
#[derive(Debug)]
pub(crate) struct Streams {
    common: Arc<Common>,
    places: Arc<Semaphore>,
    /// By component and topic.
    taps: Mutex<HashMap<(String, String), Arc<Tap>>>,
}

/// Where a stream begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    /// With the next message.
    Now,
    /// With the oldest message.
    Earliest,
    /// Behind the event with this id.
    After(String),
}

/// Why there is no stream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// Another may end soon.
    #[error("there are {STREAMS} open streams")]
    Full,
    /// As before, for one key.
    #[error("there are {OF_A_KEY} open streams of this key; close one of them")]
    KeyFull,
    /// The sidecar is told to stop.
    #[error("the sidecar ends")]
    Ending,
    /// The log cannot be asked how far it goes.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Kafka has no such topic, or not yet.
    #[error("the topic is not there yet")]
    Absent,
    /// An id that no event of this stream has.
    #[error("the event id `{id}` is none of this stream; expected `<partition>-<offset>`")]
    Position {
        /// As it was given.
        id: String,
    },
}

/// Which messages a reader wants.
#[derive(Debug)]
struct Interest {
    /// None: those of any key, and of none.
    key: Option<Box<str>>,
    /// Where they are.
    partitions: Range<usize>,
}

impl Streams {
    /// Without a stream. While nothing is sent to a reader, a comment goes out each `heartbeat`.
    pub(crate) fn new(heartbeat: Duration) -> Self {
        let common = Common {
            memory: Arc::new(Semaphore::new(MEMORY)),
            catching_up: Semaphore::new(CATCHING_UP),
            heartbeat,
            stop: CancellationToken::new(),
        };
        Self { common: Arc::new(common), places: Arc::new(Semaphore::new(STREAMS)), taps: Mutex::default() }
    }

    /// Begins a stream of `topic`: of the messages with `key`, or of all. It counts in `open` until it is dropped.
    pub(crate) async fn open(
        &self,
        pubsub: &Arc<PubSub>,
        topic: Arc<Topic>,
        key: Option<&str>,
        start: &Start,
        open: IntGauge,
    ) -> Result<Reader, OpenError> {
        if self.common.stop.is_cancelled() {
            return Err(OpenError::Ending);
        }
        let place = self.places.clone().try_acquire_owned().map_err(|_| OpenError::Full)?;
        let ends = pubsub.ends(&topic).await?;
        if ends.is_empty() {
            return Err(OpenError::Absent);
        }
        let partitions = match key {
            Some(key) => {
                let partition = pubsub.partition_of(&topic, key, ends.len());
                partition..partition + 1
            }
            None => 0..ends.len(),
        };
        let count = ends.len();
        let ends = ends[partitions.clone()].to_vec();
        let interest = Interest { key: key.map(Box::from), partitions };
        let next = match start {
            Start::Now => None,
            Start::Earliest => Some(vec![0; interest.partitions.len()]),
            Start::After(id) => {
                let position = event::position(id, &ends, &interest.partitions);
                Some(position.ok_or_else(|| OpenError::Position { id: id.clone() })?)
            }
        };
        let tap = self.tap(pubsub, topic, count);
        let slot = tap.attach(&interest, ends, next).ok_or(OpenError::KeyFull)?;
        Ok(Reader::new(tap, slot, interest, place, open))
    }

    fn tap(&self, pubsub: &Arc<PubSub>, topic: Arc<Topic>, partitions: usize) -> Arc<Tap> {
        let mut taps = self.taps.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (pubsub.name.clone(), topic.name.clone());
        if let Some(tap) = taps.get(&name) {
            if tap.partitions() == partitions {
                return tap.clone();
            }
            // Keys may have moved, so its readers come anew.
            tap.outdated.cancel();
        }
        let tap = Arc::new(Tap::new(pubsub.clone(), topic, partitions, self.common.clone()));
        taps.insert(name, tap.clone());
        tap
    }

    /// Ends all streams, each with a word to its reader. None begins any more.
    pub(crate) fn end(&self) {
        self.common.stop.cancel();
    }
}
