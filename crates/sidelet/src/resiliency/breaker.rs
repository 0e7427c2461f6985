//! Circuit breakers: after failures, nothing is tried for a while, and then a little.

use std::{sync::Arc, time::Duration};

use cel::Value;
use tokio::time::Instant;

use crate::expression::Expression;

/// What an expression that trips a breaker may name.
pub(crate) const COUNTS: [&str; 5] =
    ["requests", "totalSuccesses", "totalFailures", "consecutiveSuccesses", "consecutiveFailures"];
/// When a breaker trips whose policy does not say.
const FAILURES: u32 = 5;

/// A named circuit breaker policy.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trip {
    /// Tries at once while it is found out whether all is well again, and successes that show it.
    pub(crate) max_requests: u32,
    /// Counts begin anew after so long. Zero: never.
    pub(crate) interval: Duration,
    /// How long nothing is tried.
    pub(crate) timeout: Duration,
    /// Over [`COUNTS`]. None: more than five failures in a row.
    pub(crate) trip: Option<Arc<Expression>>,
}

/// What may be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowance {
    /// Everything.
    All,
    /// So much at once, to find out.
    Few(u32),
    /// Nothing before this time.
    Nothing(Instant),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Instant },
    HalfOpen,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    successes: u32,
    failures: u32,
    successes_in_a_row: u32,
    failures_in_a_row: u32,
}

/// A breaker at work.
#[derive(Debug)]
pub(crate) struct Breaker {
    policy: Trip,
    state: State,
    counts: Counts,
    counted_since: Instant,
}

impl Breaker {
    pub(crate) fn new(policy: Trip, now: Instant) -> Self {
        Self { policy, state: State::Closed, counts: Counts::default(), counted_since: now }
    }

    /// The policy that it follows.
    pub(crate) fn policy(&self) -> &Trip {
        &self.policy
    }

    /// What may be tried at `now`.
    pub(crate) fn allowance(&mut self, now: Instant) -> Allowance {
        match self.state {
            State::Open { until } if until > now => Allowance::Nothing(until),
            State::Open { .. } => {
                self.enter(State::HalfOpen, now);
                Allowance::Few(self.policy.max_requests)
            }
            State::HalfOpen => Allowance::Few(self.policy.max_requests),
            State::Closed => Allowance::All,
        }
    }

    /// A try went well. Says whether that closed the breaker.
    pub(crate) fn succeeded(&mut self, now: Instant) -> bool {
        self.begin_interval(now);
        self.counts.successes += 1;
        self.counts.successes_in_a_row += 1;
        self.counts.failures_in_a_row = 0;
        let closes = self.state == State::HalfOpen && self.counts.successes_in_a_row >= self.policy.max_requests;
        if closes {
            self.enter(State::Closed, now);
        }
        closes
    }

    /// A try failed. Says whether that opened the breaker.
    pub(crate) fn failed(&mut self, now: Instant) -> bool {
        self.begin_interval(now);
        self.counts.failures += 1;
        self.counts.failures_in_a_row += 1;
        self.counts.successes_in_a_row = 0;
        let opens = match self.state {
            State::Closed => self.trips(),
            State::HalfOpen => true,
            // It was on its way when the breaker opened.
            State::Open { .. } => false,
        };
        if opens {
            self.enter(State::Open { until: now + self.policy.timeout }, now);
        }
        opens
    }

    fn begin_interval(&mut self, now: Instant) {
        let over = !self.policy.interval.is_zero() && now.duration_since(self.counted_since) >= self.policy.interval;
        if self.state == State::Closed && over {
            (self.counts, self.counted_since) = (Counts::default(), now);
        }
    }

    fn enter(&mut self, state: State, now: Instant) {
        (self.state, self.counts, self.counted_since) = (state, Counts::default(), now);
    }

    fn trips(&self) -> bool {
        let Counts { successes, failures, successes_in_a_row, failures_in_a_row } = self.counts;
        let Some(trip) = &self.policy.trip else { return failures_in_a_row > FAILURES };
        let counts = [successes + failures, successes, failures, successes_in_a_row, failures_in_a_row];
        trip.holds(COUNTS.into_iter().zip(counts.map(|count| Value::Int(i64::from(count)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(trip: Option<&str>, interval: u64) -> (Breaker, Instant) {
        let trip = trip.map(|text| Arc::new(Expression::compile(text, &COUNTS).unwrap()));
        let (timeout, interval) = (Duration::from_secs(60), Duration::from_secs(interval));
        let now = Instant::now();
        (Breaker::new(Trip { max_requests: 2, interval, timeout, trip }, now), now)
    }

    #[test]
    fn it_opens_on_its_expression_waits_and_closes_after_enough_successes() {
        let (mut breaker, now) = breaker(Some("consecutiveFailures >= 3"), 0);
        assert!(!breaker.failed(now) && !breaker.failed(now) && !breaker.succeeded(now));
        assert!(!breaker.failed(now) && !breaker.failed(now) && breaker.failed(now));
        let until = now + Duration::from_secs(60);
        assert_eq!(breaker.allowance(now), Allowance::Nothing(until));
        assert!(!breaker.failed(now), "what was on its way changes nothing");
        assert_eq!(breaker.allowance(until), Allowance::Few(2));
        assert!(breaker.failed(until));
        let again = until + Duration::from_secs(60);
        assert_eq!(breaker.allowance(again), Allowance::Few(2));
        assert!(!breaker.succeeded(again) && breaker.succeeded(again));
        assert_eq!(breaker.allowance(again), Allowance::All);
    }

    #[test]
    fn without_an_expression_it_opens_at_the_sixth_failure_in_a_row() {
        let (mut breaker, now) = breaker(None, 0);
        assert_eq!((0..6).map(|_| breaker.failed(now)).collect::<Vec<_>>(), [false, false, false, false, false, true]);
    }

    #[test]
    fn counts_begin_anew_with_each_interval() {
        let (mut breaker, now) = breaker(Some("totalFailures > 1 && requests > 1"), 10);
        assert!(!breaker.failed(now));
        assert!(!breaker.failed(now + Duration::from_secs(11)));
        assert!(breaker.failed(now + Duration::from_secs(12)));
    }
}
