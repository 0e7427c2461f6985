//! From nothing to a ready pod, and back.

use std::time::{Duration, Instant};

use anyhow::Result;
use backends::within;
use tokio::time::sleep;

use super::objects::api;
use crate::{Setting, cluster::PATIENCE, people::User};

/// The handler that is looked at: what it did can be asked for.
pub(super) const HANDLER: &str = "todo-activity";
/// How often it is woken.
const TIMES: usize = 5;
/// Between two questions whether an event was handled: more would take the CPU from what is measured.
const PAUSE: Duration = Duration::from_millis(50);

/// How long one wake took, from the request of the write on, and how long the handler stayed when all was done.
struct Wake {
    ready: Duration,
    handled: Duration,
    stayed: Duration,
}

/// sidelet tells KEDA.
pub(super) async fn by_push(setting: &Setting) -> Result<String> {
    wakes(setting, "push").await
}

/// KEDA asks Kafka.
pub(super) async fn by_lag(setting: &Setting) -> Result<String> {
    wakes(setting, "kafka").await
}

async fn wakes(setting: &Setting, trigger: &str) -> Result<String> {
    setting.release.apply(&[&format!("scaling.trigger={trigger}")]).await?;
    let user = api(setting).await?.sign_up(&format!("wake-{trigger}")).await?;
    let mut wakes = Vec::new();
    for _ in 0..TIMES {
        wakes.push(wake(setting, &user).await?);
    }
    let figures = |of: fn(&Wake) -> Duration| {
        let mut all: Vec<Duration> = wakes.iter().map(of).collect();
        all.sort();
        format!("{:.1?} (at most {:.1?})", all[TIMES / 2], all[TIMES - 1])
    };
    Ok(format!(
        "of {TIMES} wakes a pod is ready after {} and the write handled after {}; at none again {} later",
        figures(|wake| wake.ready),
        figures(|wake| wake.handled),
        figures(|wake| wake.stayed),
    ))
}

async fn wake(setting: &Setting, user: &User) -> Result<Wake> {
    setting.cluster.wait_for_replicas(HANDLER, 0).await?;
    let mut pods = setting.cluster.watch(HANDLER).await?;
    let written = Instant::now();
    let task = user.create("Wake up").await?;
    let (ready, handled) = tokio::try_join!(pods.until_ready(1), handled(user, &task))?;
    let asleep = pods.until_ready(0).await?;
    Ok(Wake { ready: ready - written, handled: handled - written, stayed: asleep - handled.max(ready) })
}

/// Waits until a task's making is written down, and says when that was.
async fn handled(user: &User, task: &str) -> Result<Instant> {
    let told = async || {
        let told = user.told(task).await.is_ok_and(|told| told == 1);
        if !told {
            sleep(PAUSE).await;
        }
        told.then(Instant::now)
    };
    within(PATIENCE, "the handler `activity` has written down the write", told).await
}
