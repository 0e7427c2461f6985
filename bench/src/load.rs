//! Requests by several connections for a while.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use testkit::{Answer, User};

use crate::latency::{milliseconds, percentile};

/// What one run gave.
pub(crate) struct Figures {
    pub(crate) requests: usize,
    pub(crate) per_second: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Lets each user send one request after the other for a while.
pub(crate) async fn run<F>(users: &[User], window: Duration, request: F) -> Result<Figures>
where
    F: AsyncFn(&User, usize) -> Result<Answer>,
{
    let begin = Instant::now();
    let connections = users.iter().enumerate().map(|(connection, user)| {
        let request = &request;
        async move {
            let mut times = Vec::new();
            while begin.elapsed() < window {
                let sent = Instant::now();
                let answer = request(user, connection + times.len() * 1_000).await?;
                times.push(sent.elapsed());
                ensure!(answer.status.is_success(), "{} with {}", answer.status, answer.body);
            }
            anyhow::Ok(times)
        }
    });
    let times: Vec<Duration> = try_join_all(connections).await.context("a request failed")?.concat();
    Ok(Figures::new(times, begin.elapsed()))
}

impl Figures {
    /// Of requests that took so long each, within `window`.
    pub(crate) fn new(mut times: Vec<Duration>, window: Duration) -> Self {
        let per_second = times.len() as f64 / window.as_secs_f64();
        let [p50, p99] = [0.5, 0.99].map(|share| milliseconds(percentile(&mut times, share)));
        Self { requests: times.len(), per_second, p50, p99 }
    }
}
