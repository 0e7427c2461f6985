//! Fires the jobs of one app.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{Claim, JobStore, Shelf, StoredJob};
use crate::{
    apps,
    config::AppAddress,
    delivery::{Caller, Reached, after_absences},
    store::now,
};

/// Calls of an app at once: what fell due in a long stop comes to it little by little.
const CALLS: usize = 16;
/// How long an app may work on one call.
const ANSWER: Duration = Duration::from_secs(60);
/// How often the clock is looked at while a job waits, since it may be set, or the machine may sleep.
const LOOK: i64 = 1000;
/// How late a job may come before it is counted.
const LATE: i64 = 1000;
/// The wait before a note that could not be written is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// All but RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What fires the jobs of one app.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) shelf: Arc<Shelf>,
    pub(super) store: JobStore,
    pub(super) caller: Caller,
    pub(super) address: AppAddress,
    pub(super) stop: CancellationToken,
}

/// What became of a job whose time had come.
enum After {
    /// The tick is over, and what comes next is noted.
    Over,
    /// Another replica is at work on it: look again at this time.
    Held(i64),
    /// The tick is over, and the next one is at this time.
    Later(i64),
    /// The app failed, and is asked again at this time.
    Failed(i64),
    /// The app was not there.
    Absent,
}

/// A worker at work.
struct Firing {
    worker: Arc<Worker>,
    calls: FuturesUnordered<BoxFuture<'static, (i64, After)>>,
    /// How often the app has failed on the tick of a job.
    failures: HashMap<i64, u32>,
    /// How often in a row the app was not there, and when it is asked again.
    absence: Option<(u32, Instant)>,
    /// Until when another replica may be at work on a job: it may wait for the app as we would.
    held_until: i64,
}

impl Worker {
    /// Fires until it is told to stop, and then waits for what is on its way.
    pub(super) async fn run(self) {
        let (worker, calls, failures) = (Arc::new(self), FuturesUnordered::new(), HashMap::new());
        Firing { worker, calls, failures, absence: None, held_until: 0 }.run().await;
    }

    /// Calls the app with a job whose time has come, unless another replica does.
    ///
    /// An app that was `away` is asked first whether it is there: the database is asked nothing for one that is not.
    async fn fire(&self, id: i64, failures: u32, away: bool) -> After {
        if away && !apps::accepts(&self.address).await {
            return After::Absent;
        }
        let job = match self.store.claim(id).await {
            Ok(Claim::Won(job)) => job,
            Ok(Claim::Held(time)) => return After::Held(time),
            Ok(Claim::Over(next)) => return After::Later(next),
            // It was deleted, or another took its place.
            Ok(Claim::Gone) => return After::Over,
            Err(error) => {
                tracing::error!(%error, "a job that is due could not be read");
                return After::Absent;
            }
        };
        self.store.holding_job(id, self.call(id, job, failures)).await
    }

    /// Calls the app, and notes what comes next.
    async fn call(&self, id: i64, job: StoredJob, failures: u32) -> After {
        let begin = now();
        let start = std::time::Instant::now();
        let url = self.address.url(&format!("/job/{}", utf8_percent_encode(&job.name, SEGMENT)));
        let reached = self.caller.post(&url, &[], Bytes::from(job.data.clone()), ANSWER).await;
        let failure = match reached {
            Reached::Absent => return After::Absent,
            Reached::Answered(status) if status.is_success() => None,
            // As Dapr's, an app that does not know a job is not asked again.
            Reached::Answered(status) => Some((format!("the app answered {}", status.as_u16()), status != 404)),
            Reached::Failed(reason) => Some((reason.to_owned(), true)),
        };
        self.caller.metrics().jobs().fired(failure.is_none(), start);
        if failures == 0 && begin - job.due > LATE {
            self.caller.metrics().jobs().late();
        }
        if let Some((reason, again)) = failure {
            let wait = job.terms.wait(failures + 1).filter(|_| again);
            let (app, goes_on) = (&self.shelf.app, wait.is_some());
            tracing::warn!(app, job = %job.name, %reason, failures = failures + 1, goes_on, "an app failed on a job");
            if let Some(wait) = wait {
                self.store.hold(id, Duration::from_millis(u64::try_from(wait).unwrap_or_default())).await;
                return After::Failed(now().saturating_add(wait));
            }
        }
        self.note(id, job, begin).await;
        After::Over
    }

