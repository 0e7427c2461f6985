//! Reminders come once, at their time, as long as they are wanted.

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Todo, TodoOptions, User, needs_a_file, needs_sidelet};

use crate::support::{Clock, job_is, job_time, reminded, reminded_of};

async fn create(user: &User, title: &str, due: Timestamp, leads: &[u32]) -> Result<String> {
    let task = json!({ "title": title, "dueDate": due.to_string(), "reminders": leads });
    let task = user.post("/api/tasks", &task).await?.expect(201)?;
    Ok(task["id"].as_str().unwrap_or_default().to_owned())
}

fn seconds_from_now(seconds: i64) -> Timestamp {
    let now = Timestamp::now().as_millisecond() + seconds * 1_000;
    Timestamp::from_millisecond(now).unwrap_or_default()
}

fn titles(told: &[Value]) -> Vec<&str> {
    told.iter().filter_map(|event| event["data"]["title"].as_str()).collect()
}

#[tokio::test]
async fn a_reminder_comes_once_within_a_second_of_its_time_also_over_a_restart() -> Result<()> {
    let mut todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let due = seconds_from_now(4);
    let id = create(&ada, "Tea", due, &[0]).await?;
    let job = format!("reminder-{id}-0");
    job_is(&todo, &job, Some(&due.to_string())).await?;
    todo.kill().await?;
    todo.start_again().await?;
    // On a slow machine, its time has passed by now.
    let expected_at = due.max(Timestamp::now());
    let told = reminded_of(&ada, 1).await?;
    let event = &told[0];
    let expected = json!({
        "reminderId": event["id"], "taskId": id, "userId": ada.id, "dueTime": due.to_string(),
        "remindAt": due.to_string(), "status": "pending", "title": "Tea",
    });
    ensure!(event["data"] == expected && event["type"] == "todo.reminder", "{event}");
    let came: Timestamp = event["at"].as_str().unwrap_or_default().parse()?;
    let late = came.duration_since(expected_at);
    ensure!(came >= due && late < SignedDuration::from_secs(1), "{late} late");
    job_is(&todo, &job, None).await?;
    ensure!(reminded(&ada).await.is_some_and(|told| told.len() == 1));
    Ok(())
}

#[tokio::test]
async fn a_reminder_follows_its_task_and_goes_with_it() -> Result<()> {
    if needs_sidelet("daprd has the machine's clock") || needs_a_file("the servers have the machine's clock") {
        return Ok(());
    }
    let clock = Clock::new()?;
    let options = TodoOptions { environment: clock.environment()?, ..TodoOptions::default() };
    let mut todo = Todo::start_with(options).await?;
    let ada = todo.sign_up("ada").await?;
    let (hour, two_hours) = (seconds_from_now(3_600), seconds_from_now(7_200));
    let mut ids = Vec::new();
    for title in ["moved", "completed", "deleted", "kept", "unwanted", "reopened"] {
        ids.push(create(&ada, title, hour, &[0, 10]).await?);
    }
    let path = |index: usize| format!("/api/tasks/{}", ids[index]);
    let job = |index: usize, slot: u32| format!("reminder-{}-{slot}", ids[index]);
    job_is(&todo, &job(5, 1), Some(&hour.to_string())).await?;

    ada.patch(&path(0), &json!({ "dueDate": two_hours.to_string() })).await?.expect(200)?;
    ada.patch(&format!("{}/complete", path(1)), &json!({})).await?.expect(200)?;
    ada.delete(&path(2)).await?.expect(204)?;
    ada.patch(&path(3), &json!({ "title": "still kept" })).await?.expect(200)?;
    ada.patch(&path(4), &json!({ "reminders": [] })).await?.expect(200)?;
    ada.patch(&format!("{}/complete", path(5)), &json!({})).await?.expect(200)?;
    ada.post(&format!("{}/reopen", path(5)), &json!({})).await?.expect(200)?;
    ada.patch(&path(5), &json!({ "reminders": [0] })).await?.expect(200)?;
    for index in [1, 2, 4] {
        job_is(&todo, &job(index, 1), None).await?;
    }
    job_is(&todo, &job(0, 1), Some(&two_hours.to_string())).await?;
    job_is(&todo, &job(5, 1), None).await?;
    job_is(&todo, &job(5, 0), Some(&hour.to_string())).await?;

    // The time comes while nothing runs: what fell due comes once.
    todo.kill().await?;
    clock.set(3_601)?;
    todo.start_again().await?;
    let mut told = reminded_of(&ada, 3).await?;
    told.sort_by_key(|event| event["data"]["title"].to_string());
    ensure!(titles(&told) == ["reopened", "still kept", "still kept"], "{told:?}");
    clock.set(7_201)?;
    let told = reminded_of(&ada, 5).await?;
    ensure!(titles(&told[3..]) == ["moved", "moved"], "{told:?}");
    ensure!(job_time(&todo, &job(0, 1)).await?.is_none() || reminded(&ada).await.is_some_and(|told| told.len() == 5));
    Ok(())
}

#[tokio::test]
async fn a_message_is_published_when_its_time_has_come_and_other_jobs_are_over() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let data = json!({ "userId": ada.id, "number": 7 });
    let message = json!({ "topic": "reminders", "key": ada.id, "type": "todo.test", "data": data });
    let job = json!({ "dueTime": seconds_from_now(1).to_string(), "data": message });
    todo.call_sidecar(Method::POST, "/v1.0/jobs/later-seven", Some(&job)).await?.expect(204)?;
    for name in ["later-broken", "unknown", "reminder-broken"] {
        let job = json!({ "dueTime": seconds_from_now(0).to_string(), "data": { "topic": 7 } });
        todo.call_sidecar(Method::POST, &format!("/v1.0/jobs/{name}"), Some(&job)).await?.expect(204)?;
    }
    let told = reminded_of(&ada, 1).await?;
    ensure!((&told[0]["id"], &told[0]["type"], &told[0]["data"]) == (&json!("seven"), &json!("todo.test"), &data));
    for name in ["later-seven", "later-broken", "unknown", "reminder-broken"] {
        job_is(&todo, name, None).await?;
    }
    ensure!(todo.post("/job/later-seven", &message).await?.status == 401);
    Ok(())
}
