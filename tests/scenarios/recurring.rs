//! What follows a completed task that recurs.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::{Todo, TodoOptions, User, eventually, needs_sidelet};

/// A second subscription of the same handler: every event comes twice, at the same time.
const AGAIN: &str = r#"
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata:
  name: recurring-again
spec:
  pubsubname: pubsub
  topic: task-events
  routes:
    default: /events/recurring/task-events
scopes: [todo]
"#;

async fn start_with_repeats() -> Result<(Todo, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("again.yaml"), AGAIN)?;
    let options = TodoOptions { resources: vec![folder.path().to_owned()], ..TodoOptions::default() };
    Ok((Todo::start_with(options).await?, folder))
}

async fn create(user: &User, task: &Value) -> Result<Value> {
    user.post("/api/tasks", task).await?.expect(201)
}

fn id(task: &Value) -> &str {
    task["id"].as_str().unwrap_or_default()
}

async fn complete(user: &User, task: &Value) -> Result<Value> {
    user.patch(&format!("/api/tasks/{}/complete", id(task)), &json!({})).await?.expect(200)
}

/// The open tasks of a series, by when they are due.
async fn open(user: &User, series: &Value) -> Option<Vec<Value>> {
    let tasks = user.get("/api/tasks?status=pending&sort=dueDate&limit=500").await.ok()?.expect(200).ok()?;
    Some(tasks.as_array()?.iter().filter(|task| task["seriesId"] == *series).cloned().collect())
}

/// Completes a task and gives the one that follows it.
async fn next(user: &User, task: &Value) -> Result<Value> {
    complete(user, task).await?;
    eventually("the next occurrence", async || open(user, &task["seriesId"]).await?.into_iter().next()).await
}

/// Completes another recurring task and waits for what follows it: by then, earlier events of the user have been handled.
async fn settle(user: &User) -> Result<()> {
    let task = create(user, &json!({ "title": "settled", "dueDate": "2030-01-01", "recurrence": "daily" })).await?;
    next(user, &task).await.map(drop)
}

#[tokio::test]
async fn the_next_occurrence_carries_everything_and_comes_once() -> Result<()> {
    if needs_sidelet("every event is subscribed to twice, or groups are looked at, by sidelet's means") {
        return Ok(());
    }
    let (todo, _folder) = start_with_repeats().await?;
    let ada = todo.sign_up("ada").await?;
    let first = json!({
        "title": "Pay rent", "description": "The flat.", "priority": "high", "tags": ["home"], "timeZone": "Europe/Berlin",
        "dueDate": "2030-01-31T08:00:00Z", "recurrence": "monthly", "reminders": [60, 10],
        "subtasks": [{ "title": "Transfer", "done": true }, { "title": "File" }],
    });
    let first = create(&ada, &first).await?;
    let second = next(&ada, &first).await?;
    for field in ["title", "description", "priority", "tags", "timeZone", "recurrence", "reminders", "seriesId"] {
        ensure!(second[field] == first[field] && !first[field].is_null(), "{field}: {second}");
    }
    ensure!(second["dueDate"] == "2030-02-28T08:00:00Z" && second["status"] == "pending", "{second}");
    let steps: Vec<(&Value, &Value)> =
        second["subtasks"].as_array().into_iter().flatten().map(|step| (&step["title"], &step["done"])).collect();
    ensure!(steps == [(&json!("Transfer"), &json!(false)), (&json!("File"), &json!(false))], "{second}");

    // Completed again, with other words, nothing more follows.
    ada.post(&format!("/api/tasks/{}/reopen", id(&first)), &json!({})).await?.expect(200)?;
    let change = json!({ "title": "Paid", "dueDate": "2030-01-30T08:00:00Z" });
    ada.patch(&format!("/api/tasks/{}", id(&first)), &change).await?.expect(200)?;
    complete(&ada, &first).await?;
    settle(&ada).await?;
    let series = open(&ada, &first["seriesId"]).await.context("the series")?;
    ensure!(series == [second.clone()], "{series:?}");

    // The month's end comes back after a shorter month.
    let third = next(&ada, &second).await?;
    ensure!(third["dueDate"] == "2030-03-31T07:00:00Z", "{third}");
    Ok(())
}

