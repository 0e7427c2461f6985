//! What requests cost by the length of the list: the first pages must not grow with it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use testkit::{Answer, Todo, TodoOptions, User};

use crate::latency::{median, milliseconds, percentile};
use crate::routes::fill;

const LENGTHS: [usize; 3] = [100, 1_000, 9_500];
const QUESTIONS: [&str; 5] = ["create", "newest page (20)", "newest page (100)", "another sort", "search"];
const REQUESTS: usize = 50;

pub(crate) async fn measure(runs: usize) -> Result<()> {
    println!(
        "\n| tasks | {} |\n|---|---|---|---|---|---|",
        QUESTIONS.map(|name| format!("{name}, p50 ms")).join(" | ")
    );
    let todo = Todo::start_with(TodoOptions { without_recorder: true, ..TodoOptions::default() }).await?;
    let mut users = Vec::new();
    for length in LENGTHS {
        let user = todo.sign_up(&format!("length-{length}")).await?;
        fill(&user, length).await?;
        users.push(user);
    }
    let mut medians = vec![vec![Vec::new(); QUESTIONS.len()]; LENGTHS.len()];
    for _ in 0..runs {
        for (row, user) in medians.iter_mut().zip(&users) {
            row[0].push(ask(user, create).await?);
            row[1].push(ask(user, async |user, _| user.get("/api/tasks?limit=20").await).await?);
            row[2].push(ask(user, async |user, _| user.get("/api/tasks").await).await?);
            row[3].push(ask(user, async |user, _| user.get("/api/tasks?sort=title&limit=20").await).await?);
            row[4].push(ask(user, async |user, _| user.get("/api/tasks/search?q=number%2077").await).await?);
        }
    }
    for (length, row) in LENGTHS.iter().zip(&mut medians) {
        let cells: Vec<String> = row.iter_mut().map(|runs| format!("{:.2}", median(runs))).collect();
        println!("| {length} | {} |", cells.join(" | "));
    }
    for (column, name) in QUESTIONS.iter().enumerate().take(3) {
        let ratio = median(&mut medians[2][column].clone()) / median(&mut medians[0][column].clone());
        println!("{name}: {} tasks cost {ratio:.2} times what {} cost", LENGTHS[2], LENGTHS[0]);
    }
    Ok(())
}

/// The median of some requests, one after the other, in milliseconds.
async fn ask(user: &User, question: impl AsyncFn(&User, usize) -> Result<Answer>) -> Result<f64> {
    let mut times: Vec<Duration> = Vec::with_capacity(REQUESTS);
    for index in 0..REQUESTS {
        let sent = Instant::now();
        let answer = question(user, index).await?;
        times.push(sent.elapsed());
        ensure!(answer.status.is_success(), "{} with {}", answer.status, answer.body);
    }
    Ok(milliseconds(percentile(&mut times, 0.5)))
}

async fn create(user: &User, index: usize) -> Result<Answer> {
    user.post("/api/tasks", &json!({ "title": format!("Buy milk {index}"), "tags": ["home"] })).await
}
