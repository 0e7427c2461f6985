//! Jobs: an app asks to be called at a time, or again and again (`POST /job/{name}`).
//!
//! A job is a row of the database. What is due next is held in memory ([`agenda`]), so that nothing is asked of the
//! database while nothing is due; the row is read when its time has come, and it decides. A tick is over when that is
//! written: one that fell due while the sidecar was down comes once after the start, and comes again only when the
//! process ended between the call and the note of it. Replicas on PostgreSQL hold the same agenda, and who claims a job
//! that is due calls with it.
//! Each app has a [`worker`] of its own, so that one that is slow or away holds up nobody else.

mod agenda;
mod moment;
pub(crate) mod schedule;
mod store;
mod terms;
mod worker;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    activity::Work,
    config::AppAddress,
    delivery::Caller,
    store::{StoreError, now},
};

use agenda::Agenda;
use worker::Worker;

#[cfg(feature = "postgres")]
pub(crate) use store::CLAIM;
pub(crate) use store::{Claim, Created, JobStore, Page, StoredJob, Summary, Tick, TickClaim, WaitingJob};
pub(crate) use terms::{InvalidJob, NewJob, Terms};

/// Jobs of all apps at most. Each takes some 140 bytes of memory beside its row.
pub(crate) const JOBS: usize = 1_000_000;

/// The jobs of all apps.
#[derive(Debug)]
pub(crate) struct Jobs {
    store: JobStore,
    caller: Caller,
    /// The app whose jobs are meant when a caller does not say.
    owner: String,
    shelves: BTreeMap<String, Arc<Shelf>>,
    stop: CancellationToken,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

/// The jobs of one app.
#[derive(Debug)]
struct Shelf {
    app: String,
    agenda: Mutex<Agenda>,
    /// The agenda's first job may be another.
    changed: Notify,
    /// Whether a job is due, or on its way.
    work: Work,
}

impl Shelf {
    fn new(app: &str) -> Arc<Self> {
        Arc::new(Self { app: app.to_owned(), agenda: Mutex::default(), changed: Notify::new(), work: Work::default() })
    }

    fn agenda(&self) -> MutexGuard<'_, Agenda> {
        self.agenda.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, id: i64, time: i64) {
        self.agenda().put(id, time);
        self.changed.notify_one();
    }

    /// A job is there that may be new.
    fn meet(&self, id: i64, due: i64) {
        if self.agenda().meet(id, due) {
            self.changed.notify_one();
        }
    }
}

/// Why a job was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateError {
    /// There is one of that name.
    #[error("there is a job `{0}`; set `overwrite` to put another in its place")]
    Exists(String),
    /// There are too many.
    #[error("there are {JOBS} jobs; delete some")]
    Full,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An app is not known here.
#[derive(Debug, thiserror::Error)]
#[error("the app `{app}` is not one of this sidecar's; expected {expected}")]
pub(crate) struct UnknownApp {
    app: String,
    expected: String,
}

impl Jobs {
    /// Finds out which jobs of `apps` are due next. Without any app, jobs are kept for `app_id` until it is there.
    ///
    /// What is in a database that may be away is found out by [`Jobs::learn`].
    pub(crate) async fn open(
        store: JobStore,
        caller: Caller,
        app_id: &str,
        apps: &BTreeMap<String, AppAddress>,
    ) -> Result<Self, StoreError> {
        let owner = if apps.contains_key(app_id) { Some(app_id) } else { apps.keys().next().map(String::as_str) };
        let owner = owner.unwrap_or(app_id).to_owned();
        let shelves = apps.keys().chain([&owner]).map(|app| (app.clone(), Shelf::new(app))).collect();
        let (stop, workers) = (CancellationToken::new(), Mutex::default());
        let jobs = Self { store, caller, owner, shelves, stop, workers };
        if matches!(jobs.store, JobStore::Sqlite(_)) {
            jobs.learn().await?;
        }
        Ok(jobs)
    }

