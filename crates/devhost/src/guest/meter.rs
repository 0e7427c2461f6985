//! How long a guest may compute.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a call earns on top of its limit: one part in this many of the time it has been alive.
const EARNED_PART: u32 = 20;

/// Measures the time in which a guest is polled; while it waits, nothing is counted.
#[derive(Clone, Debug)]
pub(super) struct Meter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    started: Instant,
    limit: Duration,
    /// Nanoseconds of finished polls.
    spent: AtomicU64,
    /// Nanoseconds from `started` to the start of the poll under way.
    poll_started: AtomicU64,
    exceeded: AtomicBool,
}

impl Meter {
    /// Starts to measure.
    pub(super) fn new(limit: Duration) -> Self {
        Self(Arc::new(Inner {
            started: Instant::now(),
            limit,
            spent: AtomicU64::new(0),
            poll_started: AtomicU64::new(0),
            exceeded: AtomicBool::new(false),
        }))
    }

    /// Counts the time that `poll` takes.
    pub(super) fn measure<T>(&self, poll: impl FnOnce() -> T) -> T {
        let started = self.elapsed();
        self.0.poll_started.store(started, Ordering::Relaxed);
        let output = poll();
        let took = self.elapsed().saturating_sub(started);
        self.0.spent.fetch_add(took, Ordering::Relaxed);
        output
    }

    /// Asked from within a poll: true if the guest has to be stopped.
    pub(super) fn is_over(&self) -> bool {
        let now = self.elapsed();
        let running = now.saturating_sub(self.0.poll_started.load(Ordering::Relaxed));
        let spent = Duration::from_nanos(self.0.spent.load(Ordering::Relaxed) + running);
        let over = spent > self.0.limit + Duration::from_nanos(now) / EARNED_PART;
        if over {
            self.0.exceeded.store(true, Ordering::Relaxed);
        }
        over
    }

    /// True once the guest has been stopped for its time.
    pub(super) fn was_exceeded(&self) -> bool {
        self.0.exceeded.load(Ordering::Relaxed)
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.0.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}
