//! One consumer group: an app's subscription to a topic.

mod attempt;

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{backoff, caller::Caller, verdict::Verdict, window::Window};
use crate::sqlite::{
    Database, ProgressKey, StoreError,
    log::{self, Message, Topic},
    offsets,
};

use attempt::Attempt;

/// Messages on their way to the app at once.
const IN_FLIGHT: usize = 32;
/// Tries after which a message that fails goes to the dead letter topic. Without one it is tried for ever.
const TRIES: u32 = 10;
/// Content held for messages whose turn has not come. What is beyond is read again.
const HELD: usize = 8 << 20;
/// Content read at a time.
const READ_BYTES: usize = 2 << 20;
/// How long what is finished waits to be noted, so that many are noted at once.
const NOTE: Duration = Duration::from_millis(10);
/// The wait after a read that failed.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// One partition of the group's topic.
#[derive(Debug)]
pub(crate) struct Partition {
    key: ProgressKey,
    window: Window,
    reading: bool,
    /// Something was finished and is not noted.
    unnoted: bool,
}

/// What a group is made of.
#[derive(Debug)]
pub(crate) struct Group {
    /// Its name in the tables and the log.
    name: Arc<str>,
    database: Arc<Database>,
    topic: Arc<Topic>,
    dead_letters: Option<Arc<Topic>>,
    caller: Caller,
    url: Arc<str>,
    partitions: Vec<Partition>,
}

/// Something that ended.
enum Event {
    Read { partition: usize, end: i64, result: Result<Vec<Message>, StoreError> },
    Restored { partition: usize, result: Result<Vec<Message>, StoreError> },
    Tried { partition: usize, offset: i64, verdict: Verdict, message: Option<Message> },
    Buried { partition: usize, offset: i64, result: Result<(), StoreError> },
}

