//! One SQLite file that holds state and log, so that one transaction may change both.
//!
//! One thread writes, and commits for all who wait at once (see [`writer`]); a few connections read beside it.
//! What was answered is on the disk. One process owns a file at a time (see [`lock`]).

mod error;
pub(crate) mod inspect;
pub(crate) mod items;
pub(crate) mod jobs;
mod lock;
pub(crate) mod log;
pub(crate) mod offsets;
pub(crate) mod outbox;
mod readers;
pub(crate) mod replay;
mod schema;
mod upkeep;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;

use crate::{
    log::Progress,
    metrics::Queries,
    store::{OpenError, StoreError},
};

pub(crate) use lock::FileLock;
pub(crate) use offsets::ProgressKey;
pub(crate) use upkeep::Retention;
pub(crate) use writer::Batch;

use offsets::PendingOffsets;
use readers::Readers;
use writer::Queue;

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    /// In memory, gone with the process.
    Memory,
    /// In a file.
    File(PathBuf),
}

/// An open database. It is closed by [`Database::close`].
#[derive(Debug)]
pub(crate) struct Database {
    queue: Queue,
    /// None in memory: what one connection wrote, no other could see.
    readers: Option<Readers>,
    offsets: Arc<PendingOffsets>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Database {
    /// Opens or makes the database at `place`, of which this process has the `lock`, if it is a file.
    pub(crate) fn open(
        place: &Place,
        lock: Option<FileLock>,
        retentions: Vec<Retention>,
        queries: Queries,
    ) -> Result<Arc<Self>, OpenError> {
        let (connection, readers) = match place {
            Place::Memory => {
                let connection = Connection::open_in_memory().map_err(|source| OpenError::new(":memory:", source))?;
                (connection, None)
            }
            Place::File(path) => {
                let connection = open_file(path).map_err(|source| OpenError::new(path.display(), source))?;
                (connection, Some(path))
            }
        };
        schema::prepare(&connection, place)?;
        let readers = readers.map(|path| Readers::open(path, queries.clone())).transpose()?;
        let offsets = Arc::new(PendingOffsets::default());
        let (queue, thread) = writer::spawn(connection, lock, offsets.clone(), retentions, queries)?;
        Ok(Arc::new(Self { queue, readers, offsets, thread: Mutex::new(Some(thread)) }))
    }

    /// Runs `work` in the next commit, alone or with others, and answers when it is on the disk.
    ///
    /// When `work` fails, nothing of it is kept and the others of the same commit are not touched.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Batch<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.queue.submit(work).await
    }

    /// Runs `work` on a connection that sees every answered write and waits for none.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        match &self.readers {
            Some(readers) => readers.run(work).await,
            None => self.queue.submit(|batch| work(batch.connection())).await,
        }
    }

    /// Notes how far a consumer group has come; it is written with one of the next commits.
    pub(crate) fn note_progress(&self, key: &ProgressKey, progress: Progress) {
        if self.offsets.note(key, progress) {
            self.queue.wake();
        }
    }

    /// Finds out how far a group has come, and keeps what it needs from now on, before it has finished anything.
    pub(crate) async fn open_progress(&self, keys: Vec<ProgressKey>) -> Result<Vec<Progress>, StoreError> {
        let pending = self.offsets.clone();
        self.write(move |batch| keys.iter().map(|key| offsets::begin(batch, &pending, key)).collect()).await
    }

    /// How far a group at work has come.
    pub(crate) fn progress(&self, key: &ProgressKey) -> Option<Progress> {
        self.offsets.get(key)
    }

    /// A group has ended, and retention need not wait for it.
    pub(crate) fn leave_progress(&self, key: &ProgressKey) {
        self.offsets.leave(key);
    }

    /// Writes what is noted, folds the log of writes into the file, and gives the file free.
    pub(crate) async fn close(&self) {
        if let Some(readers) = &self.readers {
            readers.close();
        }
        self.queue.stop();
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        if let Some(thread) = thread {
            let ended = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(ended, Ok(Ok(()))) {
                tracing::error!("the writer of a database ended badly");
            }
        }
    }
}

/// Opens the connection that writes.
fn open_file(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}