#[tokio::test]
async fn wall_clock_time_holds_and_a_task_without_a_date_comes_back_after_its_completion() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let task = json!({ "title": "Stand up", "timeZone": "Europe/Berlin", "recurrence": "daily", "dueDate": "2030-03-30T08:00:00Z" });
    let mut task = create(&ada, &task).await?;
    let mut dues = Vec::new();
    for _ in 0..2 {
        task = next(&ada, &task).await?;
        dues.push(task["dueDate"].as_str().unwrap_or_default().to_owned());
    }
    // On 31 March, clocks go from 2 to 3.
    ensure!(dues == ["2030-03-31T07:00:00Z", "2030-04-01T07:00:00Z"], "{dues:?}");

    let undated = create(&ada, &json!({ "title": "Stretch", "recurrence": "daily" })).await?;
    complete(&ada, &undated).await?;
    let following = eventually("the next occurrence", async || {
        let open = open(&ada, &undated["seriesId"]).await?;
        open.into_iter().find(|task| id(task) != id(&undated))
    })
    .await?;
    let completed = ada.get(&format!("/api/tasks/{}", id(&undated))).await?.expect(200)?;
    let (due, completed) = (following["dueDate"].as_str(), completed["completedAt"].as_str());
    ensure!(
        due.is_some_and(|due| due.len() == 10) && due > completed.map(|at| &at[..10]),
        "{due:?} after {completed:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_series_ends_with_its_count_and_its_last_day() -> Result<()> {
    if needs_sidelet("every event is subscribed to twice, or groups are looked at, by sidelet's means") {
        return Ok(());
    }
    let (todo, _folder) = start_with_repeats().await?;
    let ada = todo.sign_up("ada").await?;
    for rule in ["FREQ=DAILY;COUNT=2", "FREQ=DAILY;UNTIL=20300102"] {
        let first = create(&ada, &json!({ "title": rule, "dueDate": "2030-01-01", "recurrence": rule })).await?;
        let second = next(&ada, &first).await?;
        ensure!(second["dueDate"] == "2030-01-02", "{second}");
        complete(&ada, &second).await?;
        settle(&ada).await?;
        ensure!(open(&ada, &first["seriesId"]).await.is_some_and(|tasks| tasks.is_empty()), "{rule} went on");
    }
    Ok(())
}

#[tokio::test]
async fn an_occurrence_that_was_removed_for_good_does_not_come_back_by_a_repeat() -> Result<()> {
    if needs_sidelet("every event is subscribed to twice, or groups are looked at, by sidelet's means") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let options = TodoOptions { resources: vec![folder.path().to_owned()], ..TodoOptions::default() };
    let mut todo = Todo::start_with(options).await?;
    let ada = todo.sign_up("ada").await?;
    let first = create(&ada, &json!({ "title": "Milk", "dueDate": "2030-01-01", "recurrence": "weekly" })).await?;
    let second = next(&ada, &first).await?;
    ada.delete(&format!("/api/tasks/{}", id(&second))).await?.expect(204)?;
    ada.delete(&format!("/api/trash/{}", id(&second))).await?.expect(204)?;

    // A new group begins at the oldest event.
    todo.kill().await?;
    std::fs::write(folder.path().join("again.yaml"), AGAIN)?;
    todo.start_again().await?;
    eventually("all events once more", async || {
        let groups =
            todo.call_sidecar(reqwest::Method::GET, "/sidelet/v1/groups", None).await.ok()?.expect(200).ok()?;
        let again = groups.as_array()?.iter().find(|group| group["group"] == "todo/recurring-again")?.clone();
        (again["behind"] == 0).then_some(())
    })
    .await?;
    ensure!(open(&ada, &first["seriesId"]).await.is_some_and(|tasks| tasks.is_empty()));

    let event = json!({ "id": "1", "source": "todo", "type": "com.dapr.event.sent", "data": {} });
    // Who is not the sidecar makes nothing, and what is no event is given up.
    ensure!(todo.post("/events/recurring/task-events", &event).await?.status == 401);
    let told = todo.deliver("/events/recurring/task-events", &event).await?.expect(200)?;
    ensure!(told["status"] == "DROP" && told["reason"].is_string(), "{told}");
    Ok(())
}