impl Group {
    /// Finds out how far the group has come. A new one begins at the oldest message, and that is written down.
    pub(crate) async fn open(
        name: String,
        database: Arc<Database>,
        topic: Arc<Topic>,
        dead_letters: Option<Arc<Topic>>,
        caller: Caller,
        url: String,
    ) -> Result<Self, StoreError> {
        let name: Arc<str> = name.into();
        let keys: Vec<_> = (0..topic.partitions())
            .map(|partition| ProgressKey { group: name.clone(), partition: topic.partition_id(partition) })
            .collect();
        let progress = database
            .write({
                let keys = keys.clone();
                move |batch| keys.iter().map(|key| offsets::open(batch, key)).collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let partitions = keys
            .into_iter()
            .zip(progress)
            .map(|(key, progress)| {
                // Retention must know the group before it has finished anything.
                database.register_progress(&key, progress.clone());
                Partition { key, window: Window::new(progress), reading: false, unnoted: false }
            })
            .collect();
        Ok(Self { name, database, topic, dead_letters, caller, url: url.into(), partitions })
    }

    /// Delivers until `stop`, and then until what is on its way has been answered.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let changed = self.topic.subscribe();
        let delivery = Delivery {
            group: self,
            changed,
            work: FuturesUnordered::new(),
            in_flight: 0,
            retries: BinaryHeap::new(),
            absence: None,
            read_after: None,
            note_at: None,
        };
        delivery.run(stop).await;
    }
}

/// The app was not there.
struct Absence {
    times: u32,
    probe_at: Instant,
}

/// A group at work.
struct Delivery {
    group: Group,
    changed: watch::Receiver<()>,
    work: FuturesUnordered<BoxFuture<'static, Event>>,
    in_flight: usize,
    retries: BinaryHeap<Reverse<(Instant, usize, i64)>>,
    absence: Option<Absence>,
    read_after: Option<Instant>,
    note_at: Option<Instant>,
}

impl Delivery {
    async fn run(mut self, stop: CancellationToken) {
        loop {
            let stopping = stop.is_cancelled();
            if stopping && self.in_flight == 0 {
                self.note();
                return;
            }
            if !stopping {
                self.start_due();
                self.start_reads();
                self.start_deliveries();
            }
            let due = self.next_due().filter(|_| !stopping);
            tokio::select! {
                () = stop.cancelled(), if !stopping => {}
                Some(event) = self.work.next(), if !self.work.is_empty() => self.ended(event),
                Ok(()) = self.changed.changed() => {}
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }

    /// The next time at which something is to be done. Without one the group sleeps until the log or an answer wakes it.
    fn next_due(&self) -> Option<Instant> {
        let retry = self.retries.peek().map(|Reverse((at, ..))| *at);
        let probe = self.absence.as_ref().filter(|_| self.in_flight == 0).map(|absence| absence.probe_at);
        [retry, probe, self.read_after, self.note_at].into_iter().flatten().min()
    }

    /// Gives their turn back to messages whose wait is over.
    fn start_due(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((at, partition, offset))) = self.retries.peek().copied()
            && at <= now
        {
            self.retries.pop();
            self.group.partitions[partition].window.again(offset);
        }
        if self.read_after.is_some_and(|at| at <= now) {
            self.read_after = None;
        }
        if self.note_at.is_some_and(|at| at <= now) {
            self.note();
        }
    }

    fn start_reads(&mut self) {
        if self.absence.is_some() || self.read_after.is_some() {
            return;
        }
        for (index, partition) in self.group.partitions.iter_mut().enumerate() {
            let (id, next, end) = (partition.key.partition, partition.window.next(), self.group.topic.end(index));
            let left = partition.window.left().to_vec();
            let room = partition.window.room();
            if partition.reading || (left.is_empty() && (next >= end || room == 0)) {
                continue;
            }
            partition.reading = true;
            let database = self.group.database.clone();
            self.work.push(Box::pin(async move {
                if left.is_empty() {
                    let read = move |connection: &_| log::read(connection, id, next, room, READ_BYTES);
                    Event::Read { partition: index, end, result: database.read(read).await }
                } else {
                    let read = move |connection: &_| log::read_at(connection, id, &left);
                    Event::Restored { partition: index, result: database.read(read).await }
                }
            }));
        }
    }

    fn start_deliveries(&mut self) {
        let limit = match &self.absence {
            None => IN_FLIGHT,
            Some(absence) if absence.probe_at <= Instant::now() => 1,
            Some(_) => 0,
        };
        for index in 0..self.group.partitions.len() {
            while self.in_flight < limit
                && let Some((offset, message)) = self.group.partitions[index].window.take()
            {
                self.in_flight += 1;
                let attempt = Attempt::new(&self.group, index, offset, message);
                self.work.push(Box::pin(attempt.run()));
            }
        }
        // Nothing waits any more: the app need not be probed.
        if self.in_flight == 0 && limit > 0 && self.absence.is_some() && !self.has_ready() {
            self.absence = None;
        }
    }

    /// Bytes of content held.
    fn held(&self) -> usize {
        self.group.partitions.iter().map(|partition| partition.window.held()).sum()
    }

    fn has_ready(&self) -> bool {
        self.group.partitions.iter().any(|partition| partition.window.has_ready())
    }

    fn ended(&mut self, event: Event) {
        match event {
            Event::Read { partition, end, result } => match self.read(partition, result) {
                Some(messages) if messages.is_empty() => self.group.partitions[partition].window.skip_to(end),
                Some(messages) => {
                    let keep = self.held() < HELD;
                    self.group.partitions[partition].window.extend(messages, keep);
                }
                None => {}
            },
            Event::Restored { partition, result } => {
                if let Some(messages) = self.read(partition, result) {
                    let keep = self.held() < HELD;
                    self.group.partitions[partition].window.restore(messages, keep);
                }
            }
            Event::Tried { partition, offset, verdict, message } => {
                self.in_flight -= 1;
                self.tried(partition, offset, verdict, message);
            }
            Event::Buried { partition, offset, result } => {
                self.in_flight -= 1;
                match result {
                    Ok(()) => self.finish(partition, offset),
                    Err(error) => {
                        tracing::error!(group = %self.group.name, offset, %error, "a dead letter could not be written");
                        self.later(partition, offset);
                    }
                }
            }
        }
    }

    fn read(&mut self, partition: usize, result: Result<Vec<Message>, StoreError>) -> Option<Vec<Message>> {
        self.group.partitions[partition].reading = false;
        match result {
            Ok(messages) => Some(messages),
            Err(error) => {
                tracing::error!(group = %self.group.name, %error, "messages could not be read");
                self.read_after = Some(Instant::now() + READ_AGAIN);
                None
            }
        }
    }

    fn tried(&mut self, partition: usize, offset: i64, verdict: Verdict, message: Option<Message>) {
        if verdict != Verdict::Absent && self.absence.take().is_some() {
            tracing::info!(group = %self.group.name, "the app is there again");
        }
        match verdict {
            Verdict::Done => self.finish(partition, offset),
            Verdict::Absent => {
                self.group.partitions[partition].window.again(offset);
                self.note_absence();
            }
            Verdict::Drop(reason) => self.give_up(partition, offset, &reason, message),
            Verdict::Retry(reason) => {
                let failures = self.group.partitions[partition].window.fail(offset);
                if self.group.dead_letters.is_some() && failures >= TRIES {
                    self.give_up(partition, offset, &reason, message);
                } else {
                    tracing::warn!(group = %self.group.name, partition, offset, failures, %reason, "a message comes again");
                    self.retries.push(Reverse((Instant::now() + backoff::after_failures(failures), partition, offset)));
                }
            }
        }
    }

    /// To the dead letter topic where there is one.
    fn give_up(&mut self, partition: usize, offset: i64, reason: &str, message: Option<Message>) {
        let (group, topic) = (&self.group.name, &self.group.topic.name);
        let (Some(dead_letters), Some(message)) = (self.group.dead_letters.clone(), message) else {
            tracing::warn!(%group, %topic, partition, offset, %reason, "a message is dropped");
            self.finish(partition, offset);
            return;
        };
        tracing::warn!(%group, %topic, partition, offset, %reason, dead_letter_topic = %dead_letters.name, "a message goes to the dead letters");
        self.in_flight += 1;
        let letter = attempt::dead_letter(&self.group, dead_letters, &message, reason);
        let database = self.group.database.clone();
        self.work.push(Box::pin(async move {
            let result = database.write(move |batch| log::append(batch, &letter)).await;
            Event::Buried { partition, offset, result }
        }));
    }

    fn note_absence(&mut self) {
        let now = Instant::now();
        let times = match &self.absence {
            // Others that were on their way at the same time say nothing new.
            Some(absence) if absence.probe_at > now => return,
            Some(absence) => absence.times + 1,
            None => 1,
        };
        if times == 1 {
            tracing::warn!(group = %self.group.name, url = %self.group.url, "the app is not there; its messages wait");
        }
        self.absence = Some(Absence { times, probe_at: now + backoff::after_absences(times) });
    }

    /// Tries again without counting it against the message.
    fn later(&mut self, partition: usize, offset: i64) {
        self.retries.push(Reverse((Instant::now() + READ_AGAIN, partition, offset)));
    }

    fn finish(&mut self, partition: usize, offset: i64) {
        let partition = &mut self.group.partitions[partition];
        partition.window.finish(offset);
        partition.unnoted = true;
        self.note_at.get_or_insert_with(|| Instant::now() + NOTE);
    }

    fn note(&mut self) {
        self.note_at = None;
        for partition in self.group.partitions.iter_mut().filter(|partition| partition.unnoted) {
            partition.unnoted = false;
            self.group.database.note_progress(&partition.key, partition.window.progress());
        }
    }
}
