//! Waiting for a state, with a deadline.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long a state may take to come about on a slow and busy machine, with servers behind it.
const DEADLINE: Duration = Duration::from_secs(90);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks until there is something to see, and gives it.
///
/// # Errors
/// When there is nothing after a minute and a half; `what` says what was waited for.
pub async fn eventually<V>(what: &str, look: impl AsyncFnMut() -> Option<V>) -> Result<V> {
    within(DEADLINE, what, look).await
}

/// As [`eventually`], with a deadline of its own.
///
/// # Errors
/// When there is nothing at the deadline.
pub async fn within<V>(deadline: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<V>) -> Result<V> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(seen) = look().await {
            return Ok(seen);
        }
        if Instant::now() > end {
            bail!("waited {deadline:?} in vain: {what}");
        }
        tokio::time::sleep(PAUSE).await;
    }
}
