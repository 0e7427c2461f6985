//! How long to wait before the next try.

use std::time::Duration;

use crate::resiliency::{Retry, jitter};

/// The wait after the first failure.
const FIRST: Duration = Duration::from_millis(100);
/// The longest wait for a message that fails.
const LONGEST: Duration = Duration::from_secs(10);
/// The longest wait for an app that is away: it is to be served soon after it is back.
const LONGEST_ABSENCE: Duration = Duration::from_millis(250);
/// Tries after which a message that fails is given up where no retry policy says it.
const TRIES: u32 = 10;

/// Whether a message is tried again after `failures` failures, the last with `status` if it was an HTTP status.
pub(super) fn goes_on(retry: Option<&Retry>, failures: u32, status: Option<u16>) -> bool {
    retry.map_or(failures < TRIES, |retry| retry.goes_on(failures, status))
}

/// The wait after `failures` failures of a message: the policy's, or doubled each time.
pub(super) fn after_failures(retry: Option<&Retry>, failures: u32) -> Duration {
    retry.map_or_else(|| jittered(doubled(failures, LONGEST)), |retry| retry.wait(failures))
}

/// The wait after an app was found away `times` times in a row.
pub(crate) fn after_absences(times: u32) -> Duration {
    jittered(doubled(times, LONGEST_ABSENCE))
}

fn doubled(times: u32, longest: Duration) -> Duration {
    FIRST.saturating_mul(1 << times.saturating_sub(1).min(16)).min(longest)
}

/// Between half of `wait` and all of it.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(0.5 + jitter() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit() {
        for (failures, longest) in [(1, 100), (2, 200), (5, 1600), (8, 10_000), (u32::MAX, 10_000)] {
            let wait = after_failures(None, failures);
            let longest = Duration::from_millis(longest);
            assert!(wait >= longest / 2 && wait <= longest, "{failures}: {wait:?}");
        }
        assert!(after_absences(40) <= LONGEST_ABSENCE);
        assert!(goes_on(None, 9, Some(500)) && !goes_on(None, 10, None));
    }
}
