//! The inbox: each reminder once, however often it comes and whatever is killed meanwhile.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use testkit::{Todo, User, eventually};

const REMINDERS: &str = "/events/notifier/reminders";

/// A reminder as the sidecar delivers it, the `number`th of a user.
fn reminder(user: &User, number: u32) -> Value {
    let id = format!("0190163d-8694-739b-aea5-{number:012x}");
    json!({
        "id": id, "source": "todo", "specversion": "1.0", "type": "todo.reminder", "topic": "reminders",
        "data": {
            "reminderId": id, "taskId": "0190163d-8694-739b-aea5-966c26f8ad91", "userId": user.id,
            "dueTime": "2030-03-01T09:00:00Z", "status": "pending", "title": format!("number {number}"),
            "remindAt": format!("2030-01-01T00:{:02}:{:02}Z", number / 60, number % 60),
        },
    })
}

async fn titles(user: &User, path: &str) -> Result<Vec<String>> {
    let inbox = user.get(path).await?.expect(200)?;
    Ok(inbox.as_array().into_iter().flatten().filter_map(|entry| entry["title"].as_str().map(str::to_owned)).collect())
}

#[tokio::test]
async fn an_inbox_is_paged_and_read() -> Result<()> {
    let todo = Todo::start().await?;
    let (ada, bob) = (todo.sign_up("ada").await?, todo.sign_up("bob").await?);
    for number in [2, 0, 4, 1, 3, 2, 0] {
        todo.deliver(REMINDERS, &reminder(&ada, number)).await?.expect(200)?;
    }
    let page = ada.get("/api/notifications?limit=2").await?;
    ensure!((page.header("x-total-count"), page.header("x-unread-count")) == ("5", "5"));
    let (mut path, mut seen) = ("/api/notifications?limit=2".to_owned(), Vec::new());
    loop {
        let page = ada.get(&path).await?;
        seen.extend(titles(&ada, &path).await?);
        let Some(next) = page.header("link").strip_prefix('<').and_then(|rest| rest.split_once('>')) else { break };
        path = next.0.to_owned();
    }
    ensure!(seen == ["number 4", "number 3", "number 2", "number 1", "number 0"], "{seen:?}");

    let newest = page.body[0]["id"].as_str().unwrap_or_default().to_owned();
    let read = format!("/api/notifications/{newest}/read");
    bob.post(&read, &json!({})).await?.expect(404)?;
    for _ in 0..2 {
        ada.post(&read, &json!({})).await?.expect(204)?;
        ensure!(ada.get("/api/notifications").await?.header("x-unread-count") == "4");
    }
    // What comes again stays read.
    todo.deliver(REMINDERS, &reminder(&ada, 4)).await?.expect(200)?;
    let entry = ada.get("/api/notifications?limit=1").await?.expect(200)?[0].clone();
    ensure!(entry["id"] == newest.as_str() && entry["readAt"].is_string() && entry["kind"] == "reminder", "{entry}");
    for _ in 0..2 {
        ada.post("/api/notifications/read-all", &json!({})).await?.expect(204)?;
        ensure!(ada.get("/api/notifications").await?.header("x-unread-count") == "0");
    }
    ada.post("/api/notifications/0190163d-8694-739b-aea5-966c26f8ad91/read", &json!({})).await?.expect(404)?;
    ada.post("/api/notifications/x/read", &json!({})).await?.expect(404)?;
    ensure!(ada.get("/api/notifications?limit=0").await?.fields() == ["limit"]);
    ensure!(titles(&bob, "/api/notifications").await?.is_empty());

    // Nobody but the sidecar brings events.
    ada.post(REMINDERS, &reminder(&ada, 9)).await?.expect(401)?;
    let digest = json!({
        "id": "d", "source": "todo", "specversion": "1.0", "type": "todo.digest", "topic": "reminders",
        "data": {
            "digestId": "0190163d-8694-739b-aea5-966c26f8ad99", "userId": ada.id, "day": "2031-01-01",
            "timestamp": "2031-01-01T07:00:00Z",
            "today": { "total": 21, "tasks": [{ "taskId": "0190163d-8694-739b-aea5-966c26f8ad91", "title": "Rent", "dueDate": "2031-01-01" }] },
            "overdue": { "total": 0, "tasks": [] },
        },
    });
    todo.deliver(REMINDERS, &digest).await?.expect(200)?;
    let entry = ada.get("/api/notifications?limit=1").await?.expect(200)?[0].clone();
    ensure!(entry["title"] == "21 due today, 0 overdue" && entry["text"] == "Rent\nand 20 more", "{entry}");
    Ok(())
}

#[tokio::test]
async fn each_reminder_is_there_once_after_repeats_and_kills_and_all_goes_with_the_account() -> Result<()> {
    let mut todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    // Published twice each, and the process killed in the midst of their deliveries, again and again.
    for round in 0..4 {
        for number in 0..15 {
            let event = reminder(&ada, round * 15 + number);
            let id = event["id"].as_str().unwrap_or_default();
            let path = format!(
                "/v1.0/publish/pubsub/reminders?metadata.partitionKey={}&metadata.cloudevent.id={id}&metadata.cloudevent.type=todo.reminder",
                ada.id
            );
            for _ in 0..2 {
                todo.call_sidecar(reqwest::Method::POST, &path, Some(&event["data"])).await?.expect(204)?;
            }
        }
        todo.kill().await?;
        todo.start_again().await?;
    }
    let inbox = eventually("every reminder", async || {
        titles(&ada, "/api/notifications?limit=500").await.ok().filter(|titles| titles.len() >= 60)
    })
    .await?;
    let expected: Vec<String> = (0..60).rev().map(|number| format!("number {number}")).collect();
    ensure!(inbox == expected, "{inbox:?}");

    ada.post("/api/webhooks", &json!({ "url": "https://hooks.example/" })).await?.expect(201)?;
    ada.delete("/api/me").await?.expect(204)?;
    eventually("the inbox is closed", async || {
        ada.get("/api/notifications").await.ok().filter(|answer| answer.status == 401)
    })
    .await?;
    ada.get("/api/webhooks").await?.expect(401)?;
    ada.post("/api/webhooks", &json!({ "url": "https://hooks.example/" })).await?.expect(401)?;
    // What comes late makes nothing anew.
    todo.deliver(REMINDERS, &reminder(&ada, 99)).await?.expect(200)?;
    ada.get("/api/notifications").await?.expect(401)?;
    Ok(())
}
