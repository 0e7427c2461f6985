//! What there is to do for a target, and whether there is anything.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt, future::select_all};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::target::Target;
use crate::{activity::Activity, consumers::Listed, cron::Ticker, inspect, sidecar::Sidecar, store::StoreError};

/// How long a target counts as active after its last work: KEDA hears of a burst once, and not of each of its messages.
const LINGER: Duration = Duration::from_secs(1);

/// Everything of a target that is told without asking for it.
struct Sources(Vec<watch::Receiver<Activity>>);

impl Sources {
    fn of(target: &Target, sidecar: &Sidecar, listed: &[Listed]) -> Self {
        let mut all: Vec<_> = target.groups(listed).map(|listed| listed.status.work.listen()).collect();
        if target.topic.is_none() {
            all.extend(sidecar.jobs.work(&target.app).map(|work| work.listen()));
            all.extend(tickers(target, sidecar).map(|ticker| ticker.work.listen()));
        }
        Self(all)
    }

    /// When the target is idle: never while there is work, and a little after it.
    fn idle_at(&mut self) -> Option<Instant> {
        let mut last = None;
        for source in &mut self.0 {
            let activity = *source.borrow_and_update();
            if activity.busy {
                return None;
            }
            last = last.max(activity.since);
        }
        Some(last.map_or_else(Instant::now, |since| since + LINGER))
    }

    /// Waits until one of them says something new.
    async fn changed(&mut self) {
        if self.0.is_empty() {
            return std::future::pending().await;
        }
        // What tells of a group that ended is closed, and closed is new only once: the groups are another list then.
        let changes = self.0.iter_mut().map(|source| {
            async {
                if source.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            .boxed()
        });
        select_all(changes).await;
    }
}

/// Whether there is anything to do for a target, told when it changes.
pub(super) struct Watch {
    target: Target,
    groups: watch::Receiver<Vec<Listed>>,
    told: Option<bool>,
}

impl Watch {
    pub(super) fn new(target: Target, sidecar: &Sidecar) -> Self {
        Self { target, groups: sidecar.consumers.watch(), told: None }
    }

    /// Whether there is, at once the first time, and then when it is no longer what was told. None: it is the end.
    pub(super) async fn next(&mut self, sidecar: &Sidecar, stop: &CancellationToken) -> Option<bool> {
        loop {
            let mut sources = Sources::of(&self.target, sidecar, &self.groups.borrow_and_update());
            let idle_at = sources.idle_at();
            let active = idle_at.is_none_or(|at| at > Instant::now());
            if self.told != Some(active) {
                self.told = Some(active);
                return Some(active);
            }
            tokio::select! {
                () = stop.cancelled() => return None,
                changed = self.groups.changed() => changed.ok()?,
                () = sources.changed() => {}
                () = sleep_until(idle_at.unwrap_or_else(Instant::now)), if active && idle_at.is_some() => {}
            }
        }
    }
}

/// Whether there is anything to do for a target, here or at another replica.
///
/// An error is no `false`: KEDA takes that for an idle app, and an error for a reason to leave it as it is.
pub(super) async fn is_active(target: &Target, sidecar: &Sidecar) -> Result<bool, StoreError> {
    let idle_at = Sources::of(target, sidecar, &sidecar.consumers.listed()).idle_at();
    if idle_at.is_none_or(|at| at > Instant::now()) {
        return Ok(true);
    }
    Ok(count(target, sidecar).await? > 0)
}

/// Messages that the target has not acknowledged, and jobs and ticks of it that are due.
pub(super) async fn count(target: &Target, sidecar: &Sidecar) -> Result<i64, StoreError> {
    let mut count = 0;
    for group in target.groups(&sidecar.consumers.listed()) {
        let Some(pubsub) = sidecar.pubsubs.get(&group.subscription.pubsub) else { continue };
        count += inspect::behind(pubsub, &group.subscription.topic, &group.name).await?;
    }
    if target.topic.is_none() {
        let ticks = tickers(target, sidecar).filter(|ticker| ticker.work.is_busy()).count();
        count += i64::try_from(sidecar.jobs.due(&target.app) + ticks).unwrap_or(i64::MAX);
    }
    Ok(count)
}

/// The cron bindings of a target's app.
fn tickers<'sidecar>(target: &Target, sidecar: &'sidecar Sidecar) -> impl Iterator<Item = &'sidecar Arc<Ticker>> {
    sidecar.cron.tickers().iter().filter(|ticker| ticker.app == target.app)
}
