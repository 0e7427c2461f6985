//! The one thread that writes, and its group commit.
//!
//! What waits in the queue is carried out in one transaction, each piece of work under a savepoint of its own, and made
//! durable by one commit: under load the cost of reaching the disk is shared by all who wait.
//! Nobody is answered before that commit, not even with a refusal, since a refusal may rest on a neighbour's work.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{
    lock::FileLock,
    offsets::PendingOffsets,
    upkeep::{Retention, Upkeep},
};
use crate::{
    log::Topic,
    metrics::Queries,
    store::{OpenError, StoreError, now},
};

/// Work that may wait. A caller beyond it waits for a place.
const QUEUE: usize = 1024;
/// Work in one commit at most, so that the first does not wait long for the last.
const BATCH: usize = 256;

/// What the thread is told.
enum Order {
    Work(Box<dyn Job>),
    /// Look at what is noted, and when it is due.
    Wake,
    Stop,
}

/// The way to the thread.
#[derive(Debug)]
pub(crate) struct Queue {
    orders: SyncSender<Order>,
    places: Arc<Semaphore>,
}

/// Starts the thread.
pub(crate) fn spawn(
    connection: Connection,
    lock: Option<FileLock>,
    offsets: Arc<PendingOffsets>,
    retentions: Vec<Retention>,
    queries: Queries,
) -> Result<(Queue, JoinHandle<()>), OpenError> {
    // Beside the work there may be one wake per group's first note, and one stop.
    let (orders, receiver) = sync_channel(QUEUE + 64);
    let upkeep = Upkeep::new(&connection, retentions, offsets.clone(), queries.clone())
        .map_err(|source| OpenError::new("its upkeep", source))?;
    let thread = std::thread::Builder::new()
        .name("sqlite-writer".into())
        .spawn(move || Writer { connection, queries, _lock: lock, receiver, offsets, upkeep }.run())
        .map_err(|source| OpenError::new("its writer", source))?;
    Ok((Queue { orders, places: Arc::new(Semaphore::new(QUEUE)) }, thread))
}

impl Queue {
    pub(crate) async fn submit<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Batch<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let closed = || StoreError::unavailable("it is closed");
        let place = self.places.clone().acquire_owned().await.map_err(|_| closed())?;
        let (reply, answer) = oneshot::channel();
        let job = Request { work: Some(work), result: None, reply, _place: place };
        self.orders.try_send(Order::Work(Box::new(job))).map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Makes the thread look at what is noted.
    pub(crate) fn wake(&self) {
        // A full queue wakes it as well.
        let _ = self.orders.try_send(Order::Wake);
    }

    /// No more work is taken; what was taken is carried out.
    pub(crate) fn stop(&self) {
        self.places.close();
        // Blocks no longer than one commit, and only when the queue is full.
        let _ = self.orders.send(Order::Stop);
    }
}

/// One piece of work with the way back to who waits for it.
trait Job: Send {
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Request<F, T> {
    work: Option<F>,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
    _place: OwnedSemaphorePermit,
}

impl<T, F> Job for Request<F, T>
where
    T: Send,
    F: FnOnce(&mut Batch<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), StoreError> {
        let work = self.work.take().expect("work is run once");
        self.result = Some(work(batch)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { result, reply, .. } = *self;
        // Who asked may have gone.
        let _ = reply.send(outcome.map(|()| result.expect("work that succeeded has a result")));
    }
}

/// The transaction that is being made.
pub(crate) struct Batch<'connection> {
    connection: &'connection Connection,
    now: i64,
    appended: Vec<(Arc<Topic>, usize, i64)>,
    expiry: Option<i64>,
    committed: Vec<Box<dyn FnOnce() + Send>>,
}

impl Batch<'_> {
    /// The connection, inside the transaction.
    pub(crate) fn connection(&self) -> &Connection {
        self.connection
    }

    /// The time of this commit, in Unix milliseconds.
    pub(crate) fn now(&self) -> i64 {
        self.now
    }

    /// An item will expire.
    pub(crate) fn note_expiry(&mut self, expires: i64) {
        self.expiry = Some(self.expiry.map_or(expires, |earlier| earlier.min(expires)));
    }

    /// A partition of a topic ends at `end` once this is committed.
    pub(crate) fn note_append(&mut self, topic: Arc<Topic>, partition: usize, end: i64) {
        self.appended.push((topic, partition, end));
    }

    /// Does something once this is committed, in the order of the commits, whether or not anyone waits for it still.
    ///
    /// It must be quick: writers wait for it.
    pub(crate) fn once_committed(&mut self, work: impl FnOnce() + Send + 'static) {
        self.committed.push(Box::new(work));
    }
}

