//! Policies at work on calls that somebody waits for: one guard for each app that a document has a policy for.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use tokio::time::Instant;

use super::{Allowance, Breaker, Policy, Resiliency, Retry};

/// The guards of apps, as the documents say now.
#[derive(Debug, Default)]
pub(crate) struct Guards(RwLock<BTreeMap<String, Arc<Guard>>>);

/// A policy, and what its breaker has seen.
#[derive(Debug)]
pub(crate) struct Guard {
    policy: Policy,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    breaker: Option<Breaker>,
    /// Tries on their way.
    running: u32,
}

/// A try that its guard has let pass. One that is dropped without an outcome was given up by who waited for it.
#[derive(Debug)]
pub(crate) struct Try<'g> {
    guard: &'g Guard,
}

impl Guards {
    /// Takes the policies of these apps. An app whose policy is as before keeps what its breaker has seen.
    pub(crate) fn declare<'a>(&self, apps: impl Iterator<Item = &'a String>, resiliency: &Resiliency) {
        let mut guards = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let guard = |app: &String| {
            let policy = resiliency.invocation(app);
            let same = guards.get(app).filter(|guard| guard.policy == policy).cloned();
            (policy != Policy::default()).then(|| (app.clone(), same.unwrap_or_else(|| Arc::new(Guard::new(policy)))))
        };
        *guards = apps.filter_map(guard).collect();
    }

    /// What guards calls to an app; `None` when no policy does.
    pub(crate) fn of(&self, app: &str) -> Option<Arc<Guard>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(app).cloned()
    }
}

impl Guard {
    fn new(policy: Policy) -> Self {
        let breaker = policy.breaker.clone().map(|trip| Breaker::new(trip, Instant::now()));
        Self { policy, seen: Mutex::new(Seen { breaker, running: 0 }) }
    }

    /// How long one try may take.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.policy.timeout
    }

    /// Whether and when it is tried again.
    pub(crate) fn retry(&self) -> Option<&Retry> {
        self.policy.retry.as_ref()
    }

    /// Lets a try pass; `None` while the breaker is open, or half open with enough on the way to find out.
    pub(crate) fn enter(&self, now: Instant) -> Option<Try<'_>> {
        let mut seen = self.seen();
        let allowance = seen.breaker.as_mut().map_or(Allowance::All, |breaker| breaker.allowance(now));
        let passes = match allowance {
            Allowance::All => true,
            Allowance::Few(most) => seen.running < most,
            Allowance::Nothing(_) => false,
        };
        passes.then(|| {
            seen.running += 1;
            Try { guard: self }
        })
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Try<'_> {
    /// Says what came of it.
    pub(crate) fn ended(self, well: bool, now: Instant) {
        if let Some(breaker) = &mut self.guard.seen().breaker {
            // What a breaker does is the operator's to see in what callers are answered.
            let _changed = if well { breaker.succeeded(now) } else { breaker.failed(now) };
        }
    }
}

impl Drop for Try<'_> {
    fn drop(&mut self) {
        let mut seen = self.guard.seen();
        seen.running = seen.running.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resiliency::Trip;

    fn resiliency(timeout: u64) -> Resiliency {
        let breaker = Trip { max_requests: 1, interval: Duration::ZERO, timeout: Duration::from_secs(60), trip: None };
        let policy = Policy { timeout: Some(Duration::from_secs(timeout)), retry: None, breaker: Some(breaker) };
        Resiliency { apps: BTreeMap::from([("a".to_owned(), policy)]), ..Resiliency::default() }
    }

    #[test]
    fn a_breaker_lets_one_find_out_and_is_kept_by_documents_that_say_the_same() {
        let apps = ["a".to_owned(), "b".to_owned()];
        let guards = Guards::default();
        guards.declare(apps.iter(), &resiliency(1));
        assert!(guards.of("b").is_none());
        let now = Instant::now();
        let guard = guards.of("a").unwrap();
        for _ in 0..6 {
            guard.enter(now).unwrap().ended(false, now);
        }
        guards.declare(apps.iter(), &resiliency(1));
        let guard = guards.of("a").unwrap();
        assert!(guard.enter(now).is_none());

        let later = now + Duration::from_secs(61);
        let one = guard.enter(later).unwrap();
        assert!(guard.enter(later).is_none(), "one at a time finds out");
        drop(one);
        guard.enter(later).unwrap().ended(true, later);
        assert!(guard.enter(later).is_some());

        guards.declare(apps.iter(), &resiliency(2));
        assert_eq!(guards.of("a").unwrap().timeout(), Some(Duration::from_secs(2)));
        guards.declare(apps.iter(), &Resiliency::default());
        assert!(guards.of("a").is_none());
    }
}
