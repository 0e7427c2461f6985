//! As many pods as there is work for.

use std::time::Instant;

use anyhow::{Context, Result};
use backends::within;
use futures::future::try_join_all;

use super::{objects::api, waking::HANDLER};
use crate::{Setting, cluster::PATIENCE, people::User, sidecar::Sidecar};

/// Users: events are in order for each, and so of one partition.
const USERS: usize = 30;
/// Writes of each.
const WRITES: usize = 2;
/// Events that are one pod's, as the chart has it unless it is told otherwise, and pods that they shall bring.
const LAG: i64 = 20;
const PODS: u64 = 3;

/// Events come, and the database stands still, so that none of them can be handled: the lag is that of a handler which
/// is slower than what comes, for as long as it takes to see its pods.
pub(super) async fn three(setting: &Setting) -> Result<String> {
    setting.release.apply(&["scaling.trigger=kafka"]).await?;
    let api = api(setting).await?;
    let mut users = Vec::new();
    for index in 0..USERS {
        users.push(api.sign_up(&format!("many-{index}")).await?);
    }
    setting.cluster.wait_for_replicas(HANDLER, 0).await?;
    let sidecar = Sidecar::of(&setting.cluster).await?;
    let begin = Instant::now();
    let written = try_join_all(users.iter().map(write)).await?;
    let behind = async || {
        let behind = sidecar.behind("activity", "task-events").await.ok()?;
        (behind > LAG * 2).then_some(behind)
    };
    let behind = within(PATIENCE, "the events wait for their handler", behind).await?;
    setting.postgres.pause()?;
    let came = setting.cluster.wait_for_replicas(HANDLER, PODS).await.map(|()| begin.elapsed());
    setting.postgres.resume()?;
    let came = came?;
    let resumed = Instant::now();
    for (user, tasks) in users.iter().zip(&written) {
        for task in tasks {
            let told = async || user.told(task).await.is_ok_and(|told| told == 1).then_some(());
            within(PATIENCE, "every event is handled", told).await.with_context(|| format!("task {task}"))?;
        }
    }
    let handled = resumed.elapsed();
    setting.cluster.wait_for_replicas(HANDLER, 0).await?;
    let count = USERS * WRITES;
    Ok(format!(
        "of {count} events {behind} wait; {PODS} pods are ready after {came:.0?}; all are handled {handled:.1?} after the \
         database goes on; at none again {:.0?} after that",
        (resumed.elapsed() - handled),
    ))
}

async fn write(user: &User) -> Result<Vec<String>> {
    let mut tasks = Vec::new();
    for _ in 0..WRITES {
        tasks.push(user.create("One of many").await?);
    }
    Ok(tasks)
}
