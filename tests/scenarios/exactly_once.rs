//! Ten thousand events, each delivered one to three times, out of order, while the process is killed: what the handlers
//! leave is what one clean delivery of each leaves.
//!
//! The events come from real writes. They are brought to the handlers' routes by the test itself, as a sidecar would
//! that forgets, repeats and reorders more than any does: what is not acknowledged comes again.

mod chaos;
mod effects;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};
use testkit::{Todo, TodoOptions, User, needs_a_file, needs_sidelet};

use chaos::{Delivery, Handlers, deliver_all};

const USERS: usize = 40;
/// Tasks that each user imports. With the changes below each user has 250 events.
const TASKS: usize = 100;
const EVENTS: usize = USERS * 250;
/// How often the process is killed.
const KILLS: usize = 12;

/// The handlers, without which nothing but the test delivers.
fn options(data: Option<std::path::PathBuf>) -> TodoOptions {
    TodoOptions { without_recorder: true, without_subscriptions: true, data, ..TodoOptions::default() }
}

fn task(index: usize) -> Value {
    let mut task = json!({ "title": format!("Task {index}"), "tags": [format!("t{}", index % 7)] });
    if index.is_multiple_of(2) {
        task["dueDate"] = json!(format!("2031-{:02}-{:02}T09:00:00Z", 1 + index % 12, 1 + index % 28));
        task["reminders"] = json!([10, 60, 1440]);
    }
    if index.is_multiple_of(4) {
        let rules = ["daily", "weekly", "FREQ=MONTHLY;COUNT=5", "0 9 * * 1"];
        task["recurrence"] = json!(rules[index / 4 % rules.len()]);
        task["subtasks"] = json!([{ "title": "first", "done": true }, { "title": "second" }]);
    }
    task
}

/// A user's history: made, changed, completed, reopened and completed again, moved, deleted.
async fn live(user: &User) -> Result<()> {
    let tasks: Vec<Value> = (0..TASKS).map(task).collect();
    let report = user.post("/api/import", &json!(tasks)).await?.expect(200)?;
    ensure!(report["created"] == TASKS, "{report}");
    let listed = user.get("/api/tasks?limit=500&sort=createdAt&order=asc").await?.expect(200)?;
    let mut ids: Vec<String> =
        listed.as_array().context("tasks")?.iter().filter_map(|task| Some(task["id"].as_str()?.to_owned())).collect();
    ids.sort();
    ensure!(ids.len() == TASKS, "{} tasks", ids.len());
    let change = |from: usize, to: usize, what: Value| {
        let mut body = json!({ "ids": &ids[from..to] });
        body.as_object_mut().expect("it is an object").extend(what.as_object().cloned().unwrap_or_default());
        body
    };
    for body in [
        change(0, 40, json!({ "set": { "priority": "high" } })),
        change(20, 80, json!({ "complete": true })),
        change(40, 50, json!({ "set": { "status": "pending" } })),
        change(40, 50, json!({ "complete": true })),
        change(0, 20, json!({ "set": { "dueDate": "2032-05-05T10:00:00Z" } })),
        change(90, 100, json!({ "delete": true })),
    ] {
        let answer = user.post("/api/tasks/bulk", &body).await?.expect(200)?;
        let all = answer["results"].as_array().context("results")?;
        ensure!(all.iter().all(|result| result["status"] == 200 || result["status"] == 204), "{answer}");
    }
    Ok(())
}

/// Writes what happens, and gives the folder of its data, the users and the events.
async fn history() -> Result<(Todo, Vec<User>, Vec<Value>)> {
    let mut todo = Todo::start_with(options(None)).await?;
    let mut users = Vec::with_capacity(USERS);
    for index in 0..USERS {
        users.push(todo.sign_up(&format!("user-{index}")).await?);
    }
    try_join_all(users.iter().map(live)).await?;
    let mut events = todo.published_events("task-events", EVENTS).await?;
    ensure!(events.len() == EVENTS, "{} events", events.len());
    // Users take turns, as they do in life.
    events.sort_by_key(|event| event["data"]["sequence"].as_u64());
    todo.stop().await?;
    Ok((todo, users, events))
}

