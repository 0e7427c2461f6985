//! Connections that only read.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use crate::{
    metrics::Queries,
    store::{OpenError, StoreError},
};

/// How many reads run at once. More would only wait for the processor.
const CONNECTIONS: usize = 4;

/// A few connections, each lent to one reader at a time.
#[derive(Debug)]
pub(crate) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Semaphore,
    queries: Queries,
}

impl Readers {
    pub(crate) fn open(path: &Path, queries: Queries) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut idle = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let connection =
                Connection::open_with_flags(path, flags).map_err(|source| OpenError::new(path.display(), source))?;
            connection.busy_timeout(Duration::from_secs(5)).map_err(|source| OpenError::new(path.display(), source))?;
            connection.set_prepared_statement_cache_capacity(64);
            idle.push(connection);
        }
        Ok(Self { idle: Arc::new(Mutex::new(idle)), permits: Semaphore::new(CONNECTIONS), queries })
    }

    /// Lends no more connections, and closes those that are not lent.
    ///
    /// The last connection to close removes the log of writes, and one that only reads cannot: the writer's is the last.
    pub(crate) fn close(&self) {
        self.permits.close();
        if let Ok(mut idle) = self.idle.lock() {
            idle.clear();
        }
    }

    /// Runs `work` on a thread where it may block.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let _permit = self.permits.acquire().await.map_err(|_| StoreError::unavailable("it is closed"))?;
        self.queries.read.inc();
        let idle = self.idle.clone();
        let task = tokio::task::spawn_blocking(move || {
            let Some(connection) = idle.lock().ok().and_then(|mut idle| idle.pop()) else {
                return Err(StoreError::failed("no connection is left"));
            };
            let result = work(&connection);
            if let Ok(mut idle) = idle.lock() {
                idle.push(connection);
            }
            result
        });
        task.await.unwrap_or_else(|_| Err(StoreError::failed("a read ended badly")))
    }
}
