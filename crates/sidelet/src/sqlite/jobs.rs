//! The statements on jobs, and on the ticks of cron bindings.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::writer::Batch;
use crate::{
    jobs::{Created, NewJob, StoredJob, Summary, WaitingJob},
    store::StoreError,
};

/// The ids of the jobs of an app whose names come after `after`, with their next ticks.
pub(crate) fn agenda(connection: &Connection, app: &str, after: &str) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id, due FROM job WHERE app = ?1 AND name > ?2")?;
    let jobs = statement.query_map([app, after], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(jobs)
}

/// Reads the job of an id.
pub(crate) fn by_id(connection: &Connection, id: i64) -> Result<Option<StoredJob>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT name, due, fired, expires, terms, data FROM job WHERE id = ?1")?;
    Ok(statement.query_row([id], stored).optional()?)
}

/// Reads the job of a name.
pub(crate) fn by_name(connection: &Connection, app: &str, name: &str) -> Result<Option<StoredJob>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT name, due, fired, expires, terms, data FROM job WHERE app = ?1 AND name = ?2")?;
    Ok(statement.query_row([app, name], stored).optional()?)
}

fn stored(row: &Row<'_>) -> Result<StoredJob, rusqlite::Error> {
    let terms: String = row.get(4)?;
    let terms = serde_json::from_str(&terms)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Text, error.into()))?;
    Ok(StoredJob {
        name: row.get(0)?,
        due: row.get(1)?,
        fired: row.get(2)?,
        expires: row.get(3)?,
        terms,
        data: row.get(5)?,
    })
}

/// The jobs of an app, with those that were due before `time`, `most` of them. It reads the rows of all.
pub(crate) fn summary(connection: &Connection, app: &str, time: i64, most: u32) -> Result<Summary, StoreError> {
    let (count, next) = connection
        .prepare_cached("SELECT count(*), min(due) FROM job WHERE app = ?1")?
        .query_row([app], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut statement =
        connection.prepare_cached("SELECT name, due FROM job WHERE app = ?1 AND due < ?2 ORDER BY due LIMIT ?3")?;
    let late =
        statement.query_map(params![app, time, most], |row| Ok(WaitingJob { name: row.get(0)?, due: row.get(1)? }))?;
    Ok(Summary { count, next, late: late.collect::<Result<_, _>>()? })
}

/// Stores a new job.
pub(crate) fn create(batch: &Batch<'_>, app: &str, job: &NewJob) -> Result<Created, StoreError> {
    let connection = batch.connection();
    let replaced: Option<i64> = connection
        .prepare_cached("SELECT id FROM job WHERE app = ?1 AND name = ?2")?
        .query_row([app, &job.name], |row| row.get(0))
        .optional()?;
    if let Some(id) = replaced {
        if !job.overwrite {
            return Ok(Created::Exists);
        }
        finish(batch, id)?;
    }
    let terms = serde_json::to_string(&job.terms).expect("what was read from JSON is JSON");
    connection
        .prepare_cached(
            "INSERT INTO job (app, name, due, fired, expires, terms, data) VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6)",
        )?
        .execute(params![app, job.name, job.due, job.expires, terms, job.data])?;
    Ok(Created::Job { id: connection.last_insert_rowid(), replaced })
}

/// Removes a job by its name, and gives the id that it had.
pub(crate) fn delete(batch: &Batch<'_>, app: &str, name: &str) -> Result<Option<i64>, StoreError> {
    let mut statement =
        batch.connection().prepare_cached("DELETE FROM job WHERE app = ?1 AND name = ?2 RETURNING id")?;
    Ok(statement.query_row([app, name], |row| row.get(0)).optional()?)
}

/// A tick is over, and another comes. False: the job is gone, or another took its place.
pub(crate) fn advance(batch: &Batch<'_>, id: i64, due: i64, fired: u32) -> Result<bool, StoreError> {
    let mut statement = batch.connection().prepare_cached("UPDATE job SET due = ?2, fired = ?3 WHERE id = ?1")?;
    Ok(statement.execute(params![id, due, fired])? > 0)
}

/// The last tick of a job is over. False: the job is gone already.
pub(crate) fn finish(batch: &Batch<'_>, id: i64) -> Result<bool, StoreError> {
    Ok(batch.connection().prepare_cached("DELETE FROM job WHERE id = ?1")?.execute([id])? > 0)
}

/// The tick of a cron binding that comes next, where it was noted under this schedule.
pub(crate) fn cron_tick(
    connection: &Connection,
    binding: &str,
    app: &str,
    schedule: &str,
) -> Result<Option<i64>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT due FROM cron_tick WHERE binding = ?1 AND app = ?2 AND schedule = ?3")?;
    Ok(statement.query_row([binding, app, schedule], |row| row.get(0)).optional()?)
}

/// Notes the tick of a cron binding that comes next.
pub(crate) fn note_cron_tick(
    batch: &Batch<'_>,
    binding: &str,
    app: &str,
    schedule: &str,
    due: i64,
) -> Result<(), StoreError> {
    batch
        .connection()
        .prepare_cached("INSERT OR REPLACE INTO cron_tick (binding, app, schedule, due) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![binding, app, schedule, due])?;
    Ok(())
}
