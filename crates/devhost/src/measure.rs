//! How long it takes to make an instance, for benchmarks.

use std::time::{Duration, Instant};

use http::HeaderMap;

use crate::config::Config;
use crate::error::StartError;
use crate::guest;

/// Times of many instances of one component, each made and dropped again.
#[derive(Clone, Debug)]
pub struct InstanceTimes {
    /// The component.
    pub component: String,
    /// The median of making one.
    pub median: Duration,
    /// The 99th percentile of making one.
    pub tail: Duration,
    /// The median of dropping one.
    pub median_drop: Duration,
}

/// Makes `count` instances of each component of the application, one after the other.
///
/// # Errors
///
/// The same as [`crate::start`], and a component that cannot be instantiated.
pub async fn measure_instances(config: Config, count: usize) -> Result<Vec<InstanceTimes>, StartError> {
    let (host, ready) = crate::start::prepare(config).await?;
    let mut measured = Vec::new();
    for (id, component) in &ready.components {
        let mut made = Vec::with_capacity(count);
        let mut dropped = Vec::with_capacity(count);
        for _ in 0..count.max(1) {
            let started = Instant::now();
            let instance = guest::instantiate(&host, component, &HeaderMap::new())
                .await
                .map_err(|source| StartError::Engine { source })?;
            made.push(started.elapsed());
            let started = Instant::now();
            drop(instance);
            dropped.push(started.elapsed());
        }
        made.sort_unstable();
        dropped.sort_unstable();
        measured.push(InstanceTimes {
            component: id.clone(),
            median: made[made.len() / 2],
            tail: made[made.len() * 99 / 100],
            median_drop: dropped[dropped.len() / 2],
        });
    }
    Ok(measured)
}
