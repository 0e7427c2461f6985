//! Where jobs and the ticks of cron bindings are kept.
//!
//! A SQLite file has one process, and nothing there needs to be claimed. On PostgreSQL replicas share them, and what is
//! due is claimed by one.

use std::{sync::Arc, time::Duration};

use super::{NewJob, Terms};
#[cfg(feature = "postgres")]
use crate::postgres;
use crate::{
    sqlite::{Database, jobs as table},
    store::StoreError,
};

/// A job as it is stored.
#[derive(Debug)]
pub(crate) struct StoredJob {
    /// Unique among the jobs of its app.
    pub(crate) name: String,
    /// The tick that comes next, in Unix milliseconds.
    pub(crate) due: i64,
    /// How many ticks are over.
    pub(crate) fired: u32,
    /// No tick is later.
    pub(crate) expires: Option<i64>,
    /// What the caller said.
    pub(crate) terms: Terms,
    /// JSON.
    pub(crate) data: String,
}

/// A job that waits, for people.
#[derive(Debug)]
pub(crate) struct WaitingJob {
    /// Unique among the jobs of its app.
    pub(crate) name: String,
    /// The tick that comes next, in Unix milliseconds.
    pub(crate) due: i64,
}

/// The jobs of an app, for people.
#[derive(Debug)]
pub(crate) struct Summary {
    /// How many there are.
    pub(crate) count: i64,
    /// The first tick of any, in Unix milliseconds.
    pub(crate) next: Option<i64>,
    /// Those whose tick is overdue, the first first.
    pub(crate) late: Vec<WaitingJob>,
}

/// Some of the jobs of an app.
#[derive(Debug)]
pub(crate) struct Page {
    /// Their ids, with their next ticks in Unix milliseconds.
    pub(crate) jobs: Vec<(i64, i64)>,
    /// The name after which there may be more. None: these are the last.
    pub(crate) last: Option<String>,
}

/// What became of a new job.
#[derive(Debug)]
pub(crate) enum Created {
    /// It has this id, which no other job ever had, and took the place of another.
    Job { id: i64, replaced: Option<i64> },
    /// There is one of that name.
    Exists,
}

/// What becomes of a job whose time has come. Times are in Unix milliseconds.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It is this replica's, until it says otherwise or falls silent.
    Won(StoredJob),
    /// Another replica is at work on it: look again at this time.
    Held(i64),
    /// Its tick is over, and the next one is at this time.
    Over(i64),
    /// It was deleted, or another took its place.
    Gone,
}

/// What becomes of a tick of a cron binding whose time has come. Times are in Unix milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TickClaim {
    /// It is this replica's, until it says otherwise or falls silent.
    Won,
    /// Another replica is at work on it: look again at this time.
    Held(i64),
    /// It is over, and the next one is at this time.
    Over(i64),
}

/// A cron binding and one of its apps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tick<'a> {
    pub(crate) binding: &'a str,
    pub(crate) app: &'a str,
}

/// How long a claim lasts, beyond the time for which it is asked.
#[cfg(feature = "postgres")]
pub(crate) const CLAIM: Duration = Duration::from_secs(10);

/// Where jobs are kept.
#[derive(Debug, Clone)]
pub(crate) enum JobStore {
    /// In a SQLite database.
    Sqlite(Arc<Database>),
    /// In a PostgreSQL database.
    #[cfg(feature = "postgres")]
    Postgres(Arc<postgres::Database>),
}

