//! Cron bindings: an app is called at the times that a file says (`POST /{name}`).
//!
//! The tick that comes next is noted in the database, so that one that fell due while the sidecar was down comes once
//! after the start. Between two ticks nothing is asked of the database.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    activity::Work,
    config::AppAddress,
    delivery::{Caller, Reached, after_absences},
    jobs::{JobStore, Tick, TickClaim},
    resources::{Component, CronSettings, Settings},
    store::now,
};

/// How long an app may work on one tick, and say whether it wants any.
const ANSWER: Duration = Duration::from_secs(60);
/// How often the clock is looked at, since it may be set, or the machine may sleep.
const LOOK: i64 = 1000;
/// How far the clocks of replicas may be apart, in milliseconds, before what one of them has noted is taken for wrong.
const APART: i64 = 60_000;
/// How late a tick may come before it is counted.
const LATE: i64 = 1000;
/// How often an app that fails on a tick is asked again, and the wait before: what a job has without a policy.
const TRIES: u32 = 3;
const AGAIN: Duration = Duration::from_secs(1);

/// All cron bindings.
#[derive(Debug)]
pub(crate) struct CronBindings {
    tickers: Vec<Arc<Ticker>>,
    stop: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// A binding and one of its apps.
#[derive(Debug)]
pub(crate) struct Ticker {
    /// The component's name.
    pub(crate) binding: String,
    /// The app's id.
    pub(crate) app: String,
    settings: Arc<CronSettings>,
    url: String,
    store: JobStore,
    caller: Caller,
    stop: CancellationToken,
    /// The tick that comes next; 0 while that is not known.
    due: AtomicI64,
    /// Whether a tick is due and not answered, here or at another replica.
    pub(crate) work: Work,
}

impl CronBindings {
    /// The bindings among `components`, whose next ticks are noted in `store`.
    pub(crate) fn new(
        components: &[Component],
        apps: &BTreeMap<String, AppAddress>,
        store: &JobStore,
        caller: &Caller,
    ) -> Self {
        let stop = CancellationToken::new();
        let mut tickers = Vec::new();
        for component in components {
            let Settings::Cron(settings) = &component.settings else { continue };
            for app in &settings.apps {
                tickers.push(Arc::new(Ticker {
                    binding: component.name.clone(),
                    app: app.clone(),
                    settings: settings.clone(),
                    url: apps[app].url(&settings.route),
                    store: store.clone(),
                    caller: caller.clone(),
                    stop: stop.clone(),
                    due: AtomicI64::new(0),
                    work: Work::default(),
                }));
            }
        }
        Self { tickers, stop, tasks: Mutex::default() }
    }

    /// Begins to call.
    pub(crate) fn start(&self) {
        let tasks = self.tickers.iter().cloned().map(|ticker| {
            tokio::spawn(async move {
                // None: the app does not want it, or it is the end.
                let _ = ticker.run().await;
            })
        });
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).extend(tasks);
    }

    /// The bindings with their apps.
    pub(crate) fn tickers(&self) -> &[Arc<Ticker>] {
        &self.tickers
    }

    /// Calls no more, and waits for what is on its way. Says whether all of it ended in time.
    pub(crate) async fn shutdown(&self, deadline: Instant) -> bool {
        self.stop.cancel();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let mut ended = true;
        for mut task in tasks {
            if timeout_at(deadline, &mut task).await.is_err() {
                task.abort();
                ended = false;
            }
        }
        ended
    }
}

impl Ticker {
    /// The tick that comes next, in Unix milliseconds. None: the app was not asked yet, or does not want any.
    pub(crate) fn due(&self) -> Option<i64> {
        Some(self.due.load(Ordering::Relaxed)).filter(|due| *due != 0)
    }

    async fn run(&self) -> Option<()> {
        if self.settings.asks_first {
            self.ask().await?;
        }
        let mut due = self.first().await?;
        loop {
            self.due.store(due, Ordering::Relaxed);
            due = self.wait_until(due).await?;
            match self.claim(due).await? {
                TickClaim::Won => {}
                TickClaim::Held(again) => {
                    // The other one may be waiting for the app, and whoever can wake it may listen to us.
                    self.work.tell(true);
                    due = again;
                    continue;
                }
                TickClaim::Over(next) => {
                    self.work.tell(false);
                    due = next;
                    continue;
                }
            }
            let begin = now();
            if begin - due > LATE {
                self.caller.metrics().jobs().late();
            }
            let tick = async {
                self.work.tell(true);
                let answered = self.tick().await;
                self.work.tell(false);
                answered?;
                let next = self.settings.schedule.next(due, begin)?;
                self.note(next).await?;
                Some(next)
            };
            due = self.store.holding_tick(self.key(), tick).await?;
        }
    }

