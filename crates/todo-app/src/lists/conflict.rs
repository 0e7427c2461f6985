//! How writers that meet make room for each other.

use std::time::Duration;

/// How often a write is tried when others are faster.
pub(crate) const ATTEMPTS: u32 = 5;
/// The longest pause after the first lost attempt; doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(8);

/// Waits a random time, longer after each attempt, so that those who met once do not meet again.
/// There is no wait after the last attempt.
pub(crate) fn pause(attempt: u32) {
    if attempt >= ATTEMPTS {
        return;
    }
    let mut random = [0; 2];
    // Without randomness everyone waits the longest time, which is slower and no less right.
    let share =
        if getrandom::fill(&mut random).is_ok() { f64::from(u16::from_le_bytes(random)) / 65_535.0 } else { 1.0 };
    std::thread::sleep(FIRST_PAUSE.saturating_mul(1 << (attempt - 1)).mul_f64(share));
}