    /// Finds out which jobs there are, beside those that are known.
    pub(crate) async fn learn(&self) -> Result<(), StoreError> {
        for (app, shelf) in &self.shelves {
            let mut after = Some(String::new());
            while let Some(name) = after {
                let Page { jobs, last } = self.store.agenda(app, &name).await?;
                jobs.into_iter().for_each(|(id, due)| shelf.meet(id, due));
                after = last;
            }
        }
        Ok(())
    }

    /// Another replica has made a job, or this one has, which may not know it: the answer of its database was lost.
    pub(crate) fn hear(&self, app: &str, id: i64, due: i64) {
        if let Some(shelf) = self.shelves.get(app) {
            shelf.meet(id, due);
        }
    }

    /// Begins to fire.
    pub(crate) fn start(&self, apps: &BTreeMap<String, AppAddress>) {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        for (app, address) in apps {
            let worker = Worker {
                shelf: self.shelves[app].clone(),
                store: self.store.clone(),
                caller: self.caller.clone(),
                address: address.clone(),
                stop: self.stop.clone(),
            };
            workers.push(tokio::spawn(worker.run()));
        }
    }

    /// The app whose jobs are meant: the one that a caller names, or the sidecar's own, or the first.
    pub(crate) fn app<'jobs>(&'jobs self, named: &str) -> Result<&'jobs str, UnknownApp> {
        let app = if named.is_empty() { &self.owner } else { named };
        self.shelves.get(app).map(|shelf| shelf.app.as_str()).ok_or_else(|| UnknownApp {
            app: app.to_owned(),
            expected: self.shelves.keys().map(|app| format!("`{app}`")).collect::<Vec<_>>().join(", "),
        })
    }

    /// Makes a job of `app`.
    pub(crate) async fn create(&self, app: &str, job: NewJob) -> Result<(), CreateError> {
        if self.shelves.values().map(|shelf| shelf.agenda().len()).sum::<usize>() >= JOBS {
            return Err(CreateError::Full);
        }
        let (shelf, name, due) = (self.shelves[app].clone(), job.name.clone(), job.due);
        let created = self.store.create(app, job, move |id, replaced| {
            if let Some(replaced) = replaced {
                shelf.agenda().remove(replaced);
            }
            shelf.meet(id, due);
        });
        match created.await? {
            Created::Job { .. } => Ok(()),
            Created::Exists => Err(CreateError::Exists(name)),
        }
    }

    /// Reads a job of `app`.
    pub(crate) async fn get(&self, app: &str, name: &str) -> Result<Option<StoredJob>, StoreError> {
        self.store.get(app, name).await
    }

    /// Removes a job of `app`, which may be absent. A call that is on its way goes on.
    pub(crate) async fn delete(&self, app: &str, name: &str) -> Result<(), StoreError> {
        let shelf = self.shelves[app].clone();
        let deleted = self.store.delete(app, name, move |id| shelf.agenda().remove(id));
        deleted.await
    }

    /// The apps that have jobs, or may have some.
    pub(crate) fn apps(&self) -> impl Iterator<Item = &str> {
        self.shelves.keys().map(String::as_str)
    }

    /// What tells whether jobs of `app` are due or on their way.
    pub(crate) fn work(&self, app: &str) -> Option<&Work> {
        self.shelves.get(app).map(|shelf| &shelf.work)
    }

    /// How many jobs of `app` are due or on their way.
    pub(crate) fn due(&self, app: &str) -> usize {
        self.shelves.get(app).map_or(0, |shelf| shelf.agenda().due(now()))
    }

    /// The jobs of `app`, with those that were due before `time`, a hundred of them. For people.
    pub(crate) async fn summary(&self, app: &str, time: i64) -> Result<Summary, StoreError> {
        self.store.summary(app, time, 100).await
    }

    /// Fires nothing more, and waits for what is on its way. Says whether all of it ended in time.
    pub(crate) async fn shutdown(&self, deadline: Instant) -> bool {
        self.stop.cancel();
        let workers = std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        let mut ended = true;
        for mut worker in workers {
            if timeout_at(deadline, &mut worker).await.is_err() {
                worker.abort();
                ended = false;
            }
        }
        ended
    }
}