impl JobStore {
    /// The ids of the jobs of an app whose names come after `after`, with their next ticks. A file gives all at once.
    pub(super) async fn agenda(&self, app: &str, after: &str) -> Result<Page, StoreError> {
        match self {
            Self::Sqlite(database) => {
                let (app, after) = (app.to_owned(), after.to_owned());
                let jobs = database.read(move |connection| table::agenda(connection, &app, &after)).await?;
                Ok(Page { jobs, last: None })
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.agenda(app, after).await,
        }
    }

    /// Reads the job of a name.
    pub(super) async fn get(&self, app: &str, name: &str) -> Result<Option<StoredJob>, StoreError> {
        match self {
            Self::Sqlite(database) => {
                let (app, name) = (app.to_owned(), name.to_owned());
                database.read(move |connection| table::by_name(connection, &app, &name)).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.job(app, name).await,
        }
    }

    /// The jobs of an app, with those that were due before `time`, `most` of them. It reads the rows of all.
    pub(super) async fn summary(&self, app: &str, time: i64, most: u32) -> Result<Summary, StoreError> {
        match self {
            Self::Sqlite(database) => {
                let app = app.to_owned();
                database.read(move |connection| table::summary(connection, &app, time, most)).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.summary(app, time, most).await,
        }
    }

    /// Stores a new job, and calls `then` when it is there, even when the caller has gone.
    pub(super) async fn create(
        &self,
        app: &str,
        job: NewJob,
        then: impl FnOnce(i64, Option<i64>) + Send + 'static,
    ) -> Result<Created, StoreError> {
        let app = app.to_owned();
        match self {
            Self::Sqlite(database) => {
                let create = database.write(move |batch| {
                    let created = table::create(batch, &app, &job)?;
                    if let Created::Job { id, replaced } = created {
                        batch.once_committed(move || then(id, replaced));
                    }
                    Ok(created)
                });
                create.await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                let database = database.clone();
                let create = async move {
                    let created = database.create_job(&app, &job).await?;
                    if let Created::Job { id, replaced } = created {
                        then(id, replaced);
                    }
                    Ok(created)
                };
                to_its_end(create).await
            }
        }
    }

    /// Removes a job, and calls `then` with its id when it is gone, even when the caller has gone.
    pub(super) async fn delete(
        &self,
        app: &str,
        name: &str,
        then: impl FnOnce(i64) + Send + 'static,
    ) -> Result<(), StoreError> {
        let (app, name) = (app.to_owned(), name.to_owned());
        match self {
            Self::Sqlite(database) => {
                let delete = database.write(move |batch| {
                    if let Some(id) = table::delete(batch, &app, &name)? {
                        batch.once_committed(move || then(id));
                    }
                    Ok(())
                });
                delete.await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                let database = database.clone();
                let delete =
                    async move { database.delete_job(&app, &name).await.map(|id| id.map(then).unwrap_or_default()) };
                to_its_end(delete).await
            }
        }
    }

    /// Takes a job whose time has come.
    pub(super) async fn claim(&self, id: i64) -> Result<Claim, StoreError> {
        match self {
            Self::Sqlite(database) => {
                let job = database.read(move |connection| table::by_id(connection, id)).await?;
                Ok(job.map_or(Claim::Gone, Claim::Won))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.claim_job(id).await,
        }
    }

    /// Keeps what was claimed for `time` more.
    pub(super) async fn hold(&self, id: i64, time: Duration) {
        #[cfg(feature = "postgres")]
        if let Self::Postgres(database) = self
            && let Err(error) = database.hold_job(id, time).await
        {
            tracing::warn!(%error, "a job could not be kept: another replica may call with it too");
        }
    }

    /// A tick is over, and `next` comes, or nothing. Calls `then` when that is noted.
    pub(super) async fn note(
        &self,
        id: i64,
        next: Option<i64>,
        fired: u32,
        then: impl FnOnce() + Send + 'static,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(database) => {
                let note = database.write(move |batch| {
                    let noted = match next {
                        Some(next) => table::advance(batch, id, next, fired)?,
                        None => table::finish(batch, id)?,
                    };
                    if noted {
                        batch.once_committed(then);
                    }
                    Ok(())
                });
                note.await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                match next {
                    Some(next) => database.advance_job(id, next, fired).await?,
                    None => database.finish_job(id).await?,
                };
                // Where another replica has taken the job, the next look tells.
                then();
                Ok(())
            }
        }
    }

    /// The tick of a cron binding that is noted under this schedule, or `next`, where none is or one that is later: that was
    /// noted by a clock that was ahead.
    pub(crate) async fn first_tick(&self, tick: Tick<'_>, schedule: &str, next: i64) -> Result<i64, StoreError> {
        match self {
            Self::Sqlite(database) => {
                let (binding, app, text) = (tick.binding.to_owned(), tick.app.to_owned(), schedule.to_owned());
                let noted =
                    database.read(move |connection| table::cron_tick(connection, &binding, &app, &text)).await?;
                match noted {
                    Some(due) => Ok(due.min(next)),
                    None => self.note_tick(tick, schedule, next).await.map(|()| next),
                }
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.first_tick(&tick, schedule, next).await,
        }
    }

    /// Takes a tick that is due.
    pub(crate) async fn claim_tick(&self, tick: Tick<'_>) -> Result<TickClaim, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(TickClaim::Won),
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.claim_tick(&tick).await,
        }
    }

    /// Notes `due` in the place of `wrong`, a tick that was noted by a clock that was ahead.
    pub(crate) async fn set_tick_back(&self, tick: Tick<'_>, wrong: i64, due: i64) -> Result<(), StoreError> {
        match self {
            // Nobody else notes ticks of a file.
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.set_tick_back(&tick, wrong, due).await,
        }
    }

    /// Does `work`, and keeps the tick meanwhile.
    pub(crate) async fn holding_tick<T>(&self, tick: Tick<'_>, work: impl Future<Output = T>) -> T {
        match self {
            Self::Sqlite(_) => work.await,
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                let hold = || async {
                    if let Err(error) = database.hold_tick(&tick).await {
                        let binding = tick.binding;
                        tracing::warn!(%error, binding, "a tick could not be kept: another replica may call too");
                    }
                };
                meanwhile(work, hold).await
            }
        }
    }

    /// Does `work`, and keeps the job meanwhile.
    pub(super) async fn holding_job<T>(&self, id: i64, work: impl Future<Output = T>) -> T {
        match self {
            Self::Sqlite(_) => work.await,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => meanwhile(work, || self.hold(id, Duration::ZERO)).await,
        }
    }

    /// Notes which tick comes next.
    pub(crate) async fn note_tick(&self, tick: Tick<'_>, schedule: &str, due: i64) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(database) => {
                let (binding, app, schedule) = (tick.binding.to_owned(), tick.app.to_owned(), schedule.to_owned());
                database.write(move |batch| table::note_cron_tick(batch, &binding, &app, &schedule, due)).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.note_tick(&tick, due).await,
        }
    }
}

/// Does `work`, and keeps what was claimed for it while that takes.
#[cfg(feature = "postgres")]
async fn meanwhile<T, F: Future<Output = ()>>(work: impl Future<Output = T>, hold: impl Fn() -> F) -> T {
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(CLAIM / 3) => hold().await,
        }
    }
}

/// Whatever becomes of the caller: what is written has to be noted in memory too.
#[cfg(feature = "postgres")]
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    let ended = tokio::spawn(work).await;
    ended.unwrap_or_else(|_| Err(StoreError::failed("a change of a job ended badly")))
}
