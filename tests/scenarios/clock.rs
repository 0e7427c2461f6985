//! The machine's clock is set back by an hour while everything runs.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use testkit::{Todo, TodoOptions, User, eventually, needs_a_file, needs_sidelet};

use crate::support::Clock;

/// Makes a task and gives it as it was answered.
async fn create(user: &User, title: &str) -> Result<Value> {
    user.post("/api/tasks", &json!({ "title": title })).await?.expect(201)
}

fn text<'a>(task: &'a Value, name: &str) -> &'a str {
    task[name].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_clock_that_is_set_back_loses_nothing_and_repeats_nothing() -> Result<()> {
    if needs_sidelet("daprd has the machine's clock") || needs_a_file("the servers have the machine's clock") {
        return Ok(());
    }
    let clock = Clock::new()?;
    let mut todo =
        Todo::start_with(TodoOptions { environment: clock.environment()?, ..TodoOptions::default() }).await?;
    let ada = todo.sign_up("ada").await?;
    // More than the head holds, so that the older ones are on a page.
    let many: Vec<Value> = (0..140).map(|number| json!({ "title": format!("before {number}") })).collect();
    let import = ada.post("/api/import", &Value::Array(many)).await?.expect(200)?;
    ensure!(import["created"] == 140, "{import}");
    let before = create(&ada, "before").await?;

    clock.set(-3600)?;
    let after = eventually("the clock is set back", async || {
        let task = create(&ada, "after").await.ok()?;
        (text(&task, "createdAt") < text(&before, "createdAt")).then_some(task)
    })
    .await?;

    // The one made before is changed at an earlier time than it was made at, once, and by its version.
    let path = format!("/api/tasks/{}", text(&before, "id"));
    let stale = ada.request(reqwest::Method::PATCH, &path).await.header("if-match", "\"9\"");
    ensure!(ada.send(stale.json(&json!({ "title": "x" }))).await?.status == 412);
    let changed = ada.patch(&path, &json!({ "priority": "high" })).await?.expect(200)?;
    ensure!(changed["version"] == 2 && text(&changed, "updatedAt") < text(&before, "updatedAt"), "{changed}");
    let found = ada.get(&format!("/api/tasks/{}", text(&after, "id"))).await?.expect(200)?;
    ensure!(found["title"] == "after", "{found}");

    // Every task is on one page of the list and no other, and what is made now still fits.
    let mut last = create(&ada, "last").await?;
    let (mut path, mut seen) = ("/api/tasks?limit=50".to_owned(), Vec::new());
    loop {
        let page = ada.get(&path).await?;
        let link = page.header("link").to_owned();
        seen.extend(page.expect(200)?.as_array().into_iter().flatten().map(|task| text(task, "id").to_owned()));
        let Some(next) = link.strip_prefix('<').and_then(|rest| rest.split_once('>')) else { break };
        path = next.0.to_owned();
    }
    let total: usize = ada.get("/api/tasks").await?.header("x-total-count").parse()?;
    let distinct: std::collections::BTreeSet<&String> = seen.iter().collect();
    ensure!(distinct.len() == seen.len() && seen.len() == total && total >= 143, "{} of {total}", seen.len());
    ensure!(seen.iter().any(|id| id == text(&last, "id")));

    // Every event has come once and in order, and after a start in the past everything goes on.
    todo.stop().await?;
    todo.start_again().await?;
    last = ada.patch(&format!("/api/tasks/{}", text(&last, "id")), &json!({ "title": "again" })).await?.expect(200)?;
    ensure!(last["version"] == 2, "{last}");
    let events = eventually("an event of each write", async || {
        todo.seen_events(&ada).await.ok().filter(|events| events.len() == total + 2)
    })
    .await?;
    for (event, sequence) in events.iter().zip(1..) {
        ensure!(event.sequence == sequence, "event {} came as number {sequence}", event.sequence);
    }
    Ok(())
}
