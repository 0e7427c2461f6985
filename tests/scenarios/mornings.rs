//! What each user's morning brings: the digest, the end of what is long in the trash, and reminders that were lost.

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Todo, TodoOptions, User, eventually, needs_a_file, needs_sidelet};

use crate::support::{Clock, job_is, job_time, reminded, reminded_of};

async fn start(clock: &Clock) -> Result<Todo> {
    Todo::start_with(TodoOptions { environment: clock.environment()?, ..TodoOptions::default() }).await
}

async fn create(user: &User, title: &str, due: &str) -> Result<String> {
    let task = user.post("/api/tasks", &json!({ "title": title, "dueDate": due })).await?.expect(201)?;
    Ok(task["id"].as_str().unwrap_or_default().to_owned())
}

fn titles(section: &Value) -> Vec<&str> {
    section["tasks"].as_array().into_iter().flatten().filter_map(|task| task["title"].as_str()).collect()
}

fn daily(user: &User) -> String {
    format!("daily-{}", user.id)
}

#[tokio::test]
async fn the_digest_comes_at_the_users_own_time_also_when_clocks_change() -> Result<()> {
    if needs_sidelet("daprd has the machine's clock") || needs_a_file("the servers have the machine's clock") {
        return Ok(());
    }
    let clock = Clock::new()?;
    clock.show("2030-03-29T12:00:00Z")?;
    let todo = start(&clock).await?;
    todo.sign_up("ada").await?.patch("/api/me", &json!({ "timeZone": "Europe/Berlin" })).await?.expect(200)?;
    let ada = todo.sign_in("ada").await?;
    let me = ada.get("/api/me").await?.expect(200)?;
    ensure!(me["digestTime"] == "07:00", "{me}");
    for (title, due) in [
        ("long ago", "2030-03-01"),
        ("Saturday", "2030-03-30"),
        ("Sunday", "2030-03-31"),
        ("late on Sunday", "2030-03-31T21:30:00Z"),
        ("Monday", "2030-04-01"),
    ] {
        create(&ada, title, due).await?;
    }
    job_is(&todo, &daily(&ada), Some("2030-03-30T06:00:00Z")).await?;

    clock.show("2030-03-30T06:00:01Z")?;
    let digest = reminded_of(&ada, 1).await?[0].clone();
    ensure!(digest["type"] == "todo.digest" && digest["data"]["digestId"] == digest["id"], "{digest}");
    ensure!(digest["data"]["day"] == "2030-03-30" && titles(&digest["data"]["today"]) == ["Saturday"], "{digest}");
    ensure!(titles(&digest["data"]["overdue"]) == ["long ago"], "{digest}");

    // In the night clocks go from 2 to 3.
    job_is(&todo, &daily(&ada), Some("2030-03-31T05:00:00Z")).await?;
    clock.show("2030-03-31T05:00:01Z")?;
    let digest = reminded_of(&ada, 2).await?[1].clone();
    ensure!(titles(&digest["data"]["today"]) == ["late on Sunday", "Sunday"], "{digest}");
    ensure!(titles(&digest["data"]["overdue"]) == ["long ago", "Saturday"], "{digest}");
    job_is(&todo, &daily(&ada), Some("2030-04-01T05:00:00Z")).await?;

    // Who wants no digest has mornings all the same; who chooses another time has it from then on.
    let ada = todo.sign_in("ada").await?;
    for wrong in [json!("7"), json!("24:00"), json!(7)] {
        let refused = ada.patch("/api/me", &json!({ "digestTime": wrong })).await?;
        ensure!(refused.fields() == ["digestTime"], "{:?}", refused.body);
    }
    ada.patch("/api/me", &json!({ "digestTime": null })).await?.expect(200)?;
    clock.show("2030-04-01T05:00:01Z")?;
    job_is(&todo, &daily(&ada), Some("2030-04-02T05:00:00Z")).await?;
    ensure!(reminded(&ada).await.is_some_and(|told| told.len() == 2));
    let ada = todo.sign_in("ada").await?;
    let changed = ada.patch("/api/me", &json!({ "digestTime": "21:30" })).await?.expect(200)?;
    ensure!(changed["user"]["digestTime"] == "21:30", "{changed}");
    job_is(&todo, &daily(&ada), Some("2030-04-01T19:30:00Z")).await?;
    ada.patch("/api/me", &json!({ "timeZone": "Asia/Tokyo" })).await?.expect(200)?;
    job_is(&todo, &daily(&ada), Some("2030-04-01T12:30:00Z")).await
}

