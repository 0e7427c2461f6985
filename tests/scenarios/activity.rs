//! What happened to tasks: who changed what and when, and what stood there before.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Todo, User, eventually};

/// The rows at a path once there are so many.
async fn rows(user: &User, path: &str, count: usize) -> Result<Vec<Value>> {
    eventually(&format!("{count} rows at {path}"), async || {
        let body = user.get(path).await.ok()?.expect(200).ok()?;
        body.as_array().filter(|rows| rows.len() >= count).cloned()
    })
    .await
}

#[tokio::test]
async fn the_whole_life_of_a_task_is_told_with_who_and_what_stood_there_before() -> Result<()> {
    let todo = Todo::start().await?;
    let (ada, bob) = (todo.sign_up("ada").await?, todo.sign_up("bob").await?);
    let made = ada.post("/api/tokens", &json!({ "name": "Robot" })).await?.expect(201)?;
    let robot = ada.with_token(made["token"].as_str().context("a token")?.to_owned());

    let id = ada.create("Buy milk").await?;
    let path = format!("/api/tasks/{id}");
    let long = "long ".repeat(500);
    ada.patch(&path, &json!({ "title": "Buy oat milk", "priority": "high" })).await?.expect(200)?;
    robot.patch(&path, &json!({ "description": long, "tags": ["home"] })).await?.expect(200)?;
    ada.patch(&format!("{path}/complete"), &json!({})).await?.expect(200)?;
    ada.post(&format!("{path}/reopen"), &json!({})).await?.expect(200)?;
    ada.delete(&path).await?.expect(204)?;
    ada.post(&format!("{path}/restore"), &json!({})).await?.expect(200)?;
    ada.post("/api/import", &json!([{ "title": "From elsewhere" }])).await?.expect(200)?;

    let told = rows(&ada, &format!("{path}/activity"), 7).await?;
    let facts: Vec<String> = told
        .iter()
        .map(|row| {
            let changes = row["changes"].as_array().into_iter().flatten();
            let changes: Vec<String> = changes
                .filter(|change| change["field"] != "description")
                .map(|change| format!("{}: {} -> {}", change["field"], change["old"], change["new"]))
                .collect();
            format!("{} {} {}", row["eventType"], row["actor"]["kind"], changes.join(", ")).replace('"', "")
        })
        .collect();
    let is_instant = |text: &str| text.starts_with("20") && text.ends_with('Z');
    assert_eq!(
        &facts[2..],
        [
            "updated user status: completed -> pending",
            "completed user status: pending -> completed",
            "updated token tags: [] -> [home]",
            "updated user title: Buy milk -> Buy oat milk, priority: medium -> high",
            "created user ",
        ]
    );
    assert!(facts[0].starts_with("updated user deletedAt: ") && facts[0].ends_with(" -> null"), "{}", facts[0]);
    assert_eq!(told[1]["eventType"], json!("deleted"));
    assert!(
        told.iter().all(|row| row["at"].as_str().is_some_and(is_instant) && row["taskId"] == json!(id)),
        "{told:?}"
    );
    assert_eq!((&told[4]["actor"]["name"], &told[4]["version"]), (&json!("Robot"), &json!(3)));
    let description =
        told[4]["changes"].as_array().context("changes")?.iter().find(|change| change["field"] == "description");
    let cut = description.and_then(|change| change["new"].as_str()).context("a description")?;
    assert!(cut.chars().count() == 1_001 && cut.ends_with('…'));

    let all = rows(&ada, "/api/activity", 8).await?;
    assert_eq!((&all[0]["title"], &all[0]["actor"]["kind"]), (&json!("From elsewhere"), &json!("import")));
    assert_eq!(&all[1..], told);

    // Who may not read the task may not read what happened to it.
    for path in [format!("{path}/activity"), "/api/tasks/none/activity".to_owned()] {
        assert_eq!(bob.get(&path).await?.problem(), "not-found");
    }
    assert_eq!(bob.get("/api/activity").await?.expect(200)?, json!([]));
    robot.get("/api/activity").await?.expect(200)?;
    let writer = ada.post("/api/tokens", &json!({ "name": "w", "scopes": ["tasks:write"] })).await?.expect(201)?;
    let writer = ada.with_token(writer["token"].as_str().context("a token")?.to_owned());
    assert_eq!(writer.get("/api/activity").await?.problem(), "insufficient-scope");
    assert_eq!(todo.get("/api/activity").await?.problem(), "token-missing");
    let refused = ada.get("/api/activity?limit=0&cursor=x&colour=red").await?;
    assert_eq!(refused.fields(), ["limit", "cursor", "colour"]);
    // Only the sidecar tells of events.
    let event = todo.post("/events/activity/task-events", &json!({})).await?;
    assert_eq!((event.status.as_u16(), event.problem()), (401, "not-the-sidecar"));
    Ok(())
}

