//! Removes what has expired, when something has: between two such times the database is not asked.

use std::{sync::Arc, time::Duration};

use rusqlite::{Connection, OptionalExtension};

use super::{log, offsets::PendingOffsets};
use crate::{
    metrics::Queries,
    store::{StoreError, now},
};

/// Rows removed in one transaction, so that writers wait little.
const ROWS: usize = 500;
/// Expired items are not seen by anyone; they are removed together, at most this often.
const PAUSE: i64 = 10_000;
/// Items that expire soon after one another are removed together.
const GATHER: i64 = 1000;
/// How often the log is looked at while a group holds old messages back.
const PAUSE_OF_LOG: i64 = 600_000;

/// Free pages that the file keeps for the next writes: 4 MiB.
const SPARE_PAGES: i64 = 1024;
/// How long to wait for a reader that keeps the file from being cut.
const PAUSE_OF_FOLD: i64 = 1000;
/// Free pages given back at a time, 1 MiB, so that writers wait little.
const PAGES: i64 = 256;

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
    /// When to look at pages that may have become free.
    shrink: Option<i64>,
    /// When to cut the file itself, by folding the log of writes into it.
    fold: Option<i64>,
    retentions: Vec<Retention>,
    offsets: Arc<PendingOffsets>,
    queries: Queries,
}

impl Upkeep {
    pub(super) fn new(
        connection: &Connection,
        retentions: Vec<Retention>,
        offsets: Arc<PendingOffsets>,
        queries: Queries,
    ) -> Result<Self, StoreError> {
        let oldest: Option<i64> = connection
            .query_row("SELECT time FROM message ORDER BY position LIMIT 1", [], |row| row.get(0))
            .optional()?;
        Ok(Self {
            expiry: next_expiry(connection)?,
            // Not before the groups have said what they still need.
            trim: oldest.map(|_| now() + PAUSE),
            shrink: Some(now()),
            fold: None,
            retentions,
            offsets,
            queries,
        })
    }

    /// Milliseconds until something is due.
    pub(super) fn due(&self) -> Option<i64> {
        [self.expiry, self.trim, self.shrink, self.fold].into_iter().flatten().min().map(|due| due - now())
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
        if self.shrink.is_some_and(|due| due <= time) {
            self.queries.write.inc();
            let shrunk = attempt_outside(connection, "free pages", shrink).unwrap_or(Shrunk::Enough);
            self.shrink = (shrunk == Shrunk::Some).then_some(time);
            self.fold = if shrunk == Shrunk::Last { Some(time) } else { self.fold };
        }
        if self.fold.is_some_and(|due| due <= time) {
            self.queries.write.inc();
            let folded = attempt_outside(connection, "the log of writes", fold).unwrap_or(false);
            self.fold = (!folded).then_some(time + PAUSE_OF_FOLD);
        }
        if self.expiry.is_some_and(|due| due <= time) {
            self.queries.write.inc();
            self.expiry = attempt(connection, "expired items", |connection| purge(connection, time))
                .unwrap_or(Some(time + PAUSE));
            self.shrink = Some(time);
        }
        if self.trim.is_some_and(|due| due <= time) {
            self.queries.write.inc();
            let trimmed = attempt(connection, "old messages", |connection| self.trim_topics(connection, time));
            self.trim = trimmed.unwrap_or(Some(time + PAUSE_OF_LOG));
            self.shrink = Some(time);
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
    attempt_outside(connection, what, |connection| {
        let transaction = connection.unchecked_transaction()?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    })
}

/// As [`attempt`], without a transaction of its own.
fn attempt_outside<T>(
    connection: &Connection,
    what: &'static str,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Option<T> {
    let result = work(connection);
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

/// What became of free pages.
#[derive(Debug, PartialEq, Eq)]
enum Shrunk {
    /// There were not many.
    Enough,
    /// Some were given back, and there are more.
    Some,
    /// The last were given back that are not kept.
    Last,
}

/// Gives some free pages back when a quarter of the file is free.
///
/// Below that they are left for the next writes, so that a file of a steady size is not cut and grown again.
fn shrink(connection: &Connection) -> Result<Shrunk, StoreError> {
    let count = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let free_and_all = || Ok::<_, rusqlite::Error>((count("freelist_count")?, count("page_count")?));
    let too_many = |(free, all): (i64, i64)| free > SPARE_PAGES && free >= all / 4;
    let before = free_and_all()?;
    if !too_many(before) {
        return Ok(Shrunk::Enough);
    }
    let mut statement = connection.prepare_cached(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    drop(rows);
    let after = free_and_all()?;
    // Of a file from before pages could be given back, none are.
    Ok(if too_many(after) && after != before { Shrunk::Some } else { Shrunk::Last })
}

/// Folds the log of writes into the file, which is cut then. Says whether all of it was folded: readers are not waited
/// for, and one that began before the last write keeps what it may still read.
fn fold(connection: &Connection) -> Result<bool, StoreError> {
    let (log, folded): (i64, i64) =
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok((row.get(1)?, row.get(2)?)))?;
    Ok(log == folded)
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
