//! The statements on jobs, and on the ticks of cron bindings.
//!
//! Replicas share jobs. Whose time has come is claimed by one of them for a short while, which it renews while it is at
//! work: what a replica had claimed when it ended comes to another one when the claim has ended.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use tokio_postgres::{Row, types::Type};

use super::{Database, Kind, Parameter, TEXT, error};
use crate::{
    jobs::{CLAIM, Claim, Created, NewJob, Page, StoredJob, Summary, Tick, TickClaim, WaitingJob},
    store::{StoreError, now},
};

/// Jobs of one page: whatever their number, each question is answered well within its time, and takes some MB of memory.
const PAGE: i64 = 10_000;

/// The statements, with the names filled in.
#[derive(Debug)]
pub(super) struct Texts {
    agenda: String,
    by_name: String,
    summary: String,
    late: String,
    create: String,
    delete: String,
    claim: String,
    hold: String,
    advance: String,
    finish: String,
    first_tick: String,
    claim_tick: String,
    hold_tick: String,
    note_tick: String,
    set_tick_back: String,
}

impl Texts {
    pub(super) fn new(fill: impl Fn(&str) -> String) -> Self {
        Self {
            agenda: fill("SELECT id, due, name FROM {job} WHERE app = $1 AND name > $2 ORDER BY name LIMIT $3"),
            by_name: fill("SELECT name, due, fired, expires, terms, data FROM {job} WHERE app = $1 AND name = $2"),
            summary: fill("SELECT count(*), min(due) FROM {job} WHERE app = $1"),
            late: fill("SELECT name, due FROM {job} WHERE app = $1 AND due < $2 ORDER BY due LIMIT $3"),
            create: fill("SELECT id, replaced FROM {create_job}($1, $2, $3, $4, $5, $6, $7, $8, $9)"),
            delete: fill("DELETE FROM {job} WHERE app = $1 AND name = $2 RETURNING id"),
            claim: fill(
                "SELECT won, remaining, name, due, fired, expires, terms, data FROM {claim_job}($1, $2, $3, $4)",
            ),
            hold: fill(
                "UPDATE {job} SET claimed_until = clock_timestamp() + $3 * interval '1 millisecond'
                 WHERE id = $2 AND claimed_by = $1",
            ),
            advance: fill(
                "UPDATE {job} SET due = $3, fired = $4, claimed_by = null, claimed_until = null
                 WHERE id = $2 AND claimed_by = $1 RETURNING id",
            ),
            finish: fill("DELETE FROM {job} WHERE id = $2 AND claimed_by = $1 RETURNING id"),
            first_tick: fill(
                "INSERT INTO {cron} AS c (binding, app, schedule, due) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (binding, app) DO UPDATE
                 SET schedule = excluded.schedule,
                     due = CASE WHEN c.schedule = excluded.schedule THEN least(c.due, excluded.due) ELSE excluded.due END
                 RETURNING due",
            ),
            claim_tick: fill("SELECT won, remaining, due FROM {claim_tick}($1, $2, $3, $4, $5)"),
            hold_tick: fill(
                "UPDATE {cron} SET claimed_until = clock_timestamp() + $4 * interval '1 millisecond'
                 WHERE binding = $2 AND app = $3 AND claimed_by = $1",
            ),
            note_tick: fill(
                "UPDATE {cron} SET due = $4, claimed_by = null, claimed_until = null
                 WHERE binding = $2 AND app = $3 AND claimed_by = $1",
            ),
            set_tick_back: fill("UPDATE {cron} SET due = $4 WHERE binding = $1 AND app = $2 AND due = $3"),
        }
    }
}

/// What a replica tells of a new job: to itself, too, since it may not know whether it has made one.
#[derive(Debug, Deserialize)]
pub(crate) struct Told {
    /// Whose it is.
    pub(crate) app: String,
    /// Its id.
    pub(crate) id: i64,
    /// Its first tick, in Unix milliseconds.
    pub(crate) due: i64,
}

impl Told {
    /// A new job, if a word tells of one.
    pub(crate) fn read(word: &str) -> Option<Self> {
        serde_json::from_str(word).ok()
    }
}

