//! A sidecar that repeats and reorders, while the process is killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use reqwest::Method;
use serde_json::Value;
use testkit::{Todo, User, within};
use tokio::task::JoinSet;

/// Deliveries of one route that are on their way at once.
const AT_ONCE: usize = 8;
/// How far from its place a delivery may be, in events.
const WINDOW: u64 = 200;
/// The wait before an event comes again.
const AGAIN: Duration = Duration::from_millis(20);
/// How long everything may take.
const DEADLINE: Duration = Duration::from_secs(300);

/// The events for one route, in order.
pub(super) struct Delivery {
    pub(super) route: &'static str,
    pub(super) events: Arc<Vec<Value>>,
}

/// Every route and what it is given.
pub(super) struct Handlers {
    pub(super) deliveries: Vec<Delivery>,
}

impl Handlers {
    /// Events over all routes.
    pub(super) fn count(&self) -> usize {
        self.deliveries.iter().map(|delivery| delivery.events.len()).sum()
    }
}

/// Delivers every event to its handlers until each delivery is acknowledged; says how many deliveries there were.
///
/// Without kills each event comes once and in order; with them, one to three times within a window, and the process is
/// killed so often.
pub(super) async fn deliver_all(
    todo: &mut Todo,
    caller: &User,
    handlers: &Handlers,
    kills: Option<usize>,
) -> Result<usize> {
    let token = todo.keys()?["appApiToken"].as_str().unwrap_or_default().to_owned();
    let done = Arc::new(AtomicUsize::new(0));
    let (mut workers, mut total) = (JoinSet::new(), 0);
    for (number, Delivery { route, events }) in handlers.deliveries.iter().enumerate() {
        let order = match kills {
            None => (0..events.len()).collect(),
            Some(_) => shuffled(events.len(), number as u64 + 1),
        };
        total += order.len();
        // Users stand next to each other, so that neighbours in order are of other users: a clean delivery keeps each one's.
        let at_once = if kills.is_some() { AT_ONCE } else { 1 };
        let (order, next) = (Arc::new(order), Arc::new(AtomicUsize::new(0)));
        for _ in 0..at_once {
            let (order, next, done) = (order.clone(), next.clone(), done.clone());
            let (events, caller, token, route) = (events.clone(), caller.clone(), token.clone(), *route);
            workers.spawn(async move {
                while let Some(index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    deliver(&caller, &token, route, &events[*index]).await?;
                    done.fetch_add(1, Ordering::Relaxed);
                }
                anyhow::Ok(())
            });
        }
    }
    for kill in 1..=kills.unwrap_or_default() {
        let share = total * kill / (kills.unwrap_or_default() + 1);
        within(DEADLINE, "a share of the deliveries", async || (done.load(Ordering::Relaxed) >= share).then_some(()))
            .await?;
        todo.kill().await?;
        todo.start_again().await?;
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    ensure!(done.load(Ordering::Relaxed) == total, "every delivery was acknowledged");
    Ok(total)
}

/// Brings one event until it is acknowledged.
async fn deliver(caller: &User, token: &str, route: &str, event: &Value) -> Result<()> {
    let deadline = Instant::now() + DEADLINE;
    while Instant::now() < deadline {
        let request = caller.request(Method::POST, route).await.header("dapr-api-token", token).json(event);
        match caller.send(request).await {
            Ok(answer) if answer.status == 200 && answer.body.is_null() => return Ok(()),
            // Another is at the same user's, or the process has just gone or come.
            Ok(answer) if answer.status == 409 || answer.status == 503 => {}
            Ok(answer) => bail!("{route} answered {}: {}", answer.status, answer.body),
            Err(_) => {}
        }
        tokio::time::sleep(AGAIN).await;
    }
    bail!("{route} did not take an event in time")
}

/// Each index one to three times, near its place, in an order that is the same in every run.
fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut places = Vec::with_capacity(count * 2);
    for index in 0..count {
        for _ in 0..=random() % 3 {
            places.push((index as u64 + random() % WINDOW, index));
        }
    }
    places.sort_by_key(|(place, _)| *place);
    places.into_iter().map(|(_, index)| index).collect()
}