struct Writer {
    connection: Connection,
    queries: Queries,
    _lock: Option<FileLock>,
    receiver: Receiver<Order>,
    offsets: Arc<PendingOffsets>,
    upkeep: Upkeep,
}

impl Writer {
    fn run(mut self) {
        let mut stopping = false;
        while !stopping {
            let mut jobs = Vec::new();
            match self.wait() {
                Ok(Order::Work(job)) => jobs.push(job),
                Ok(Order::Wake) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => stopping = true,
            }
            // On a stop, everything that was taken before it is in the queue still.
            while stopping || jobs.len() < BATCH {
                match self.receiver.try_recv() {
                    Ok(Order::Work(job)) => jobs.push(job),
                    Ok(Order::Wake) => {}
                    Ok(Order::Stop) => stopping = true,
                    Err(_) => break,
                }
            }
            self.commit(jobs, stopping);
            self.upkeep.run(&self.connection);
        }
        if let Err(error) = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::warn!(%error, "the log of writes could not be folded into the file; the next start does it");
        }
    }

    /// Waits for an order, or for the time at which something is due. With nothing due it waits for ever.
    fn wait(&self) -> Result<Order, RecvTimeoutError> {
        let upkeep = self.upkeep.due().map(|due| Instant::now() + Duration::from_millis(due.max(0).cast_unsigned()));
        match [upkeep, self.offsets.due()].into_iter().flatten().min() {
            Some(due) => self.receiver.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => self.receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    /// Carries out `jobs`, and writes what groups have noted when that is due, in one transaction.
    fn commit(&mut self, mut jobs: Vec<Box<dyn Job>>, stopping: bool) {
        let noted = if stopping || self.offsets.is_due() { self.offsets.take() } else { Vec::new() };
        if jobs.is_empty() && noted.is_empty() {
            return;
        }
        let mut batch = Batch {
            connection: &self.connection,
            now: now(),
            appended: Vec::new(),
            expiry: None,
            committed: Vec::new(),
        };
        self.queries.write.inc();
        let outcome = transact(&mut batch, &mut jobs, &noted);
        match outcome {
            Ok(results) => {
                self.offsets.written(&noted);
                if let Some(expiry) = batch.expiry {
                    self.upkeep.note_expiry(expiry);
                }
                if !batch.appended.is_empty() {
                    self.upkeep.note_append(batch.now);
                }
                for (topic, partition, end) in batch.appended {
                    topic.partitions().publish_end(partition, end);
                }
                batch.committed.into_iter().for_each(|work| work());
                for (job, result) in jobs.into_iter().zip(results) {
                    job.answer(result);
                }
            }
            Err(error) => {
                tracing::error!(%error, waiting = jobs.len(), "nothing could be written to the database");
                if !self.connection.is_autocommit()
                    && let Err(error) = self.connection.execute_batch("ROLLBACK")
                {
                    tracing::error!(%error, "a transaction could not be rolled back");
                }
                self.offsets.give_back(noted);
                for job in jobs {
                    job.answer(Err(error.clone()));
                }
            }
        }
    }
}

/// Runs every job under its own savepoint. An error here means that nothing at all was kept.
fn transact(
    batch: &mut Batch<'_>,
    jobs: &mut [Box<dyn Job>],
    noted: &[super::offsets::Noted],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    let connection = batch.connection;
    let run = |text: &str| -> Result<(), StoreError> {
        connection.prepare_cached(text)?.execute([])?;
        Ok(())
    };
    run("BEGIN IMMEDIATE")?;
    let mut results = Vec::with_capacity(jobs.len());
    for job in jobs.iter_mut() {
        run("SAVEPOINT job")?;
        let (appended, expiry, committed) = (batch.appended.len(), batch.expiry, batch.committed.len());
        let result = job.run(batch);
        if result.is_err() {
            // A full disk ends the whole transaction by itself.
            if connection.is_autocommit() {
                result?;
                return Err(StoreError::failed("the transaction ended early"));
            }
            run("ROLLBACK TO job")?;
            batch.appended.truncate(appended);
            batch.expiry = expiry;
            batch.committed.truncate(committed);
        }
        run("RELEASE job")?;
        results.push(result);
    }
    super::offsets::write(connection, noted)?;
    run("COMMIT")?;
    Ok(results)
}
