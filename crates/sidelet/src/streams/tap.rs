//! Reads one topic for all its readers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::sleep;

use super::{Common, Interest, OF_A_KEY, Slot, event};
use crate::{
    log::{Message, Topic},
    sqlite::{Database, log},
    store::now,
};

/// Messages read at a time.
const COUNT: usize = 256;
/// Content read at a time.
const BYTES: usize = 1 << 20;
/// The wait after a read that failed.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// A topic and who reads it.
#[derive(Debug)]
pub(super) struct Tap {
    pub(super) database: Arc<Database>,
    pub(super) topic: Arc<Topic>,
    pub(super) common: Arc<Common>,
    board: Mutex<Board>,
}

/// Who reads, and what has been handed out.
#[derive(Debug)]
struct Board {
    keyed: HashMap<Box<str>, Vec<Arc<Slot>>>,
    whole: Vec<Arc<Slot>>,
    /// Readers by partition.
    readers: Box<[usize]>,
    /// The first offset that was not handed out, by partition. It means nothing for one without readers.
    passed: Box<[i64]>,
    /// Whether a task reads.
    running: bool,
}

/// What is to be read.
struct Piece {
    partition: usize,
    from: i64,
    end: i64,
}

/// What there is to do.
enum Work {
    Read(Piece),
    Wait,
    /// Nobody reads any more.
    End,
}

impl Tap {
    pub(super) fn new(database: Arc<Database>, topic: Arc<Topic>, common: Arc<Common>) -> Self {
        let partitions = topic.partitions().count();
        let board = Board {
            keyed: HashMap::new(),
            whole: Vec::new(),
            readers: vec![0; partitions].into(),
            passed: vec![0; partitions].into(),
            running: false,
        };
        Self { database, topic, common, board: Mutex::new(board) }
    }

    /// Adds a reader that begins at the offsets `next`, or with what is appended from now on.
    ///
    /// None: its key has as many readers as it may.
    pub(super) fn attach(self: &Arc<Self>, interest: &Interest, next: Option<Vec<i64>>) -> Option<Arc<Slot>> {
        let mut board = self.board();
        if interest.key.as_ref().and_then(|key| board.keyed.get(key)).is_some_and(|slots| slots.len() >= OF_A_KEY) {
            return None;
        }
        let ends: Vec<i64> =
            interest.partitions.clone().map(|partition| self.topic.partitions().end(partition)).collect();
        for (partition, end) in interest.partitions.clone().zip(&ends) {
            if board.readers[partition] == 0 {
                board.passed[partition] = *end;
            }
            board.readers[partition] += 1;
        }
        let slot = Arc::new(Slot::new(next.unwrap_or(ends).into()));
        board.list(interest).push(slot.clone());
        if !board.running {
            board.running = true;
            tokio::spawn(self.clone().run());
        }
        Some(slot)
    }

    /// Removes a reader.
    pub(super) fn detach(&self, interest: &Interest, slot: &Arc<Slot>) {
        let mut board = self.board();
        interest.partitions.clone().for_each(|partition| board.readers[partition] -= 1);
        let list = board.list(interest);
        if let Some(index) = list.iter().position(|other| Arc::ptr_eq(other, slot)) {
            list.swap_remove(index);
        }
        if let Some(key) = &interest.key
            && list.is_empty()
        {
            board.keyed.remove(key);
        }
    }

    /// Lets a reader that has read the log by itself go on with what is handed out, when it has all that was.
    pub(super) fn join(&self, interest: &Interest, slot: &Slot) {
        let board = self.board();
        slot.join(|partition, next| next < board.passed[interest.partitions.start + partition]);
    }

    /// Reads what is appended while anyone reads.
    async fn run(self: Arc<Self>) {
        let mut changed = self.topic.partitions().subscribe();
        loop {
            // What is appended from here on wakes it, so nothing falls between a look and a wait.
            changed.mark_unchanged();
            let wait = match self.work() {
                Work::End => return,
                Work::Read(piece) => {
                    let (id, from) = (self.topic.partitions().id(piece.partition), piece.from);
                    let read = move |connection: &_| log::read(connection, id, from, COUNT, BYTES);
                    match self.database.read(read).await {
                        Ok(messages) => {
                            self.hand_out(&piece, &messages);
                            continue;
                        }
                        Err(error) => {
                            tracing::warn!(%error, topic = %self.topic.name, "a topic could not be read for its streams");
                            Some(READ_AGAIN)
                        }
                    }
                }
                Work::Wait => None,
            };
            tokio::select! {
                () = self.common.stop.cancelled() => return,
                Ok(()) = changed.changed(), if wait.is_none() => {}
                () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
        }
    }

    fn work(&self) -> Work {
        let mut board = self.board();
        if board.readers.iter().all(|readers| *readers == 0) {
            board.running = false;
            return Work::End;
        }
        let pieces = (0..self.topic.partitions().count()).filter(|partition| board.readers[*partition] > 0);
        let mut pieces = pieces.map(|partition| Piece {
            partition,
            from: board.passed[partition],
            end: self.topic.partitions().end(partition),
        });
        pieces.find(|piece| piece.from < piece.end).map_or(Work::Wait, Work::Read)
    }

    fn hand_out(&self, piece: &Piece, messages: &[Message]) {
        let mut board = self.board();
        if board.passed[piece.partition] != piece.from {
            // Readers went and others came meanwhile.
            return;
        }
        let time = now();
        for message in messages.iter().filter(|message| message.expires.is_none_or(|expires| expires > time)) {
            let keyed = message.key.as_deref().and_then(|key| board.keyed.get(key));
            if keyed.is_none() && board.whole.is_empty() {
                continue;
            }
            let data = event::try_data(&self.topic, piece.partition, message, &self.common.memory);
            let length = data.as_ref().map_or(message.content.len(), bytes::Bytes::len);
            for slot in keyed.into_iter().flatten() {
                slot.offer(0, message.offset, length, data.as_ref());
            }
            for slot in &board.whole {
                slot.offer(piece.partition, message.offset, length, data.as_ref());
            }
        }
        board.passed[piece.partition] = messages.last().map_or(piece.end, |message| message.offset + 1);
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
}