#[tokio::test]
async fn the_pages_of_activity_are_all_of_it_without_repeats_and_an_event_that_comes_again_is_no_row() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let id = ada.create("counted").await?;
    const CHANGES: u64 = 100;
    for number in 2..=CHANGES {
        ada.patch(&format!("/api/tasks/{id}"), &json!({ "title": format!("counted {number}") })).await?.expect(200)?;
    }
    rows(&ada, &format!("/api/tasks/{id}/activity?limit=100"), 100).await?;
    // As a broker that delivers twice, and late.
    let path = format!("/v1.0/publish/pubsub/task-events?metadata.partitionKey={}", ada.id);
    for sequence in [1, 50, 100] {
        let task = ada.get(&format!("/api/tasks/{id}")).await?.expect(200)?;
        let mut task = task;
        task["version"] = json!(sequence);
        let event = json!({
            "eventId": task["id"], "eventType": "updated", "taskId": id, "userId": ada.id, "sequence": sequence,
            "timestamp": task["updatedAt"], "schemaVersion": 1, "payload": { "task": task, "changed": ["title"] },
        });
        todo.call_sidecar(Method::POST, &path, Some(&event)).await?.expect(204)?;
    }
    ada.create("the last").await?;
    rows(&ada, "/api/activity?limit=1", 1).await?;
    let newest = CHANGES + 1;
    eventually("the last event", async || {
        let rows = ada.get("/api/activity?limit=1").await.ok()?.expect(200).ok()?;
        (rows[0]["sequence"] == json!(newest)).then_some(())
    })
    .await?;

    for (begin, expected) in
        [("/api/activity?limit=7".to_owned(), newest), (format!("/api/tasks/{id}/activity?limit=9"), CHANGES)]
    {
        let (mut path, mut seen) = (begin, Vec::new());
        loop {
            let page = ada.get(&path).await?;
            let link = page.header("link").to_owned();
            seen.extend(page.expect(200)?.as_array().into_iter().flatten().filter_map(|row| row["sequence"].as_u64()));
            let Some(next) = link.strip_prefix('<').and_then(|rest| rest.split_once('>')) else { break };
            path = next.0.to_owned();
        }
        assert!(seen.iter().copied().eq((1..=expected).rev()), "{seen:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_happened_goes_with_the_account() -> Result<()> {
    let todo = Todo::start().await?;
    let (ada, bob) = (todo.sign_up("ada").await?, todo.sign_up("bob").await?);
    let tasks: Vec<Value> = (0..300).map(|number| json!({ "title": format!("task {number}") })).collect();
    ada.post("/api/import", &json!(tasks)).await?.expect(200)?;
    let id = ada.create("the last").await?;
    bob.create("Bob's").await?;
    rows(&ada, &format!("/api/tasks/{id}/activity"), 1).await?;
    rows(&bob, "/api/activity", 1).await?;
    let block = |user: &User, rest: &str| format!("/v1.0/state/statestore/activity%2F{}%2F{rest}", user.id);
    let keys = [block(&ada, "0"), block(&ada, "9"), block(&ada, &format!("{id}%2F0"))];
    for key in &keys {
        todo.call_sidecar(Method::GET, key, None).await?.expect(200)?;
    }
    ada.delete("/api/me").await?.expect(204)?;
    for key in &keys {
        eventually(&format!("an end of {key}"), async || {
            todo.call_sidecar(Method::GET, key, None).await.ok()?.expect(204).ok()
        })
        .await?;
    }
    todo.call_sidecar(Method::GET, &block(&bob, "0"), None).await?.expect(200)?;
    assert_eq!(ada.get("/api/activity").await?.expect(200)?, json!([]));
    Ok(())
}
