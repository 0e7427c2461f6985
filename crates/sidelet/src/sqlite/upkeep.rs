//! Removes what has expired, when something has: between two such times the database is not asked.

use std::{sync::Arc, time::Duration};

use rusqlite::{Connection, OptionalExtension};

use super::{error::StoreError, log, now, offsets::PendingOffsets};

/// Rows removed in one transaction, so that writers wait little.
const ROWS: usize = 500;
/// Expired items are not seen by anyone; they are removed together, at most this often.
const PAUSE: i64 = 10_000;
/// Items that expire soon after one another are removed together.
const GATHER: i64 = 1000;
/// How often the log is looked at while a group holds old messages back.
const PAUSE_OF_LOG: i64 = 600_000;

/// How long a pub/sub component keeps messages that every group has finished.
#[derive(Debug, Clone)]
pub(crate) struct Retention {
    /// The component's name.
    pub(crate) pubsub: String,
    /// How long.
    pub(crate) keep: Duration,
}

/// What is due, and when. Times are Unix milliseconds.
pub(super) struct Upkeep {
    expiry: Option<i64>,
    trim: Option<i64>,
    retentions: Vec<Retention>,
    offsets: Arc<PendingOffsets>,
}

impl Upkeep {
    pub(super) fn new(
        connection: &Connection,
        retentions: Vec<Retention>,
        offsets: Arc<PendingOffsets>,
    ) -> Result<Self, StoreError> {
        let oldest: Option<i64> = connection
            .query_row("SELECT time FROM message ORDER BY position LIMIT 1", [], |row| row.get(0))
            .optional()?;
        Ok(Self { expiry: next_expiry(connection)?, trim: oldest.map(|_| now()), retentions, offsets })
    }

    /// Milliseconds until something is due.
    pub(super) fn due(&self) -> Option<i64> {
        [self.expiry, self.trim].into_iter().flatten().min().map(|due| due - now())
    }

    /// An item will expire.
    pub(super) fn note_expiry(&mut self, expires: i64) {
        self.expiry = Some(self.expiry.map_or(expires, |earlier| earlier.min(expires)).max(now() + GATHER));
    }

    /// A message was appended.
    pub(super) fn note_append(&mut self, time: i64) {
        let keep = self.retentions.iter().map(|retention| milliseconds(retention.keep)).min();
        if let (None, Some(keep)) = (self.trim, keep) {
            self.trim = Some(time.saturating_add(keep));
        }
    }

    /// Does what is due.
    pub(super) fn run(&mut self, connection: &Connection) {
        let time = now();
        if self.expiry.is_some_and(|due| due <= time) {
            self.expiry = attempt(connection, "expired items", |connection| purge(connection, time))
                .unwrap_or(Some(time + PAUSE));
        }
        if self.trim.is_some_and(|due| due <= time) {
            let trimmed = attempt(connection, "old messages", |connection| self.trim_topics(connection, time));
            self.trim = trimmed.unwrap_or(Some(time + PAUSE_OF_LOG));
        }
    }

    fn trim_topics(&self, connection: &Connection, time: i64) -> Result<Option<i64>, StoreError> {
        let mut due: Option<i64> = None;
        let mut note = |at: i64| due = Some(due.map_or(at, |earlier: i64| earlier.min(at)));
        for retention in &self.retentions {
            let keep = milliseconds(retention.keep);
            for partition in partitions(connection, &retention.pubsub)? {
                let below = self.offsets.lowest(partition).unwrap_or(i64::MAX >> 24);
                let (removed, oldest) = log::trim(connection, partition, below, time - keep, ROWS)?;
                if removed == ROWS {
                    note(time);
                } else if let Some(oldest) = oldest {
                    let next = oldest.saturating_add(keep);
                    note(if next <= time { time + PAUSE_OF_LOG } else { next.max(time + PAUSE) });
                }
            }
        }
        Ok(due)
    }
}

/// Runs `work` in a transaction. What goes wrong is logged and tried again later.
fn attempt<T>(
    connection: &Connection,
    what: &'static str,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Option<T> {
    let result = (|| {
        let transaction = connection.unchecked_transaction()?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok::<T, StoreError>(result)
    })();
    result.inspect_err(|error| tracing::warn!(%error, what, "what is no longer needed could not be removed")).ok()
}

fn purge(connection: &Connection, time: i64) -> Result<Option<i64>, StoreError> {
    let limit = i64::try_from(ROWS).expect("a small number");
    let removed = connection
        .prepare_cached(
            "DELETE FROM item WHERE rowid IN (SELECT rowid FROM item WHERE expires <= ?1 ORDER BY expires LIMIT ?2)",
        )?
        .execute([time, limit])?;
    let next = next_expiry(connection)?;
    Ok(if removed == ROWS { next } else { next.map(|next| next.max(time + PAUSE)) })
}

fn next_expiry(connection: &Connection) -> Result<Option<i64>, StoreError> {
    let next = connection.query_row("SELECT min(expires) FROM item WHERE expires IS NOT NULL", [], |row| row.get(0))?;
    Ok(next)
}

fn partitions(connection: &Connection, pubsub: &str) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT first_partition, partitions FROM topic WHERE pubsub = ?1")?;
    let mut all = Vec::new();
    let mut rows = statement.query([pubsub])?;
    while let Some(row) = rows.next()? {
        let (first, count): (i64, u32) = (row.get(0)?, row.get(1)?);
        all.extend((first..).take(count as usize));
    }
    Ok(all)
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX >> 2)
}
