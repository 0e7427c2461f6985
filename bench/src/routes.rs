//! Rates and latencies of the routes that people use most, by the number of connections.

use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use serde_json::{Value, json};
use testkit::{Answer, Todo, TodoOptions, User};

use crate::latency::median;
use crate::load::{Figures, run};

const CONNECTIONS: [usize; 3] = [1, 16, 64];
const ROUTES: [&str; 4] = ["create", "get", "list 20 of 1,000", "search in 1,000"];

pub(crate) async fn measure(runs: usize, window: Duration) -> Result<()> {
    println!("\n| route | connections | requests/s | p50 ms | p99 ms |\n|---|---|---|---|---|");
    let todo = Todo::start_with(TodoOptions { without_recorder: true, ..TodoOptions::default() }).await?;
    let most = CONNECTIONS.into_iter().max().unwrap_or(1);
    let readers = try_join_all((0..most).map(|index| reader(&todo, index))).await?;
    let mut figures: Vec<Vec<Figures>> = (0..ROUTES.len() * CONNECTIONS.len()).map(|_| Vec::new()).collect();
    for turn in 0..runs {
        // Writers begin anew in each turn, so that their lists are as long in the last as in the first.
        for (index, connections) in CONNECTIONS.into_iter().enumerate() {
            let names = (0..connections).map(|writer| format!("writer-{turn}-{connections}-{writer}"));
            let writers = try_join_all(names.map(async |name| todo.sign_up(&name).await)).await?;
            let users: Vec<User> = readers.iter().take(connections).map(|(user, _)| user.clone()).collect();
            figures[index].push(run(&writers, window, create).await?);
            figures[3 + index].push(
                run(&users, window, async |user, _| {
                    let task = readers.iter().find(|(reader, _)| reader.id == user.id).map(|(_, task)| task.as_str());
                    user.get(&format!("/api/tasks/{}", task.unwrap_or_default())).await
                })
                .await?,
            );
            figures[6 + index].push(run(&users, window, async |user, _| user.get("/api/tasks?limit=20").await).await?);
            figures[9 + index]
                .push(run(&users, window, async |user, _| user.get("/api/tasks/search?q=milk").await).await?);
        }
    }
    for (index, mut runs) in figures.into_iter().enumerate() {
        let of = |figure: fn(&Figures) -> f64, runs: &mut Vec<Figures>| {
            median(&mut runs.iter().map(figure).collect::<Vec<_>>())
        };
        println!(
            "| {} | {} | {:.0} | {:.2} | {:.2} |",
            ROUTES[index / CONNECTIONS.len()],
            CONNECTIONS[index % CONNECTIONS.len()],
            of(|figures| figures.per_second, &mut runs),
            of(|figures| figures.p50, &mut runs),
            of(|figures| figures.p99, &mut runs),
        );
    }
    Ok(())
}

async fn create(user: &User, index: usize) -> Result<Answer> {
    user.post("/api/tasks", &json!({ "title": format!("Buy milk {index}"), "tags": ["home"], "priority": "high" }))
        .await
}

/// A user with 1,000 tasks, and one of them.
async fn reader(todo: &Todo, index: usize) -> Result<(User, String)> {
    let user = todo.sign_up(&format!("reader-{index}")).await?;
    fill(&user, 1_000).await?;
    let newest = user.get("/api/tasks?limit=1").await?.expect(200)?;
    let task = newest[0]["id"].as_str().context("a task has an id")?.to_owned();
    Ok((user, task))
}

/// Imports so many tasks.
pub(crate) async fn fill(user: &User, count: usize) -> Result<()> {
    let tasks: Vec<Value> = (0..count)
        .map(|index| {
            let title = if index % 10 == 0 { format!("Buy milk {index}") } else { format!("Call number {index}") };
            let (day, month) = (index % 28 + 1, index % 12 + 1);
            json!({ "title": title, "tags": ["home"], "dueDate": format!("2030-{month:02}-{day:02}"),
                "description": "Ask for a receipt, and look at last year's notes before.",
                "status": if index % 3 == 0 { "completed" } else { "pending" } })
        })
        .collect();
    let report = user.post("/api/import", &Value::Array(tasks)).await?.expect(200)?;
    anyhow::ensure!(report["created"] == json!(count), "{report}");
    Ok(())
}