/// What each reminder's hour brings, for the handler of reminders.
fn reminders(events: &[Value]) -> Vec<Value> {
    let created = events.iter().filter(|event| event["data"]["eventType"] == "created");
    let due = created.filter(|event| event["data"]["payload"]["task"]["dueDate"].is_string());
    let reminder = |event: &Value| {
        let (data, task) = (&event["data"], &event["data"]["payload"]["task"]);
        let id = task["id"].as_str().unwrap_or_default();
        json!({
            "id": id, "source": "todo", "specversion": "1.0", "type": "todo.reminder",
            "topic": "reminders", "pubsubname": "pubsub", "datacontenttype": "application/json",
            "data": {
                "reminderId": id, "taskId": id, "userId": data["userId"], "dueTime": task["dueDate"],
                "remindAt": "2031-01-01T09:00:00Z", "status": "pending", "title": task["title"],
            },
        })
    };
    due.map(reminder).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_repeated_reordered_and_killed_leaves_what_one_clean_delivery_leaves() -> Result<()> {
    if needs_sidelet("the events are read back from sidelet's log") || needs_a_file("it begins with a copy of the file")
    {
        return Ok(());
    }
    let (source, users, events) = history().await?;
    let handlers = Handlers {
        deliveries: [
            ("/events/recurring/task-events", Arc::new(events.clone())),
            ("/events/reminders/task-events", Arc::new(events.clone())),
            ("/events/activity/task-events", Arc::new(events.clone())),
            ("/events/updates/task-events", Arc::new(events.clone())),
            ("/events/notifier/task-events", Arc::new(events.clone())),
            ("/events/notifier/reminders", Arc::new(reminders(&events))),
        ]
        .map(|(route, events)| Delivery { route, events })
        .into(),
    };

    let clean = {
        let mut todo = Todo::start_with(options(Some(source.data()))).await?;
        let users = signed_in(&todo, &users).await?;
        deliver_all(&mut todo, &users[0], &handlers, None).await?;
        effects::of(&todo, &users, &events).await?
    };
    let made: usize = clean.values().map(|effects| effects.occurrences.len()).sum();
    let inbox: usize = clean.values().map(|effects| effects.inbox.len()).sum();
    let jobs: usize = clean.values().map(|effects| effects.jobs.len()).sum();
    let rows: usize = clean.values().map(|effects| effects.activity.len()).sum();
    ensure!(
        made > USERS * 10 && inbox == USERS * TASKS / 2 && jobs > USERS && rows == EVENTS,
        "{made} {inbox} {jobs} {rows}"
    );

    let mut todo = Todo::start_with(options(Some(source.data()))).await?;
    let users = signed_in(&todo, &users).await?;
    let sent = deliver_all(&mut todo, &users[0], &handlers, Some(KILLS)).await?;
    ensure!(sent > handlers.count() * 3 / 2, "{sent} deliveries are too few to be repeats");
    let wild = effects::of(&todo, &users, &events).await?;
    for (user, expected) in &clean {
        let found = wild.get(user).context("the same users")?;
        ensure!(found == expected, "user {user}: {}", expected.difference(found));
    }
    println!(
        "{sent} deliveries of {} events with {KILLS} kills: {made} occurrences, {inbox} entries, {rows} rows, {jobs} jobs",
        handlers.count()
    );
    Ok(())
}

/// The same users, signed in to another process.
async fn signed_in(todo: &Todo, users: &[User]) -> Result<Vec<User>> {
    let mut again = Vec::with_capacity(users.len());
    for index in 0..users.len() {
        again.push(todo.sign_in(&format!("user-{index}")).await?);
    }
    Ok(again)
}

/// Effects by user.
type Effects = BTreeMap<String, effects::Effects>;
