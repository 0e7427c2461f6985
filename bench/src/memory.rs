//! Memory of the whole process, idle and after a load.

use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use serde_json::json;
use testkit::{Todo, TodoOptions};

use crate::load::run;

pub(crate) async fn measure(window: Duration) -> Result<()> {
    let mut todo = Todo::start_with(TodoOptions { without_recorder: true, ..TodoOptions::default() }).await?;
    // The first start compiled the components; what counts is the memory of every later one.
    todo.stop().await?;
    todo.start_again().await?;
    let idle = resident(todo.process_id().context("the process runs")?)?;
    let users = try_join_all((0..64).map(async |index| todo.sign_up(&format!("user-{index}")).await)).await?;
    run(&users, window, async |user, _| user.post("/api/tasks", &json!({ "title": "Buy milk" })).await).await?;
    run(&users, window, async |user, _| user.get("/api/tasks?limit=20").await).await?;
    let loaded = resident(todo.process_id().context("the process runs")?)?;
    println!(
        "\n| memory of the whole process | MiB |\n|---|---|\n| idle | {idle:.0} |\n| after 64 connections | {loaded:.0} |"
    );
    Ok(())
}

/// Resident memory of a process, in MiB.
pub(crate) fn resident(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).context("this system has no /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the status has VmRSS")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().context("VmRSS is a number")?;
    Ok(kibibytes / 1_024.0)
}