#[tokio::test]
async fn the_trash_is_emptied_after_thirty_days() -> Result<()> {
    if needs_sidelet("daprd has the machine's clock") || needs_a_file("the servers have the machine's clock") {
        return Ok(());
    }
    let clock = Clock::new()?;
    clock.show("2030-05-01T12:00:00Z")?;
    let todo = start(&clock).await?;
    let ada = todo.sign_up("ada").await?;
    let old = create(&ada, "old", "2030-05-01").await?;
    create(&ada, "kept", "2030-05-01").await?;
    ada.delete(&format!("/api/tasks/{old}")).await?.expect(204)?;
    job_is(&todo, &daily(&ada), Some("2030-05-02T07:00:00Z")).await?;
    // A morning that was missed comes once, late; the thirty days are not over then.
    for (now, next, trashed) in
        [("2030-05-31T08:00:00Z", "2030-06-01T07:00:00Z", "1"), ("2030-06-01T07:00:01Z", "2030-06-02T07:00:00Z", "0")]
    {
        clock.show(now)?;
        job_is(&todo, &daily(&ada), Some(next)).await?;
        let ada = todo.sign_in("ada").await?;
        ensure!(ada.get("/api/trash").await?.header("x-total-count") == trashed, "{now}");
        ensure!(ada.get("/api/tasks").await?.header("x-total-count") == "1");
    }
    Ok(())
}

#[tokio::test]
async fn jobs_that_were_lost_are_made_again_and_go_with_the_account() -> Result<()> {
    if needs_sidelet("daprd has the machine's clock") || needs_a_file("the servers have the machine's clock") {
        return Ok(());
    }
    let clock = Clock::new()?;
    clock.show("2030-05-01T12:00:00Z")?;
    let todo = start(&clock).await?;
    let ada = todo.sign_up("ada").await?;
    let task = json!({ "title": "Call", "dueDate": "2030-05-02T20:00:00Z", "reminders": [30] });
    let task = ada.post("/api/tasks", &task).await?.expect(201)?;
    let reminder = format!("reminder-{}-0", task["id"].as_str().unwrap_or_default());
    job_is(&todo, &reminder, Some("2030-05-02T19:30:00Z")).await?;
    job_is(&todo, &daily(&ada), Some("2030-05-02T07:00:00Z")).await?;

    for job in [&reminder, &daily(&ada)] {
        todo.call_sidecar(Method::DELETE, &format!("/v1.0/jobs/{job}"), None).await?.expect(204)?;
        ensure!(job_time(&todo, job).await?.is_none());
    }
    // The daily walk finds who has no morning; the morning finds what is missing.
    todo.deliver("/events/reminders/daily", &json!({})).await?.expect(200)?;
    job_is(&todo, &daily(&ada), Some("2030-05-02T07:00:00Z")).await?;
    clock.show("2030-05-02T07:00:01Z")?;
    job_is(&todo, &reminder, Some("2030-05-02T19:30:00Z")).await?;
    job_is(&todo, &daily(&ada), Some("2030-05-03T07:00:00Z")).await?;

    // The walk begins each night by itself.
    todo.call_sidecar(Method::DELETE, &format!("/v1.0/jobs/{}", daily(&ada)), None).await?.expect(204)?;
    clock.show("2030-05-03T03:15:01Z")?;
    job_is(&todo, &daily(&ada), Some("2030-05-03T07:00:00Z")).await?;

    let ada = todo.sign_in("ada").await?;
    ada.delete("/api/me").await?.expect(204)?;
    job_is(&todo, &reminder, None).await?;
    job_is(&todo, &daily(&ada), None).await?;
    // Nobody is left to walk to.
    todo.deliver("/events/reminders/daily", &json!({})).await?.expect(200)?;
    let keys = (0..=255).map(|shard| format!("users/{shard:02x}")).collect::<Vec<_>>();
    let keys = json!({ "keys": keys });
    let found = todo.call_sidecar(Method::POST, "/v1.0/state/statestore/bulk", Some(&keys)).await?.expect(200)?;
    ensure!(found.as_array().is_some_and(|all| all.iter().all(|entry| entry["data"].is_null())), "{found}");
    eventually("no morning", async || job_time(&todo, &daily(&ada)).await.ok()?.is_none().then_some(())).await
}
