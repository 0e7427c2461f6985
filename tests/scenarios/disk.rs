//! A disk that takes no more, and folders that cannot be written.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::{Todo, TodoOptions, eventually, needs_a_file, needs_sidelet, todo_binary, workspace_root};

#[tokio::test]
async fn a_full_disk_refuses_writes_by_name_and_loses_nothing() -> Result<()> {
    if needs_sidelet("the disk of sidelet's own process is full here") || needs_a_file("the file's disk is full here") {
        return Ok(());
    }
    // A write beyond 3 MB of a file fails, as on a full disk.
    let shell = Some("trap '' XFSZ; ulimit -S -f 6000".to_owned());
    let mut todo = Todo::start_with(TodoOptions { shell, ..TodoOptions::default() }).await?;
    let ada = todo.sign_up("ada").await?;
    let task = |number: usize| json!({ "title": format!("task {number}"), "description": "d".repeat(10_000) });
    let mut taken = Vec::new();
    let refused = loop {
        let answer = ada.post("/api/tasks", &task(taken.len())).await?;
        if answer.status != 201 {
            break answer;
        }
        taken.push(answer.expect(201)?["id"].clone());
        ensure!(taken.len() < 1_000, "the disk was never full");
    };
    ensure!(!taken.is_empty(), "nothing was taken: {refused:?}");
    ensure!(refused.status == 503 && refused.problem() == "unavailable", "{refused:?}");
    ensure!(!refused.header("retry-after").is_empty());
    for word in ["SQL", "disk", "todo.db"] {
        ensure!(!refused.body.to_string().contains(word), "{}", refused.body);
    }
    // What is there is still read.
    let first = taken[0].as_str().context("an id")?;
    ensure!(ada.get(&format!("/api/tasks/{first}")).await?.status == 200);
    ensure!(ada.get("/api/tasks").await?.header("x-total-count") == taken.len().to_string());

    todo.kill().await?;
    todo.set_shell(None);
    todo.start_again().await?;
    let listed = ada.get("/api/tasks?limit=500&order=asc").await?.expect(200)?;
    let ids: Vec<&Value> = listed.as_array().into_iter().flatten().map(|task| &task["id"]).collect();
    ensure!(ids == taken.iter().collect::<Vec<_>>(), "{} of {}", ids.len(), taken.len());
    ada.post("/api/tasks", &task(0)).await?.expect(201)?;
    let events = eventually("an event of each write", async || {
        todo.seen_events(&ada).await.ok().filter(|events| events.len() > taken.len())
    })
    .await?;
    ensure!(events.len() == taken.len() + 1, "{} events for {} writes", events.len(), taken.len() + 1);
    Ok(())
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() -> Result<()> {
    if needs_sidelet("the disk of sidelet's own process is full here") {
        return Ok(());
    }
    // Nobody may make files in these, whoever asks.
    for (data, named) in [("/proc/todo", "could not make the data folder"), ("/proc/self", "could not write")] {
        let output = tokio::process::Command::new(todo_binary()?)
            .args(["up", "--port", "0", "--dapr-port", "0", "--data", data])
            .current_dir(workspace_root())
            .output()
            .await?;
        let text = String::from_utf8(output.stderr)?;
        ensure!(!output.status.success() && text.trim().lines().count() == 1, "{text}");
        ensure!(text.contains(named) && text.contains("/proc/"), "{text}");
    }
    Ok(())
}
