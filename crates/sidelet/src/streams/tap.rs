//! Reads one topic for all its readers.

mod file;
#[cfg(feature = "kafka")]
mod kafka;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Common, Interest, OF_A_KEY, Slot, event};
use crate::{
    log::{Message, Topic},
    pubsub::{Log, PubSub},
    store::now,
};

/// The wait after a read that failed.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// A topic and who reads it.
#[derive(Debug)]
pub(super) struct Tap {
    pub(super) pubsub: Arc<PubSub>,
    pub(super) topic: Arc<Topic>,
    pub(super) common: Arc<Common>,
    board: Mutex<Board>,
    /// A reader came or went.
    readers_changed: Notify,
    /// The topic has other partitions than it knows of.
    pub(super) outdated: CancellationToken,
}

/// Who reads, and what has been handed out.
#[derive(Debug)]
struct Board {
    keyed: HashMap<Box<str>, Vec<Arc<Slot>>>,
    whole: Vec<Arc<Slot>>,
    partitions: Box<[Handed]>,
    /// Whether a task reads.
    running: bool,
}

/// What was handed out of a partition.
#[derive(Debug, Clone, Default)]
struct Handed {
    readers: usize,
    /// The task reads it on, with readers or without.
    followed: bool,
    /// The first offset that was not handed out. It means nothing without readers and a task.
    passed: i64,
}

impl Tap {
    pub(super) fn new(pubsub: Arc<PubSub>, topic: Arc<Topic>, partitions: usize, common: Arc<Common>) -> Self {
        let board = Board {
            keyed: HashMap::new(),
            whole: Vec::new(),
            partitions: vec![Handed::default(); partitions].into(),
            running: false,
        };
        Self {
            pubsub,
            topic,
            common,
            board: Mutex::new(board),
            readers_changed: Notify::new(),
            outdated: CancellationToken::new(),
        }
    }

    /// How many partitions it knows of.
    pub(super) fn partitions(&self) -> usize {
        self.board().partitions.len()
    }

    /// Adds a reader that begins at the offsets `next`, or at the `ends` of now. Both are those of its partitions.
    ///
    /// None: its key has as many readers as it may.
    pub(super) fn attach(
        self: &Arc<Self>,
        interest: &Interest,
        ends: Vec<i64>,
        next: Option<Vec<i64>>,
    ) -> Option<Arc<Slot>> {
        let mut board = self.board();
        if interest.key.as_ref().and_then(|key| board.keyed.get(key)).is_some_and(|slots| slots.len() >= OF_A_KEY) {
            return None;
        }
        for (partition, end) in board.partitions[interest.partitions.clone()].iter_mut().zip(&ends) {
            if partition.readers == 0 && !partition.followed {
                partition.passed = *end;
            }
            partition.readers += 1;
        }
        let slot = Arc::new(Slot::new(next.unwrap_or(ends).into()));
        board.list(interest).push(slot.clone());
        if !board.running {
            board.running = true;
            tokio::spawn(self.clone().run());
        }
        self.readers_changed.notify_one();
        Some(slot)
    }

    /// Removes a reader.
    pub(super) fn detach(&self, interest: &Interest, slot: &Arc<Slot>) {
        let mut board = self.board();
        board.partitions[interest.partitions.clone()].iter_mut().for_each(|partition| partition.readers -= 1);
        let list = board.list(interest);
        if let Some(index) = list.iter().position(|other| Arc::ptr_eq(other, slot)) {
            list.swap_remove(index);
        }
        if let Some(key) = &interest.key
            && list.is_empty()
        {
            board.keyed.remove(key);
        }
        self.readers_changed.notify_one();
    }

    /// The first offset of a partition that was not handed out.
    pub(super) fn passed(&self, partition: usize) -> i64 {
        self.board().partitions[partition].passed
    }

    /// Lets a reader that has read the log by itself go on with what is handed out, when it has all that was.
    pub(super) fn join(&self, interest: &Interest, slot: &Slot) {
        let board = self.board();
        let partitions = &board.partitions[interest.partitions.clone()];
        slot.join(|partition, next| next < partitions[partition].passed);
    }

    /// Reads what is appended while anyone reads.
    async fn run(self: Arc<Self>) {
        match self.pubsub.log() {
            Log::Sqlite { database, .. } => self.read_file(database).await,
            #[cfg(feature = "kafka")]
            Log::Kafka(cluster) => self.follow_kafka(cluster).await,
        }
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    fn list(&mut self, interest: &Interest) -> &mut Vec<Arc<Slot>> {
        match &interest.key {
            Some(key) => self.keyed.entry(key.clone()).or_default(),
            None => &mut self.whole,
        }
    }

    fn has_readers(&self) -> bool {
        self.partitions.iter().any(|partition| partition.readers > 0)
    }

    /// Gives the messages of a partition to those who want them.
    fn hand_out(&mut self, tap: &Tap, partition: usize, messages: &[Message]) {
        let time = now();
        for message in messages.iter().filter(|message| message.expires.is_none_or(|expires| expires > time)) {
            let keyed = message.key.as_deref().and_then(|key| self.keyed.get(key));
            if keyed.is_none() && self.whole.is_empty() {
                continue;
            }
            let data = event::try_data(&tap.topic, partition, message, &tap.common.memory);
            let length = data.as_ref().map_or(message.content.len(), bytes::Bytes::len);
            for slot in keyed.into_iter().flatten() {
                slot.offer(0, message.offset, length, data.as_ref());
            }
            for slot in &self.whole {
                slot.offer(partition, message.offset, length, data.as_ref());
            }
        }
    }
}
