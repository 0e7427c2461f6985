//! Nothing that was acknowledged is lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use backends::within;
use reqwest::Method;
use tokio::time::{MissedTickBehavior, interval};

use super::objects::{api, told_once};
use crate::{Setting, cluster::PATIENCE, people::User, release::SIDELET};

/// Clients that write at the same time, and how often each does.
const CLIENTS: usize = 3;
const PERIOD: Duration = Duration::from_millis(50);
/// Writes that are acknowledged before and after a pod goes.
const WRITES: usize = 50;

/// How a pod of the sidecar goes: with time to finish, and with none.
const WAYS: [&[&str]; 2] = [&[], &["--grace-period=0", "--force"]];

/// What became of the writes of a client.
struct Written {
    user: User,
    tasks: Vec<String>,
    refused: usize,
    /// The longest time without an acknowledgement.
    longest: Duration,
}

/// Writes again and again, until it is told to stop.
async fn write(user: User, acknowledged: Arc<AtomicUsize>, stop: Arc<AtomicBool>) -> Written {
    let mut written = Written { user, tasks: Vec::new(), refused: 0, longest: Duration::ZERO };
    let (mut ticks, mut last) = (interval(PERIOD), Instant::now());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        // What was refused may be there all the same; what counts is that what was acknowledged is.
        match written.user.create("Be kept").await {
            Ok(task) => {
                written.tasks.push(task);
                acknowledged.fetch_add(1, Ordering::Relaxed);
                written.longest = written.longest.max(last.elapsed());
                last = Instant::now();
            }
            Err(_) => written.refused += 1,
        }
    }
    written
}

/// The sidecar's pod goes, twice, while people write.
pub(super) async fn nothing(setting: &Setting) -> Result<String> {
    setting.release.apply(&[]).await?;
    let api = api(setting).await?;
    let (acknowledged, stop) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let mut clients = Vec::new();
    for index in 0..CLIENTS {
        let user = api.sign_up(&format!("writer-{index}")).await?;
        clients.push(tokio::spawn(write(user, acknowledged.clone(), stop.clone())));
    }
    let gone = async {
        for way in WAYS {
            more(&acknowledged).await?;
            replace(setting, way).await.with_context(|| format!("a pod is deleted {}", way.join(" ")))?;
        }
        more(&acknowledged).await
    };
    let gone = gone.await;
    stop.store(true, Ordering::Relaxed);
    let (mut count, mut refused, mut longest) = (0, 0, Duration::ZERO);
    let mut all = Vec::new();
    for client in clients {
        all.push(client.await?);
    }
    gone?;
    let stopped = Instant::now();
    for written in all {
        for task in &written.tasks {
            let found = written.user.ask(Method::GET, &format!("/api/tasks/{task}"), None).await;
            found.context("a write that was acknowledged is lost")?;
            told_once(&written.user, task).await.with_context(|| format!("task {task}"))?;
        }
        count += written.tasks.len();
        refused += written.refused;
        longest = longest.max(written.longest);
    }
    ensure!(count > 0, "nothing was written");
    Ok(format!(
        "{count} writes acknowledged, all found and handled once ({:.0?} after the last); {refused} refused, none \
         acknowledged for at most {longest:.1?}",
        stopped.elapsed(),
    ))
}

/// Waits until more writes are acknowledged.
async fn more(acknowledged: &AtomicUsize) -> Result<()> {
    let before = acknowledged.load(Ordering::Relaxed);
    let more = async || (acknowledged.load(Ordering::Relaxed) >= before + WRITES).then_some(());
    within(PATIENCE, &format!("{WRITES} more writes are acknowledged"), more).await
}

/// Deletes the sidecar's pod, and waits until another is ready.
async fn replace(setting: &Setting, way: &[&str]) -> Result<()> {
    let selector = "--selector=app.kubernetes.io/component=sidelet";
    let names = async || setting.cluster.kubectl(&["get", "pods", selector, "--output=name"]).await;
    let old = names().await?;
    let mut delete = vec!["delete", "--wait=false"];
    delete.extend(way);
    delete.extend(old.lines());
    setting.cluster.kubectl(&delete).await?;
    let gone = async || names().await.is_ok_and(|new| !old.lines().any(|name| new.contains(name))).then_some(());
    within(PATIENCE, "the pod is gone", gone).await?;
    setting.cluster.wait_for_replicas(SIDELET, 1).await
}
