//! How far each consumer group has come.
//!
//! An answer of an app is not worth a commit of its own: it is noted here, and written with a commit that happens anyway
//! or after [`DELAY`]. A crash in between means that what was answered meanwhile comes again.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OptionalExtension, params};

use super::{log, writer::Batch};
use crate::{log::Progress, store::StoreError};

/// How long a note waits at most: 10 commits a second are little, and 100 ms of repeats after a crash are few.
const DELAY: Duration = Duration::from_millis(100);
/// How long to wait when the disk took nothing.
const DELAY_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// A group and the id of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ProgressKey {
    /// The consumer group.
    pub(crate) group: Arc<str>,
    /// The partition's id in the tables.
    pub(crate) partition: i64,
}

/// One line to be written.
pub(super) type Noted = (ProgressKey, Progress);

/// The progress of every group of this process, and what of it is not on the disk yet.
#[derive(Debug, Default)]
pub(super) struct PendingOffsets {
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    progress: HashMap<ProgressKey, Progress>,
    unwritten: HashSet<ProgressKey>,
    /// Groups that have ended and are forgotten once they are written.
    leaving: HashSet<ProgressKey>,
    due: Option<Instant>,
}

impl PendingOffsets {
    /// Notes it, and says whether it is the first since all was written: then the writer must learn when it is due.
    pub(super) fn note(&self, key: &ProgressKey, progress: Progress) -> bool {
        let mut notes = self.notes();
        notes.progress.insert(key.clone(), progress);
        notes.unwritten.insert(key.clone());
        let first = notes.due.is_none();
        notes.due.get_or_insert_with(|| Instant::now() + DELAY);
        first
    }

    /// How far a group of this process has come, and makes one known that comes from the disk.
    fn known_or(
        &self,
        key: &ProgressKey,
        read: impl FnOnce() -> Result<Progress, StoreError>,
    ) -> Result<Progress, StoreError> {
        // What was noted and is not written is newer than the table.
        let known = self.notes().progress.get(key).cloned();
        let progress = known.map_or_else(read, Ok)?;
        let mut notes = self.notes();
        notes.leaving.remove(key);
        notes.progress.insert(key.clone(), progress.clone());
        Ok(progress)
    }

    /// How far a group of this process has come.
    pub(super) fn get(&self, key: &ProgressKey) -> Option<Progress> {
        self.notes().progress.get(key).cloned()
    }

    /// A group has ended: what it noted is written, and then it keeps nothing back any more.
    pub(super) fn leave(&self, key: &ProgressKey) {
        let mut notes = self.notes();
        if notes.unwritten.contains(key) {
            notes.leaving.insert(key.clone());
        } else {
            notes.progress.remove(key);
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.notes().due
    }

    pub(super) fn is_due(&self) -> bool {
        self.due().is_some_and(|due| due <= Instant::now())
    }

    /// Everything that is not on the disk.
    pub(super) fn take(&self) -> Vec<Noted> {
        let mut notes = self.notes();
        notes.due = None;
        let keys = std::mem::take(&mut notes.unwritten);
        keys.into_iter().filter_map(|key| notes.progress.get(&key).cloned().map(|progress| (key, progress))).collect()
    }

    /// They are on the disk.
    pub(super) fn written(&self, noted: &[Noted]) {
        let mut notes = self.notes();
        for (key, _) in noted {
            if !notes.unwritten.contains(key) && notes.leaving.remove(key) {
                notes.progress.remove(key);
            }
        }
    }

    /// They could not be written.
    pub(super) fn give_back(&self, noted: Vec<Noted>) {
        if noted.is_empty() {
            return;
        }
        let mut notes = self.notes();
        notes.unwritten.extend(noted.into_iter().map(|(key, _)| key));
        notes.due = Some(Instant::now() + DELAY_AFTER_FAILURE);
    }

    /// The lowest offset of a partition that a group of this process still needs.
    pub(super) fn lowest(&self, partition: i64) -> Option<i64> {
        let notes = self.notes();
        notes.progress.iter().filter(|(key, _)| key.partition == partition).map(|(_, progress)| progress.lowest()).min()
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what was noted, as part of a transaction.
pub(super) fn write(connection: &Connection, noted: &[Noted]) -> Result<(), StoreError> {
    if noted.is_empty() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO consumer_offset (consumer_group, partition, next, unfinished) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET next = ?3, unfinished = ?4",
    )?;
    for (key, progress) in noted {
        let unfinished = serde_json::to_string(&progress.unfinished).expect("a list of numbers is JSON");
        statement.execute(params![&*key.group, key.partition, progress.next, unfinished])?;
    }
    Ok(())
}

/// Finds out how far a group has come, in memory or on the disk, and keeps what it needs from now on.
pub(super) fn begin(batch: &Batch<'_>, pending: &PendingOffsets, key: &ProgressKey) -> Result<Progress, StoreError> {
    pending.known_or(key, || open(batch, key))
}

/// Reads how far a group has come. A group that is new begins at the oldest message, and that is written down.
pub(crate) fn open(batch: &Batch<'_>, key: &ProgressKey) -> Result<Progress, StoreError> {
    let connection = batch.connection();
    let found: Option<(i64, String)> = connection
        .prepare_cached("SELECT next, unfinished FROM consumer_offset WHERE consumer_group = ?1 AND partition = ?2")?
        .query_row(params![&*key.group, key.partition], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let start = log::start(connection, key.partition)?;
    if let Some((next, unfinished)) = found {
        let unfinished: Vec<i64> =
            serde_json::from_str(&unfinished).map_err(|_| StoreError::failed("a list of offsets is not readable"))?;
        // Retention may have passed a group that was not there for long.
        return Ok(Progress { next: next.max(start), unfinished });
    }
    let progress = Progress { next: start, unfinished: Vec::new() };
    write(connection, &[(key.clone(), progress.clone())])?;
    Ok(progress)
}
