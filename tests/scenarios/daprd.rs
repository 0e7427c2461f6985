//! daprd in sidelet's place, and its faults: these run where the variable `DAPRD` names it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use testkit::{SeenEvent, Todo, User, within};

/// How long events may take once the fault has ended.
const RECOVERY: Duration = Duration::from_secs(90);

/// The application with daprd; `None` where no daprd is given.
async fn start() -> Result<Option<Todo>> {
    let mut todo = match std::env::var_os("DAPRD") {
        Some(_) => Todo::start().await?,
        None => {
            eprintln!("the variable DAPRD names no daprd: there is nothing to run with");
            return Ok(None);
        }
    };
    todo.stock().context("daprd was given")?;
    Ok(Some(todo))
}

/// Waits until so many events were seen of a user, who looks at the list meanwhile; each came first in its place.
async fn seen_in_order(todo: &Todo, user: &User, count: usize) -> Result<()> {
    let seen: Vec<SeenEvent> = within(RECOVERY, "an event of each write", async || {
        user.get("/api/tasks?limit=1").await.ok()?;
        todo.seen_events(user).await.ok().filter(|seen| seen.len() >= count)
    })
    .await?;
    ensure!(seen.iter().map(|event| event.sequence).eq(1..=seen.len() as u64), "out of order: {seen:?}");
    ensure!(seen.len() == count, "{} events of {count} writes", seen.len());
    Ok(())
}

#[tokio::test]
async fn writes_go_on_while_the_broker_is_away_and_their_events_follow_in_order() -> Result<()> {
    let Some(mut todo) = start().await? else { return Ok(()) };
    let ada = todo.sign_up("ada").await?;
    ada.create("before").await?;
    seen_in_order(&todo, &ada, 1).await?;

    todo.stock().context("daprd was given")?.kafka.kill();
    let begin = Instant::now();
    for number in 0..20 {
        ada.create(&format!("task {number}")).await?;
    }
    eprintln!("20 writes without the broker: {:.1?}", begin.elapsed());
    todo.stock().context("daprd was given")?.kafka.start_again().await?;
    let begin = Instant::now();
    seen_in_order(&todo, &ada, 21).await?;
    eprintln!("their events after the broker was back: {:.1?}", begin.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_daprd_that_is_killed_again_and_again_loses_no_acknowledged_write_and_no_event() -> Result<()> {
    let Some(mut todo) = start().await? else { return Ok(()) };
    let ada = todo.sign_up("ada").await?;
    let (mut acknowledged, mut number) = (Vec::new(), 0);
    for _ in 0..5 {
        for _ in 0..10 {
            let title = format!("task {number}");
            number += 1;
            if ada.post("/api/tasks", &json!({ "title": title })).await?.status == 201 {
                acknowledged.push(title);
            }
        }
        let daprd = &mut todo.stock().context("daprd was given")?.daprd;
        daprd.kill();
        let away = ada.post("/api/tasks", &json!({ "title": "never" })).await?;
        ensure!(away.status == 503 && !away.header("retry-after").is_empty(), "without daprd: {}", away.status);
        todo.stock().context("daprd was given")?.daprd.start_again().await?;
    }
    let tasks = ada.get("/api/tasks?limit=500").await?.expect(200)?;
    let stored: Vec<&str> = tasks.as_array().into_iter().flatten().filter_map(|task| task["title"].as_str()).collect();
    for title in &acknowledged {
        ensure!(stored.contains(&title.as_str()), "`{title}` was acknowledged and is lost");
    }
    ensure!(acknowledged.len() > 40, "only {} writes were acknowledged", acknowledged.len());
    seen_in_order(&todo, &ada, stored.len()).await
}
