//! How long to wait before the next try.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// The wait after the first failure.
const FIRST: Duration = Duration::from_millis(100);
/// The longest wait for a message that fails.
const LONGEST: Duration = Duration::from_secs(10);
/// The longest wait for an app that is away: it is to be served soon after it is back.
const LONGEST_ABSENCE: Duration = Duration::from_secs(1);

/// The wait after `failures` failures of a message: doubled each time, with jitter, so that many do not come together.
pub(super) fn after_failures(failures: u32) -> Duration {
    jittered(doubled(failures, LONGEST))
}

/// The wait after an app was found away `times` times in a row.
pub(super) fn after_absences(times: u32) -> Duration {
    jittered(doubled(times, LONGEST_ABSENCE))
}

fn doubled(times: u32, longest: Duration) -> Duration {
    FIRST.saturating_mul(1 << times.saturating_sub(1).min(16)).min(longest)
}

/// Between half of `wait` and all of it.
fn jittered(wait: Duration) -> Duration {
    let random = RandomState::new().hash_one(0_u8) % 1024;
    wait / 2 + wait.mul_f64(f64::from(u32::try_from(random).expect("below 1024")) / 2048.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit() {
        for (failures, longest) in [(1, 100), (2, 200), (5, 1600), (8, 10_000), (u32::MAX, 10_000)] {
            let wait = after_failures(failures);
            let longest = Duration::from_millis(longest);
            assert!(wait >= longest / 2 && wait <= longest, "{failures}: {wait:?}");
        }
        assert!(after_absences(40) <= LONGEST_ABSENCE);
    }
}
