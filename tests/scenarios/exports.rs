//! What leaves the service comes back as it was, and files of other programs are read.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Todo, User, with_daprd, workspace_root};

use crate::support::in_the_end;

async fn import(user: &User, body: Vec<u8>, media_type: &str) -> Result<Value> {
    let request = user.request(Method::POST, "/api/import").await;
    user.send(request.header("content-type", media_type).body(body)).await?.expect(200)
}

async fn import_file(user: &User, name: &str, media_type: &str) -> Result<Value> {
    import(user, std::fs::read(workspace_root().join("tests/data").join(name))?, media_type).await
}

/// What a task is about, whoever made it and when.
fn essence(task: &Value) -> String {
    let steps = task["subtasks"].as_array().into_iter().flatten().map(|step| json!([step["title"], step["done"]]));
    let steps: Vec<Value> = steps.collect();
    let fields = ["title", "description", "status", "priority", "tags", "dueDate", "reminders"];
    let fields: Vec<&Value> = fields.iter().map(|field| &task[field]).collect();
    json!([fields, steps]).to_string()
}

async fn essences(user: &User) -> Result<Vec<String>> {
    let export = user.get("/api/export").await?.expect(200)?;
    let mut tasks: Vec<String> = export["tasks"].as_array().context("tasks")?.iter().map(essence).collect();
    tasks.sort();
    Ok(tasks)
}

#[tokio::test]
async fn an_export_in_each_format_is_imported_as_the_same_tasks() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    import_file(&ada, "tasks-1000.json", "application/json").await?;
    let expected = essences(&ada).await?;
    assert_eq!(expected.len(), 1_000);
    for (format, media_type) in [("json", "application/json"), ("csv", "text/csv"), ("ics", "text/calendar")] {
        let file = ada.get(&format!("/api/export?format={format}")).await?;
        assert!(file.header("content-type").starts_with(media_type), "{}", file.header("content-type"));
        let disposition = file.header("content-disposition");
        assert!(disposition.starts_with("attachment") && disposition.contains(format), "{disposition}");
        let text = match file.expect(200)? {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let user = todo.sign_up(&format!("reads-{format}")).await?;
        let report = import(&user, text.into_bytes(), media_type).await?;
        assert_eq!((&report["created"], &report["skipped"]), (&json!(1_000), &json!(0)), "{format}: {report}");
        let found = essences(&user).await?;
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{format}");
        }
    }
    assert_eq!(ada.get("/api/export?format=xml").await?.fields(), ["format"]);
    Ok(())
}

#[tokio::test]
async fn an_export_has_all_that_is_kept_of_a_user_but_no_secret() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let id = ada.create("Gone").await?;
    ada.delete(&format!("/api/tasks/{id}")).await?.expect(204)?;
    let token = ada.post("/api/tokens", &json!({ "name": "backup" })).await?.expect(201)?;
    let export = ada.get("/api/export").await?.expect(200)?;
    assert_eq!(
        (&export["account"]["email"], &export["trash"][0]["title"]),
        (&json!("ada@example.com"), &json!("Gone"))
    );
    assert_eq!(export["account"]["apiTokens"][0]["name"], "backup");
    let text = export.to_string();
    let secret = token["token"].as_str().and_then(|token| token.rsplit('.').next()).context("a secret")?;
    assert!(!text.contains("Hash") && !text.contains("argon2") && !text.contains(secret), "{text}");
    Ok(())
}

#[tokio::test]
async fn files_of_other_task_programs_are_read() -> Result<()> {
    let todo = Todo::start().await?;
    // As Nextcloud Tasks writes a list: subtasks are related to their task, and times have a zone of the file.
    let ada = todo.sign_up("ada").await?;
    let report = import_file(&ada, "nextcloud-tasks.ics", "text/calendar").await?;
    assert_eq!((&report["created"], &report["skipped"]), (&json!(3), &json!(0)), "{report}");
    let tasks = ada.get("/api/tasks?sort=title").await?.expect(200)?;
    let titles: Vec<&Value> = tasks.as_array().into_iter().flatten().map(|task| &task["title"]).collect();
    assert_eq!(titles, ["Renew passport", "Trip to Lisbon", "Water the plants, all of them"]);
    let trip = &tasks[1];
    assert_eq!(trip["subtasks"].as_array().map(Vec::len), Some(3), "{trip}");
    assert_eq!((&trip["status"], &trip["tags"]), (&json!("in-progress"), &json!(["travel", "family"])));
    assert_eq!((&trip["dueDate"], &trip["timeZone"]), (&json!("2026-07-01T08:00:00Z"), &json!("Europe/Lisbon")));
    assert_eq!((&tasks[2]["recurrence"], &tasks[2]["reminders"]), (&json!("FREQ=WEEKLY;BYDAY=MO,TH"), &json!([30])));
    assert_eq!((&tasks[0]["status"], &tasks[0]["priority"]), (&json!("completed"), &json!("urgent")));

    // As Todoist writes a project.
    let bob = todo.sign_up("bob").await?;
    let report = import_file(&bob, "todoist-project.csv", "text/csv").await?;
    assert_eq!(report["created"], json!(4), "{report}");
    let tasks = bob.get("/api/tasks/search?q=van").await?.expect(200)?;
    assert_eq!((&tasks["items"][0]["tags"], &tasks["items"][0]["recurrence"]), (&json!(["moving"]), &json!("monthly")));
    Ok(())
}

/// Writes once more while the list holds events that are to be published first, as it does under daprd for a while.
async fn once_taken<V>(write: impl AsyncFn() -> Result<V>) -> Result<V> {
    if !with_daprd() {
        return write().await;
    }
    in_the_end("a list that takes writes", async || match write().await {
        Err(error) if error.to_string().contains("got 503") => None,
        done => Some(done),
    })
    .await?
}

#[tokio::test]
async fn a_list_that_is_as_long_as_may_be_is_still_searched_exported_and_deleted() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let task = |number| json!({ "title": format!("task {number}"), "description": "x".repeat(10_000) });
    let file = serde_json::to_vec(&(0..780).map(task).collect::<Vec<_>>())?;
    let mut skipped = 0;
    for _ in 0..3 {
        let report = once_taken(async || import(&ada, file.clone(), "application/json").await).await?;
        skipped += report["skipped"].as_u64().unwrap_or_default();
    }
    assert!(skipped > 0, "the list was never full");
    let refused = in_the_end("a list that takes writes", async || {
        let answer = ada.post("/api/tasks", &task(0)).await.ok()?;
        (answer.status != 503 || !with_daprd()).then_some(answer)
    })
    .await?;
    assert_eq!((refused.status.as_u16(), refused.problem()), (400, "list-full"));
    for path in
        ["/api/tasks/search?q=task", "/api/tags", "/api/export", "/api/export?format=ics", "/api/export?format=csv"]
    {
        ada.get(path).await?.expect(200)?;
    }
    let id = ada.get("/api/tasks?limit=1").await?.expect(200)?[0]["id"].as_str().context("an id")?.to_owned();
    once_taken(async || ada.patch(&format!("/api/tasks/{id}/complete"), &json!({})).await?.expect(200)).await?;
    once_taken(async || ada.delete("/api/me").await?.expect(204)).await?;
    Ok(())
}
