//! How long an event takes from the write to a handler.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::{Json, Router, http::StatusCode, routing::post};
use serde_json::{Value, json};
use testkit::{Todo, TodoOptions, User, eventually};

use crate::latency::{median, milliseconds, percentile};

/// Writes in each second.
const RATE: u32 = 100;
/// The shares of all events for which the longest time is told.
const SHARES: [f64; 3] = [0.5, 0.99, 0.999];
/// Within which nearly every event is to be at its handler.
const PROMPT: Duration = Duration::from_millis(100);
/// Users who take turns.
const USERS: usize = 20;

type Arrivals = Arc<Mutex<HashMap<String, Instant>>>;

pub(crate) async fn measure(runs: usize, window: Duration) -> Result<()> {
    let arrivals = Arrivals::default();
    let handler = handler(Arc::clone(&arrivals)).await?;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("bench.yaml"), SUBSCRIPTION)?;
    let options = TodoOptions {
        without_recorder: true,
        resources: vec![folder.path().to_owned()],
        apps: vec![format!("bench={handler}")],
        ..TodoOptions::default()
    };
    let todo = Todo::start_with(options).await?;
    let mut users = Vec::new();
    for index in 0..USERS {
        users.push(todo.sign_up(&format!("user-{index}")).await?);
    }
    let (mut from_answer, mut from_request) = (SHARES.map(|_| Vec::new()), SHARES.map(|_| Vec::new()));
    let mut prompt = [Vec::new(), Vec::new()];
    for _ in 0..runs {
        let (mut after_answer, mut after_request) = write(&users, window, &arrivals).await?;
        for (index, share) in SHARES.into_iter().enumerate() {
            from_answer[index].push(milliseconds(percentile(&mut after_answer, share)));
            from_request[index].push(milliseconds(percentile(&mut after_request, share)));
        }
        prompt[0].push(share_within(PROMPT, &after_answer));
        prompt[1].push(share_within(PROMPT, &after_request));
    }
    println!("\n| events at {RATE}/s | p50 ms | p99 ms | p99.9 ms | within 100 ms |\n|---|---|---|---|---|");
    let [prompt_after_answer, prompt_after_request] = &mut prompt;
    for (name, shares, prompt) in [
        ("from the write's answer to the handler", &mut from_answer, prompt_after_answer),
        ("from the write's request to the handler", &mut from_request, prompt_after_request),
    ] {
        let [half, most, nearly_all] = shares.each_mut().map(|times| median(times));
        println!("| {name} | {half:.2} | {most:.2} | {nearly_all:.2} | {:.2} % |", median(prompt));
    }
    Ok(())
}

/// How many of a hundred take at most this long.
fn share_within(bound: Duration, times: &[Duration]) -> f64 {
    let prompt = times.iter().filter(|time| **time <= bound).count();
    100.0 * prompt as f64 / times.len().max(1) as f64
}

/// Writes at a steady rate and gives, for each write, how long its event took from the answer and from the request.
async fn write(users: &[User], window: Duration, arrivals: &Arrivals) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
    let mut writes = Vec::new();
    for index in 0..(window.as_secs() as usize * RATE as usize) {
        ticks.tick().await;
        let user = users[index % users.len()].clone();
        writes.push(tokio::spawn(async move {
            let sent = Instant::now();
            let answer = user.post("/api/tasks", &json!({ "title": "Buy milk" })).await?;
            let answered = Instant::now();
            let id = answer.expect(201)?["id"].as_str().context("an id")?.to_owned();
            anyhow::Ok((id, sent, answered))
        }));
    }
    let (mut after_answer, mut after_request) = (Vec::new(), Vec::new());
    for write in writes {
        let (id, sent, answered) = write.await??;
        let arrived = eventually("the event", async || arrivals.lock().ok()?.get(&id).copied()).await?;
        after_answer.push(arrived.saturating_duration_since(answered));
        after_request.push(arrived.saturating_duration_since(sent));
    }
    Ok((after_answer, after_request))
}

/// A handler that notes when the event of each task came first.
async fn handler(arrivals: Arrivals) -> Result<String> {
    let note = async move |Json(event): Json<Value>| {
        let now = Instant::now();
        if let (Some(id), Ok(mut arrivals)) = (event["data"]["taskId"].as_str(), arrivals.lock()) {
            arrivals.entry(id.to_owned()).or_insert(now);
        }
        StatusCode::OK
    };
    let router = Router::new().route("/events", post(note));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

const SUBSCRIPTION: &str = "apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata:
  name: bench-task-events
spec:
  pubsubname: pubsub
  topic: task-events
  routes:
    default: /events
scopes: [bench]
";
