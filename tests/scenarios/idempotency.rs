//! A write that its client numbers happens once, however often it is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Todo, User};
use tokio::sync::Semaphore;

use crate::support::in_the_end;

const WRITES: usize = 1_000;
const USERS: usize = 10;
/// Requests at once.
const AT_ONCE: usize = 32;
/// The process is killed each time so many requests were answered.
const ANSWERS_BETWEEN_KILLS: usize = 350;

async fn numbered(user: &User, method: Method, path: &str, key: &str, body: &Value) -> Result<Answer> {
    user.send(user.request(method, path).await.header("idempotency-key", key).json(body)).await
}

/// What a client goes by: everything but what differs with each request.
type Seen = (u16, Value, String, String);

fn seen(answer: &Answer) -> Seen {
    let header = |name: &str| answer.header(name).to_owned();
    (answer.status.as_u16(), answer.body.clone(), header("etag"), header("location"))
}

/// Sends a write until it is answered, as a client does whose connections break.
async fn send_at_last(user: User, write: usize) -> Result<(usize, Seen)> {
    let body = json!({ "title": format!("write {write}") });
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = numbered(&user, Method::POST, "/api/tasks", &format!("number-{write}"), &body).await;
        match answer {
            // 409 and 503 say that it is to be sent again.
            Ok(answer) if ![409, 503].contains(&answer.status.as_u16()) => return Ok((write, seen(&answer))),
            _ => ensure!(Instant::now() < deadline, "write {write} was never answered"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_writes_sent_one_to_three_times_at_once_over_restarts_have_one_effect_each() -> Result<()> {
    let mut todo = Todo::start().await?;
    let mut users = Vec::new();
    for index in 0..USERS {
        users.push(todo.sign_up(&format!("user-{index}")).await?);
    }
    // Each write one to three times, the copies beside each other so that they meet.
    let sent: Vec<usize> = (0..WRITES).flat_map(|write| std::iter::repeat_n(write, 1 + write % 3)).collect();
    let (room, answered) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(AtomicUsize::new(0)));
    let senders: Vec<_> = sent
        .iter()
        .map(|write| {
            let (user, write) = (users[write % USERS].clone(), *write);
            let (room, answered) = (Arc::clone(&room), Arc::clone(&answered));
            tokio::spawn(async move {
                let _turn = room.acquire_owned().await?;
                let outcome = send_at_last(user, write).await;
                answered.fetch_add(1, Ordering::Relaxed);
                outcome
            })
        })
        .collect();
    let mut kills = 0;
    while answered.load(Ordering::Relaxed) < sent.len() {
        if answered.load(Ordering::Relaxed) >= (kills + 1) * ANSWERS_BETWEEN_KILLS {
            todo.kill().await?;
            todo.start_again().await?;
            kills += 1;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    ensure!(kills >= 4, "the process was killed only {kills} times");

    let mut answers: BTreeMap<usize, Seen> = BTreeMap::new();
    for sender in senders {
        let (write, answer) = sender.await.context("a sender panicked")??;
        ensure!(answer.0 == 201, "write {write} was answered with {}: {}", answer.0, answer.1);
        let first = answers.entry(write).or_insert_with(|| answer.clone());
        ensure!(*first == answer, "write {write} was answered with {first:?}, and with {answer:?}");
    }
    ensure!(answers.len() == WRITES);
    for (index, user) in users.iter().enumerate() {
        let expected: BTreeSet<String> =
            (index..WRITES).step_by(USERS).map(|write| answers[&write].1["id"].to_string()).collect();
        let tasks = user.get("/api/tasks?limit=500").await?.expect(200)?;
        let tasks: Vec<String> = tasks.as_array().into_iter().flatten().map(|task| task["id"].to_string()).collect();
        ensure!(tasks.len() == expected.len() && tasks.iter().all(|id| expected.contains(id)), "{}", tasks.len());
        let events = in_the_end("an event of each task", async || {
            todo.seen_events(user).await.ok().filter(|events| events.len() >= expected.len())
        })
        .await?;
        ensure!(events.len() == expected.len(), "{} events for {} writes", events.len(), expected.len());
    }
    Ok(())
}

#[tokio::test]
async fn a_number_belongs_to_one_request_of_one_user() -> Result<()> {
    let todo = Todo::start().await?;
    let (ada, bob) = (todo.sign_up("ada").await?, todo.sign_up("bob").await?);
    let (milk, bread) = (json!({ "title": "Milk" }), json!({ "title": "Bread" }));
    let first = numbered(&ada, Method::POST, "/api/tasks", "1", &milk).await?;
    assert_eq!((first.status.as_u16(), first.header("idempotent-replayed")), (201, ""));
    let again = numbered(&ada, Method::POST, "/api/tasks", "1", &milk).await?;
    assert_eq!((seen(&again), again.header("idempotent-replayed")), (seen(&first), "true"));

    let other = numbered(&ada, Method::POST, "/api/tasks", "1", &bread).await?;
    assert_eq!((other.status.as_u16(), other.problem()), (422, "idempotency-key-used"));
    assert_eq!(
        numbered(&ada, Method::POST, "/api/tasks", &"x".repeat(256), &milk).await?.fields(),
        ["Idempotency-Key"]
    );
    numbered(&bob, Method::POST, "/api/tasks", "1", &bread).await?.expect(201)?;

    // A refused write has no effect and takes no number.
    numbered(&ada, Method::POST, "/api/tasks", "2", &json!({ "title": "" })).await?.expect(400)?;
    numbered(&ada, Method::POST, "/api/tasks", "2", &bread).await?.expect(201)?;
    assert_eq!(ada.get("/api/tasks").await?.header("x-total-count"), "2");
    Ok(())
}

#[tokio::test]
async fn every_kind_of_write_is_repeated_without_a_second_effect() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let id = ada.create("Milk").await?;
    let task = format!("/api/tasks/{id}");
    let writes = [
        (Method::PATCH, task.clone(), json!({ "title": "Oat milk" })),
        (Method::PATCH, format!("{task}/complete"), json!({})),
        (Method::POST, format!("{task}/reopen"), json!({})),
        (Method::POST, "/api/tasks/bulk".to_owned(), json!({ "ids": [id], "set": { "priority": "high" } })),
        (Method::POST, "/api/tasks/quick".to_owned(), json!({ "text": "Bread tomorrow" })),
        (Method::DELETE, task.clone(), json!({})),
        (Method::POST, format!("{task}/restore"), json!({})),
        (Method::DELETE, task.clone(), json!({})),
        (Method::DELETE, format!("/api/trash/{id}"), json!({})),
        (Method::POST, "/api/import".to_owned(), json!([{ "title": "imported" }])),
        (Method::POST, "/api/tokens".to_owned(), json!({ "name": "backup" })),
        (Method::POST, "/api/calendar".to_owned(), json!({})),
    ];
    for (number, (method, path, body)) in writes.iter().enumerate() {
        let key = format!("write-{number}");
        let first = numbered(&ada, method.clone(), path, &key, body).await?;
        ensure!(first.status.is_success(), "{method} {path}: {} {}", first.status, first.body);
        let again = numbered(&ada, method.clone(), path, &key, body).await?;
        assert_eq!(seen(&again), seen(&first), "{method} {path}");
    }
    let left = ada.get("/api/tasks").await?.expect(200)?;
    let left: Vec<&str> = left.as_array().into_iter().flatten().filter_map(|task| task["title"].as_str()).collect();
    assert_eq!(left, ["imported", "Bread"]);
    assert_eq!(ada.get("/api/tokens").await?.expect(200)?.as_array().map(Vec::len), Some(1));
    Ok(())
}
