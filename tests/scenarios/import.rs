//! Files of other programs.

use anyhow::Result;
use reqwest::{Method, header};
use serde_json::json;
use testkit::{Answer, Todo, User, todo_binary, workspace_root};

use crate::support::in_the_end;

async fn import(user: &User, body: impl Into<reqwest::Body>, media_type: &str) -> Result<Answer> {
    let request = user.request(Method::POST, "/api/import").await;
    user.send(request.header(header::CONTENT_TYPE, media_type).body(body)).await
}

#[tokio::test]
async fn ten_thousand_tasks_are_loaded_found_and_are_the_most_that_a_list_holds() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let file = std::fs::read(workspace_root().join("tests/data/tasks-10000.json"))?;
    let report = import(&ada, file, "application/json").await?.expect(200)?;
    assert_eq!((&report["created"], &report["skipped"]), (&json!(10_000), &json!(0)), "{}", report["errors"]);

    let newest = ada.get("/api/tasks?limit=20").await?;
    assert_eq!(newest.header("x-total-count"), "10000");
    let title = newest.expect(200)?[7]["title"].as_str().unwrap_or_default().to_owned();
    let request = ada.request(Method::GET, "/api/tasks/search").await.query(&[("q", title.as_str())]);
    let found = ada.send(request).await?.expect(200)?;
    assert!(found["total"].as_u64().is_some_and(|total| total >= 1), "{title} is not found");

    // Where events are published after the commit, a list that holds so many takes no write until some have gone out.
    let one_more = in_the_end("a list that takes writes", async || {
        let answer = ada.post("/api/tasks", &json!({ "title": "one too many" })).await.ok()?;
        (answer.status != 503).then_some(answer)
    })
    .await?;
    assert_eq!((one_more.status.as_u16(), one_more.problem()), (400, "list-full"));
    let more = import(&ada, "[{\"title\":\"a\"},{\"title\":\"b\"}]", "application/json").await?.expect(200)?;
    assert_eq!((&more["created"], &more["skipped"]), (&json!(0), &json!(2)));
    Ok(())
}

#[tokio::test]
async fn a_thousand_tasks_come_as_json_csv_and_icalendar() -> Result<()> {
    let todo = Todo::start().await?;
    for (name, media_type) in [
        ("tasks-1000.json", "application/json"),
        ("tasks-1000.csv", "text/csv"),
        ("tasks-1000.ics", "text/calendar; charset=utf-8"),
    ] {
        let user = todo.sign_up(&name.replace('.', "-")).await?;
        let file = std::fs::read(workspace_root().join("tests/data").join(name))?;
        let report = import(&user, file, media_type).await?.expect(200)?;
        assert_eq!(report["created"], json!(1_000), "{name}: {report}");
    }
    Ok(())
}

#[tokio::test]
async fn a_record_that_cannot_be_taken_is_reported_by_line_and_the_others_are_kept() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let body = "[{\"title\":\"good\"},\n{\"title\":\"\"},\n{\"title\":\"b\",\"priority\":\"x\"}]";
    let report = import(&ada, body, "application/json").await?.expect(200)?;
    assert_eq!((&report["created"], &report["skipped"]), (&json!(1), &json!(2)));
    assert_eq!((&report["errors"][0]["line"], &report["errors"][1]["line"]), (&json!(2), &json!(3)));
    assert_eq!(ada.get("/api/tasks").await?.header("x-total-count"), "1");

    assert_eq!(import(&ada, "hello", "application/json").await?.status, 400);
    assert_eq!(import(&ada, "hello", "text/plain").await?.status, 415);
    assert_eq!(import(&ada, "x".repeat((8 << 20) + 1), "text/csv").await?.status, 413);
    Ok(())
}

#[tokio::test]
async fn the_command_loads_a_file_part_by_part_and_says_what_it_skipped() -> Result<()> {
    let todo = Todo::start().await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("tasks.json");
    let tasks: Vec<_> = (0..1_100)
        .map(|index| json!({ "title": if index == 777 { String::new() } else { format!("task {index}") } }))
        .collect();
    let lines: Vec<String> = tasks.iter().map(ToString::to_string).collect();
    std::fs::write(&file, format!("[\n{}\n]", lines.join(",\n")))?;

    let output = tokio::process::Command::new(todo_binary()?)
        .args(["load", "--url", &todo.address().await])
        .arg(&file)
        .output()
        .await?;
    let report = String::from_utf8(output.stdout)?;
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report.contains("1099 tasks were made, 1 were skipped") && report.contains("line 779: title"), "{report}");
    Ok(())
}