    /// Asks the app whether it takes the binding, until it answers.
    async fn ask(&self) -> Option<()> {
        let mut absences = 0;
        loop {
            match self.caller.probe(&self.url, ANSWER).await {
                Reached::Answered(status) if status.is_success() || status == 405 => return Some(()),
                Reached::Answered(status) => {
                    let (app, binding) = (&self.app, &self.binding);
                    tracing::info!(app, binding, %status, "an app does not take a binding");
                    return None;
                }
                Reached::Absent | Reached::Failed(_) => {
                    absences += 1;
                    self.sleep(after_absences(absences)).await?;
                }
            }
        }
    }

    /// By which the tick is noted.
    fn key(&self) -> Tick<'_> {
        Tick { binding: &self.binding, app: &self.app }
    }

    /// The tick that was noted, or the first one from now on.
    async fn first(&self) -> Option<i64> {
        loop {
            let time = now();
            let next = self.settings.schedule.next(time, time)?;
            match self.store.first_tick(self.key(), &self.settings.text, next).await {
                Ok(due) => return Some(due),
                Err(error) => {
                    tracing::error!(%error, binding = %self.binding, "whether a tick was missed could not be read");
                    self.sleep(AGAIN).await?;
                }
            }
        }
    }

    /// Takes the tick that is due.
    async fn claim(&self, due: i64) -> Option<TickClaim> {
        loop {
            let time = now();
            let furthest = self.settings.schedule.next(time, time)?.saturating_add(APART);
            let claimed = match self.store.claim_tick(self.key()).await {
                // It was noted by a clock that was ahead, and so this tick is not over.
                Ok(TickClaim::Over(next)) if next > furthest => {
                    self.store.set_tick_back(self.key(), next, due).await.map(|()| None)
                }
                claimed => claimed.map(Some),
            };
            match claimed {
                Ok(Some(claim)) => return Some(claim),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, binding = %self.binding, "a tick that is due could not be read");
                    self.sleep(AGAIN).await?;
                }
            }
        }
    }

    /// Sleeps until a tick is due, and gives it: another one where the clock is set back meanwhile.
    async fn wait_until(&self, mut due: i64) -> Option<i64> {
        let mut last = now();
        loop {
            let time = now();
            if time < last && due > self.settings.schedule.next(time, time)? {
                due = self.first().await?;
                self.due.store(due, Ordering::Relaxed);
            }
            last = time;
            if due <= time {
                return (!self.stop.is_cancelled()).then_some(due);
            }
            let until = u64::try_from((due - time).min(LOOK)).unwrap_or_default();
            self.sleep(Duration::from_millis(until)).await?;
        }
    }

    /// Calls the app until it has answered.
    async fn tick(&self) -> Option<()> {
        let (mut absences, mut failures) = (0, 0);
        loop {
            let (start, headers) = (std::time::Instant::now(), headers());
            let status = match self.caller.post(&self.url, &headers, Bytes::new(), ANSWER).await {
                Reached::Absent => {
                    absences += 1;
                    self.sleep(after_absences(absences)).await?;
                    continue;
                }
                Reached::Answered(status) => Ok(status),
                Reached::Failed(reason) => Err(reason),
            };
            let success = status.is_ok_and(|status| status.is_success());
            self.caller.metrics().jobs().ticked(&self.binding, success, start);
            if success {
                return Some(());
            }
            failures += 1;
            let goes_on = failures <= TRIES && status.map_or(true, |status| status != 404);
            let (app, binding) = (&self.app, &self.binding);
            tracing::warn!(app, binding, ?status, failures, goes_on, "an app failed on a tick");
            if !goes_on {
                return Some(());
            }
            self.sleep(AGAIN).await?;
        }
    }

    /// Writes which tick comes next. What cannot be written is tried again, since the app was called.
    async fn note(&self, due: i64) -> Option<()> {
        while let Err(error) = self.store.note_tick(self.key(), &self.settings.text, due).await {
            tracing::error!(%error, binding = %self.binding, "the next tick could not be noted");
            self.sleep(AGAIN).await?;
        }
        Some(())
    }

    /// None: it is the end.
    async fn sleep(&self, wait: Duration) -> Option<()> {
        self.stop.run_until_cancelled(sleep(wait)).await
    }
}

/// daprd's. The time is as Go writes it.
fn headers() -> [(&'static str, String); 2] {
    let time = Timestamp::now().strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC").to_string();
    [("readtimeutc", time), ("timezone", "Local".to_owned())]
}