    /// Writes that a tick is over. What cannot be written is tried again, since the app was called.
    async fn note(&self, id: i64, job: StoredJob, begin: i64) {
        let fired = job.fired.saturating_add(1);
        let next = job.terms.next(job.due, begin, fired, job.expires);
        loop {
            let shelf = self.shelf.clone();
            let then = move || next.into_iter().for_each(|next| shelf.put(id, next));
            let Err(error) = self.store.note(id, next, fired, then).await else { return };
            tracing::error!(%error, app = %self.shelf.app, job = %job.name, "a job was fired, and that could not be noted");
            if self.stop.run_until_cancelled(sleep(AGAIN)).await.is_none() {
                return;
            }
        }
    }
}

impl Firing {
    async fn run(mut self) {
        let (shelf, stop) = (self.worker.shelf.clone(), self.worker.stop.clone());
        loop {
            let stopping = stop.is_cancelled();
            if stopping && self.calls.is_empty() {
                return;
            }
            if !stopping {
                self.start_due();
            }
            let due = shelf.agenda().next().is_some_and(|next| next <= now());
            shelf.work.tell(!self.calls.is_empty() || due || self.held_until > now());
            let wait = self.wait().filter(|_| !stopping);
            tokio::select! {
                () = stop.cancelled(), if !stopping => {}
                Some((id, after)) = self.calls.next(), if !self.calls.is_empty() => self.ended(id, after),
                () = shelf.changed.notified(), if !stopping => {}
                () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
        }
    }

    /// How many calls there may be at once, now.
    fn limit(&self) -> usize {
        match self.absence {
            None => CALLS,
            Some((_, probe)) if probe <= Instant::now() => 1,
            Some(_) => 0,
        }
    }

    fn start_due(&mut self) {
        let (time, limit, away) = (now(), self.limit(), self.absence.is_some());
        while self.calls.len() < limit {
            let Some(id) = self.worker.shelf.agenda().take_due(time) else { return };
            let (worker, failures) = (self.worker.clone(), self.failures.get(&id).copied().unwrap_or(0));
            self.calls.push(Box::pin(async move { (id, worker.fire(id, failures, away).await) }));
        }
    }

    fn ended(&mut self, id: i64, after: After) {
        self.worker.shelf.agenda().end(id);
        match after {
            After::Over => {
                self.failures.remove(&id);
            }
            After::Held(time) => {
                self.failures.remove(&id);
                self.held_until = self.held_until.max(time);
                self.worker.shelf.put(id, time);
            }
            After::Later(time) => {
                self.failures.remove(&id);
                self.worker.shelf.put(id, time);
            }
            After::Failed(again) => {
                *self.failures.entry(id).or_default() += 1;
                self.worker.shelf.put(id, again);
            }
            After::Absent => {
                // Calls that were on their way together are one absence.
                if self.limit() > 0 {
                    let times = self.absence.map_or(0, |(times, _)| times).saturating_add(1);
                    self.absence = Some((times, Instant::now() + after_absences(times)));
                }
                // It has waited the longest.
                self.worker.shelf.put(id, 0);
                return;
            }
        }
        self.absence = None;
    }

    /// How long to sleep until something may be due. None: until something else happens.
    fn wait(&self) -> Option<Duration> {
        let held = Some(self.held_until).filter(|until| *until > now());
        let next = self.worker.shelf.agenda().next().into_iter().chain(held).min()?;
        if self.calls.len() >= self.limit().max(1) {
            return None;
        }
        let until = u64::try_from((next - now()).clamp(0, LOOK)).unwrap_or_default();
        let wait = Duration::from_millis(until.max(1));
        Some(self.absence.map_or(wait, |(_, probe)| wait.max(probe.saturating_duration_since(Instant::now()))))
    }
}
