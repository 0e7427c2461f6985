//! Policies at work on calls that somebody waits for: one guard for each app and each component that a document has a
//! policy for.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout};

use super::{Allowance, Breaker, Kind, Policy, Resiliency, Retry};

/// The guards of apps and components, as the documents say now.
#[derive(Debug)]
pub(crate) struct Guards {
    /// What may be guarded.
    apps: Vec<String>,
    components: Vec<(String, Kind)>,
    now: RwLock<Now>,
}

#[derive(Debug, Default)]
struct Now {
    apps: ByName,
    components: ByName,
}

type ByName = BTreeMap<String, Arc<Guard>>;

/// What may go wrong with a component.
pub(crate) trait Fault {
    /// Whether the component failed, rather than refused what it was asked: only then another try can help.
    fn is_failure(&self) -> bool;

    /// What is told when a policy does not wait for the component.
    fn not_waited(reason: &'static str) -> Self;
}

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
    /// Those of these apps and components, without a policy yet.
    pub(crate) fn new(apps: Vec<String>, components: Vec<(String, Kind)>) -> Self {
        Self { apps, components, now: RwLock::default() }
    }

    /// Takes what the documents say. A target whose policy is as before keeps what its breaker has seen.
    pub(crate) fn declare(&self, resiliency: &Resiliency) {
        let renewed = |targets: Vec<(&String, Policy)>, before: &ByName| -> ByName {
            let guarded = targets.into_iter().filter(|(_, policy)| *policy != Policy::default());
            let guard = |(name, policy): (&String, Policy)| {
                let same = before.get(name).filter(|guard| guard.policy == policy).cloned();
                (name.clone(), same.unwrap_or_else(|| Arc::new(Guard::new(policy))))
            };
            guarded.map(guard).collect()
        };
        let apps = self.apps.iter().map(|app| (app, resiliency.invocation(app))).collect();
        let components = self.components.iter().map(|(name, kind)| (name, resiliency.outbound(*kind, name))).collect();
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        *now = Now { apps: renewed(apps, &now.apps), components: renewed(components, &now.components) };
    }

    /// What guards calls to an app; `None` when no policy does.
    pub(crate) fn of_app(&self, app: &str) -> Option<Arc<Guard>> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).apps.get(app).cloned()
    }

    /// What guards calls to a component; `None` when no policy does.
    pub(crate) fn of_component(&self, component: &str) -> Option<Arc<Guard>> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).components.get(component).cloned()
    }

    /// Asks a component, as often and as long as its policy says.
    pub(crate) async fn ask<T, E: Fault, F>(&self, component: &str, mut ask: impl FnMut() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        match self.of_component(component) {
            None => ask().await,
            Some(guard) => guard.ask(ask).await,
        }
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

    /// Asks a component until it does not fail, or the policy ends.
    pub(crate) async fn ask<T, E: Fault, F>(&self, mut ask: impl FnMut() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let mut failures = 0;
        loop {
            let Some(one) = self.enter(Instant::now()) else { return Err(E::not_waited("circuit breaker is open")) };
            let outcome = match self.policy.timeout {
                None => ask().await,
                Some(limit) => timeout(limit, ask())
                    .await
                    .unwrap_or_else(|_| Err(E::not_waited("it took longer than its resiliency policy allows"))),
            };
            let failed = outcome.as_ref().is_err_and(E::is_failure);
            one.ended(!failed, Instant::now());
            failures += 1;
            match self.retry().filter(|retry| failed && retry.goes_on(failures, None)) {
                Some(retry) => sleep(retry.wait(failures)).await,
                None => return outcome,
            }
        }
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
    use crate::resiliency::{Trip, Waits};

    fn resiliency(timeout: u64) -> Resiliency {
        let breaker = Trip { max_requests: 1, interval: Duration::ZERO, timeout: Duration::from_secs(60), trip: None };
        let policy = Policy { timeout: Some(Duration::from_secs(timeout)), retry: None, breaker: Some(breaker) };
        Resiliency { apps: BTreeMap::from([("a".to_owned(), policy)]), ..Resiliency::default() }
    }

    #[test]
    fn a_breaker_lets_one_find_out_and_is_kept_by_documents_that_say_the_same() {
        let guards = Guards::new(vec!["a".to_owned(), "b".to_owned()], Vec::new());
        guards.declare(&resiliency(1));
        assert!(guards.of_app("b").is_none());
        let now = Instant::now();
        let guard = guards.of_app("a").unwrap();
        for _ in 0..6 {
            guard.enter(now).unwrap().ended(false, now);
        }
        guards.declare(&resiliency(1));
        let guard = guards.of_app("a").unwrap();
        assert!(guard.enter(now).is_none());

        let later = now + Duration::from_secs(61);
        let one = guard.enter(later).unwrap();
        assert!(guard.enter(later).is_none(), "one at a time finds out");
        drop(one);
        guard.enter(later).unwrap().ended(true, later);
        assert!(guard.enter(later).is_some());

        guards.declare(&resiliency(2));
        assert_eq!(guards.of_app("a").unwrap().timeout(), Some(Duration::from_secs(2)));
        guards.declare(&Resiliency::default());
        assert!(guards.of_app("a").is_none());
    }

    #[derive(Debug, PartialEq)]
    enum Wrong {
        Failed,
        Refused,
        NotWaited,
    }

    impl Fault for Wrong {
        fn is_failure(&self) -> bool {
            *self != Self::Refused
        }

        fn not_waited(_: &'static str) -> Self {
            Self::NotWaited
        }
    }

    /// What came of it, and how often was asked.
    async fn asked(guards: &Guards, answer: impl AsyncFn(u32) -> Result<(), Wrong>) -> (Result<(), Wrong>, u32) {
        let count = std::cell::Cell::new(0);
        let outcome = guards.ask("store", || {
            count.set(count.get() + 1);
            answer(count.get())
        });
        (outcome.await, count.get())
    }

    #[tokio::test]
    async fn a_component_is_asked_as_its_policy_says() {
        let policy = Policy {
            timeout: Some(Duration::from_millis(20)),
            retry: Some(Retry {
                waits: Waits::Constant(Duration::from_millis(5)),
                most: Some(2),
                statuses: Vec::new(),
            }),
            breaker: Some(Trip {
                max_requests: 1,
                interval: Duration::ZERO,
                timeout: Duration::from_secs(60),
                trip: None,
            }),
        };
        let outbound = BTreeMap::from([("store".to_owned(), policy)]);
        let guards = Guards::new(Vec::new(), vec![("store".to_owned(), Kind::State)]);
        guards.declare(&Resiliency { outbound, ..Resiliency::default() });
        let second = async |count| if count == 2 { Ok(()) } else { Err(Wrong::Failed) };
        assert_eq!(asked(&guards, second).await, (Ok(()), 2));
        assert_eq!(asked(&guards, async |_| Err(Wrong::Refused)).await, (Err(Wrong::Refused), 1));
        assert_eq!(asked(&guards, async |_| Err(Wrong::Failed)).await, (Err(Wrong::Failed), 3));
        let start = Instant::now();
        assert_eq!(asked(&guards, async |_| std::future::pending().await).await, (Err(Wrong::NotWaited), 3));
        assert!(start.elapsed() >= Duration::from_millis(3 * 20 + 2 * 5), "{:?}", start.elapsed());
        assert_eq!(asked(&guards, async |_| Ok(())).await, (Err(Wrong::NotWaited), 0), "the breaker is open");
    }
}
