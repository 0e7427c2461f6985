//! Where the messages of a group come from.
//!
//! A log in a file is read when there is room for more, and its partitions are the group's from the beginning. Kafka
//! assigns partitions and takes them back, and brings messages until it is told to pause.

use std::{future, sync::Arc, time::Duration};

use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::window::Window;
#[cfg(feature = "kafka")]
use crate::kafka::{self, Member};
use crate::{
    log::{Message, Progress, Topic},
    pubsub::{Log, PubSub},
    sqlite::{
        Database, ProgressKey,
        log::{read, read_at},
    },
    store::StoreError,
};

/// Content read at a time.
const READ_BYTES: usize = 2 << 20;
/// The wait after a read that failed.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// What a source has for its group.
#[derive(Debug)]
pub(super) enum Arrival {
    /// A partition is the group's from now on.
    Assigned { partition: usize, progress: Progress },
    /// Partitions are to be given back with [`Source::release`], or, where `lost`, are another's already.
    Revoked { partitions: Vec<usize>, lost: bool },
    /// The next messages of a partition. Below `end` there are no others up to the last of them.
    Read { partition: usize, messages: Vec<Message>, end: i64 },
    /// The messages of [`Window::left`].
    Restored { partition: usize, messages: Vec<Message> },
    /// There may be something to read.
    Changed,
}

/// One of the logs.
#[derive(Debug)]
pub(super) enum Source {
    File(FileSource),
    #[cfg(feature = "kafka")]
    Kafka(Member),
}

impl Source {
    /// Finds out how far the group has come. A new one begins at the oldest message, and that is written down.
    pub(super) async fn open(pubsub: &PubSub, topic: Arc<Topic>, group: &Arc<str>) -> Result<Self, StoreError> {
        match pubsub.log() {
            Log::Sqlite { database, .. } => FileSource::open(database.clone(), topic, group).await.map(Self::File),
            #[cfg(feature = "kafka")]
            Log::Kafka(cluster) => Member::join(cluster, group, &topic.name).map(Self::Kafka),
        }
    }

    /// What has come. Nothing is lost when this is not waited for to the end.
    pub(super) async fn next(&mut self) -> Arrival {
        match self {
            Self::File(file) => file.next().await,
            #[cfg(feature = "kafka")]
            Self::Kafka(member) => match member.next().await {
                kafka::Arrival::Assigned { partition, progress } => Arrival::Assigned { partition, progress },
                kafka::Arrival::Revoked { partitions, lost } => Arrival::Revoked { partitions, lost },
                kafka::Arrival::Read { partition, messages } => {
                    let end = messages.last().map_or(0, |message| message.offset + 1);
                    Arrival::Read { partition, messages, end }
                }
            },
        }
    }

    /// Whether messages may be given back to save memory, since each can be read again.
    pub(super) fn reads_again(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Asks for more messages of a partition, of which `window` has room for some, or for none while `allowed` is false.
    pub(super) fn want(&mut self, partition: usize, window: &Window, allowed: bool) {
        match self {
            Self::File(file) => file.want(partition, window, allowed),
            #[cfg(feature = "kafka")]
            Self::Kafka(member) => member.read(partition, allowed && window.room() > 0),
        }
    }

    /// Remembers how far a partition has come, soon.
    pub(super) fn note(&mut self, partition: usize, progress: Progress) {
        match self {
            Self::File(file) => file.database.note_progress(&file.keys[partition], progress),
            #[cfg(feature = "kafka")]
            Self::Kafka(member) => member.note(partition, progress),
        }
    }

    /// Gives revoked partitions back. What was noted of them is remembered before.
    pub(super) fn release(&mut self) {
        match self {
            // Nobody takes a file's partitions away.
            Self::File(_) => {}
            #[cfg(feature = "kafka")]
            Self::Kafka(member) => member.release(),
        }
    }

    /// The group ends. What was noted is remembered.
    pub(super) async fn close(self) {
        match self {
            Self::File(file) => file.keys.iter().for_each(|key| file.database.leave_progress(key)),
            #[cfg(feature = "kafka")]
            Self::Kafka(member) => member.leave().await,
        }
    }
}

/// A topic in a SQLite file.
pub(super) struct FileSource {
    database: Arc<Database>,
    topic: Arc<Topic>,
    keys: Vec<ProgressKey>,
    /// Partitions whose progress the group has not been told.
    untold: Vec<(usize, Progress)>,
    changed: watch::Receiver<()>,
    /// By partition: whether it is being read.
    reading: Vec<bool>,
    reads: FuturesUnordered<BoxFuture<'static, (usize, Result<Arrival, StoreError>)>>,
    read_after: Option<Instant>,
}

impl FileSource {
    async fn open(database: Arc<Database>, topic: Arc<Topic>, group: &Arc<str>) -> Result<Self, StoreError> {
        let partitions = topic.partitions();
        let key = |partition| ProgressKey { group: group.clone(), partition: partitions.id(partition) };
        let keys: Vec<_> = (0..partitions.count()).map(key).collect();
        let untold = database.open_progress(keys.clone()).await?.into_iter().enumerate().collect();
        Ok(Self {
            changed: partitions.subscribe(),
            reading: vec![false; keys.len()],
            database,
            keys,
            untold,
            reads: FuturesUnordered::new(),
            read_after: None,
            topic,
        })
    }

    async fn next(&mut self) -> Arrival {
        if let Some((partition, progress)) = self.untold.pop() {
            return Arrival::Assigned { partition, progress };
        }
        let again = self.read_after;
        tokio::select! {
            Some((partition, result)) = self.reads.next(), if !self.reads.is_empty() => {
                self.reading[partition] = false;
                result.unwrap_or_else(|error| {
                    tracing::error!(topic = %self.topic.name, %error, "messages could not be read");
                    self.read_after = Some(Instant::now() + READ_AGAIN);
                    Arrival::Changed
                })
            }
            Ok(()) = self.changed.changed() => Arrival::Changed,
            () = sleep_until(again.unwrap_or_else(Instant::now)), if again.is_some() => {
                self.read_after = None;
                Arrival::Changed
            }
            // The topic outlives its groups.
            else => future::pending().await,
        }
    }

    fn want(&mut self, partition: usize, window: &Window, allowed: bool) {
        let (next, end, room) = (window.next(), self.topic.partitions().end(partition), window.room());
        let left = window.left().to_vec();
        let idle = left.is_empty() && (next >= end || room == 0);
        if !allowed || idle || self.reading[partition] || self.read_after.is_some() {
            return;
        }
        self.reading[partition] = true;
        let (database, id) = (self.database.clone(), self.keys[partition].partition);
        self.reads.push(Box::pin(async move {
            let found = if left.is_empty() {
                let found = database.read(move |connection| read(connection, id, next, room, READ_BYTES)).await;
                found.map(|messages| Arrival::Read { partition, messages, end })
            } else {
                let found = database.read(move |connection| read_at(connection, id, &left)).await;
                found.map(|messages| Arrival::Restored { partition, messages })
            };
            (partition, found)
        }));
    }
}

impl std::fmt::Debug for FileSource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("FileSource").field("topic", &self.topic.name).finish_non_exhaustive()
    }
}