impl Database {
    /// The ids of the jobs of an app whose names come after `after`, with their next ticks: a page of them.
    pub(crate) async fn agenda(&self, app: &str, after: &str) -> Result<Page, StoreError> {
        let parameters: [Parameter<'_>; 3] = [(&app, TEXT), (&after, TEXT), (&PAGE, Type::INT8)];
        let rows = self.ask(Kind::Read, &self.texts.jobs.agenda, &parameters).await?;
        let jobs = all(&rows, |row| Ok((row.try_get(0)?, row.try_get(1)?)))?;
        let full = i64::try_from(rows.len()).is_ok_and(|count| count >= PAGE);
        let last = rows.last().filter(|_| full).map(|row| row.try_get(2)).transpose().map_err(error::meaning)?;
        Ok(Page { jobs, last })
    }

    /// Reads the job of a name.
    pub(crate) async fn job(&self, app: &str, name: &str) -> Result<Option<StoredJob>, StoreError> {
        let rows = self.ask(Kind::Read, &self.texts.jobs.by_name, &[(&app, TEXT), (&name, TEXT)]).await?;
        rows.first().map(|row| stored(row, 0)).transpose()
    }

    /// The jobs of an app, with those that were due before `time`, `most` of them.
    pub(crate) async fn summary(&self, app: &str, time: i64, most: u32) -> Result<Summary, StoreError> {
        let rows = self.ask(Kind::Read, &self.texts.jobs.summary, &[(&app, TEXT)]).await?;
        let (count, next) = one(&rows, |row| Ok((row.try_get(0)?, row.try_get(1)?)))?;
        let most = i64::from(most);
        let parameters: [Parameter<'_>; 3] = [(&app, TEXT), (&time, Type::INT8), (&most, Type::INT8)];
        let rows = self.ask(Kind::Read, &self.texts.jobs.late, &parameters).await?;
        let late = all(&rows, |row| Ok(WaitingJob { name: row.try_get(0)?, due: row.try_get(1)? }))?;
        Ok(Summary { count, next, late })
    }

    /// Stores a new job, and tells the other replicas of it.
    pub(crate) async fn create_job(&self, app: &str, job: &NewJob) -> Result<Created, StoreError> {
        let terms = serde_json::to_string(&job.terms).expect("what was read from JSON is JSON");
        let channel = self.settings.names.channel();
        let parameters: [Parameter<'_>; 9] = [
            (&self.me, Type::UUID),
            (&app, TEXT),
            (&job.name, TEXT),
            (&job.due, Type::INT8),
            (&job.expires, Type::INT8),
            (&terms, TEXT),
            (&job.data, TEXT),
            (&job.overwrite, Type::BOOL),
            (&channel, TEXT),
        ];
        let rows = self.ask(Kind::Write, &self.texts.jobs.create, &parameters).await?;
        let (id, replaced): (Option<i64>, Option<i64>) = one(&rows, |row| Ok((row.try_get(0)?, row.try_get(1)?)))?;
        Ok(id.map_or(Created::Exists, |id| Created::Job { id, replaced }))
    }

    /// Removes a job by its name, and gives the id that it had.
    pub(crate) async fn delete_job(&self, app: &str, name: &str) -> Result<Option<i64>, StoreError> {
        let rows = self.ask(Kind::Read, &self.texts.jobs.delete, &[(&app, TEXT), (&name, TEXT)]).await?;
        Ok(all(&rows, |row| row.try_get(0))?.pop())
    }

    /// Takes a job that is due, for [`CLAIM`].
    pub(crate) async fn claim_job(&self, id: i64) -> Result<Claim, StoreError> {
        let (moment, lasts) = (now(), milliseconds(CLAIM));
        let parameters: [Parameter<'_>; 4] =
            [(&self.me, Type::UUID), (&id, Type::INT8), (&moment, Type::INT8), (&lasts, Type::INT8)];
        let rows = self.ask(Kind::Read, &self.texts.jobs.claim, &parameters).await?;
        let Some(row) = rows.first() else { return Ok(Claim::Gone) };
        let (won, remaining): (bool, i64) =
            (row.try_get(0).map_err(error::meaning)?, row.try_get(1).map_err(error::meaning)?);
        let job = stored(row, 2)?;
        Ok(match won {
            true => Claim::Won(job),
            false if job.due <= moment => Claim::Held(now().saturating_add(remaining)),
            false => Claim::Over(job.due),
        })
    }

    /// Keeps a claim for `time` more, and for [`CLAIM`] beyond it.
    pub(crate) async fn hold_job(&self, id: i64, time: Duration) -> Result<(), StoreError> {
        let lasts = milliseconds(CLAIM.saturating_add(time));
        let parameters: [Parameter<'_>; 3] = [(&self.me, Type::UUID), (&id, Type::INT8), (&lasts, Type::INT8)];
        self.ask(Kind::Read, &self.texts.jobs.hold, &parameters).await.map(drop)
    }

    /// A tick is over, and another comes. False: the job is gone, or another replica has taken it.
    pub(crate) async fn advance_job(&self, id: i64, due: i64, fired: u32) -> Result<bool, StoreError> {
        let fired = i64::from(fired);
        let parameters: [Parameter<'_>; 4] =
            [(&self.me, Type::UUID), (&id, Type::INT8), (&due, Type::INT8), (&fired, Type::INT8)];
        Ok(!self.ask(Kind::Write, &self.texts.jobs.advance, &parameters).await?.is_empty())
    }

    /// The last tick of a job is over. False: the job is gone already, or another replica has taken it.
    pub(crate) async fn finish_job(&self, id: i64) -> Result<bool, StoreError> {
        let parameters: [Parameter<'_>; 2] = [(&self.me, Type::UUID), (&id, Type::INT8)];
        Ok(!self.ask(Kind::Write, &self.texts.jobs.finish, &parameters).await?.is_empty())
    }

    /// The tick of a cron binding that is noted under this schedule; `next` where there is none before it.
    pub(crate) async fn first_tick(&self, tick: &Tick<'_>, schedule: &str, next: i64) -> Result<i64, StoreError> {
        let parameters: [Parameter<'_>; 4] =
            [(&tick.binding, TEXT), (&tick.app, TEXT), (&schedule, TEXT), (&next, Type::INT8)];
        let rows = self.ask(Kind::Read, &self.texts.jobs.first_tick, &parameters).await?;
        one(&rows, |row| row.try_get(0))
    }

    /// Takes a tick that is due, for [`CLAIM`].
    pub(crate) async fn claim_tick(&self, tick: &Tick<'_>) -> Result<TickClaim, StoreError> {
        let (moment, lasts) = (now(), milliseconds(CLAIM));
        let parameters: [Parameter<'_>; 5] = [
            (&self.me, Type::UUID),
            (&tick.binding, TEXT),
            (&tick.app, TEXT),
            (&moment, Type::INT8),
            (&lasts, Type::INT8),
        ];
        let rows = self.ask(Kind::Read, &self.texts.jobs.claim_tick, &parameters).await?;
        let (won, remaining, due): (bool, i64, i64) =
            one(&rows, |row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))?;
        Ok(match won {
            true => TickClaim::Won,
            false if due <= moment => TickClaim::Held(now().saturating_add(remaining)),
            false => TickClaim::Over(due),
        })
    }

    /// Keeps a claim.
    pub(crate) async fn hold_tick(&self, tick: &Tick<'_>) -> Result<(), StoreError> {
        let lasts = milliseconds(CLAIM);
        let parameters: [Parameter<'_>; 4] =
            [(&self.me, Type::UUID), (&tick.binding, TEXT), (&tick.app, TEXT), (&lasts, Type::INT8)];
        self.ask(Kind::Read, &self.texts.jobs.hold_tick, &parameters).await.map(drop)
    }

    /// Notes the tick that comes next, unless another replica has taken this one.
    pub(crate) async fn note_tick(&self, tick: &Tick<'_>, due: i64) -> Result<(), StoreError> {
        let parameters: [Parameter<'_>; 4] =
            [(&self.me, Type::UUID), (&tick.binding, TEXT), (&tick.app, TEXT), (&due, Type::INT8)];
        self.ask(Kind::Read, &self.texts.jobs.note_tick, &parameters).await.map(drop)
    }

    /// Notes `due` in the place of `wrong`, where that is still noted.
    pub(crate) async fn set_tick_back(&self, tick: &Tick<'_>, wrong: i64, due: i64) -> Result<(), StoreError> {
        let parameters: [Parameter<'_>; 4] =
            [(&tick.binding, TEXT), (&tick.app, TEXT), (&wrong, Type::INT8), (&due, Type::INT8)];
        self.ask(Kind::Read, &self.texts.jobs.set_tick_back, &parameters).await.map(drop)
    }
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>) -> Result<Vec<T>, StoreError> {
    rows.iter().map(read).collect::<Result<_, _>>().map_err(error::meaning)
}

fn one<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>) -> Result<T, StoreError> {
    let row = rows.first().ok_or_else(|| StoreError::failed("a statement gave no row"))?;
    read(row).map_err(error::meaning)
}

/// A job whose columns begin at `at`.
fn stored(row: &Row, at: usize) -> Result<StoredJob, StoreError> {
    let fired: i64 = row.try_get(at + 2).map_err(error::meaning)?;
    let terms: &str = row.try_get(at + 4).map_err(error::meaning)?;
    let terms = serde_json::from_str(terms).map_err(|error| StoreError::Failed { source: Arc::new(error) })?;
    Ok(StoredJob {
        name: row.try_get(at).map_err(error::meaning)?,
        due: row.try_get(at + 1).map_err(error::meaning)?,
        fired: u32::try_from(fired).unwrap_or(u32::MAX),
        expires: row.try_get(at + 3).map_err(error::meaning)?,
        terms,
        data: row.try_get(at + 5).map_err(error::meaning)?,
    })
}
