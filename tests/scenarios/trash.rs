//! What was deleted is kept for a while, comes back, or goes for good; and many tasks at once.

use anyhow::Result;
use serde_json::{Value, json};
use testkit::{Todo, User, eventually};

async fn titles(user: &User, path: &str) -> Result<Vec<String>> {
    let tasks = user.get(path).await?.expect(200)?;
    Ok(tasks.as_array().into_iter().flatten().filter_map(|task| task["title"].as_str().map(str::to_owned)).collect())
}

#[tokio::test]
async fn a_deleted_task_is_in_the_trash_until_it_is_restored_or_removed_for_good() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let (milk, bread) = (ada.create("Milk").await?, ada.create("Bread").await?);
    for id in [&milk, &bread] {
        ada.delete(&format!("/api/tasks/{id}")).await?.expect(204)?;
    }
    let trash = ada.get("/api/trash").await?;
    assert_eq!(trash.header("x-total-count"), "2");
    let trash = trash.expect(200)?;
    assert_eq!((&trash[0]["title"], trash[0]["deletedAt"].is_string()), (&json!("Bread"), true));
    ada.get(&format!("/api/tasks/{milk}")).await?.expect(404)?;

    let restored = ada.post(&format!("/api/tasks/{milk}/restore"), &json!({})).await?;
    assert_eq!((restored.status.as_u16(), restored.header("etag")), (200, "\"3\""));
    assert!(restored.body.get("deletedAt").is_none());
    // Again, it is where it should be already.
    ada.post(&format!("/api/tasks/{milk}/restore"), &json!({})).await?.expect(200)?;
    ada.delete(&format!("/api/trash/{milk}")).await?.expect(404)?;
    ada.delete(&format!("/api/trash/{bread}")).await?.expect(204)?;
    ada.delete(&format!("/api/trash/{bread}")).await?.expect(404)?;
    ada.post(&format!("/api/tasks/{bread}/restore"), &json!({})).await?.expect(404)?;
    assert_eq!(titles(&ada, "/api/tasks").await?, ["Milk"]);

    let events = eventually("an event of each change", async || {
        todo.seen_events(&ada).await.ok().filter(|events| events.len() >= 5)
    })
    .await?;
    assert_eq!(events.len(), 5, "a removal for good is no event: consumers know that the task was deleted");
    Ok(())
}

#[tokio::test]
async fn the_trash_has_pages_and_is_emptied() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(ada.create(&format!("task {number}")).await?);
    }
    let deleted = ada.post("/api/tasks/bulk", &json!({ "ids": ids, "delete": true })).await?.expect(200)?;
    assert!(deleted["results"].as_array().is_some_and(|all| all.iter().all(|one| one["status"] == 204)), "{deleted}");
    let (mut path, mut found) = ("/api/trash?limit=3".to_owned(), Vec::new());
    loop {
        let page = ada.get(&path).await?;
        found.extend(page.body.as_array().into_iter().flatten().map(|task| task["id"].clone()));
        match page.header("link").strip_prefix('<').and_then(|link| link.split_once('>')) {
            Some((next, _)) => path = next.to_owned(),
            None => break,
        }
    }
    found.sort_by_key(Value::to_string);
    assert_eq!(found, ids.iter().map(|id| json!(id)).collect::<Vec<_>>());
    assert_eq!(ada.get("/api/trash?sort=title").await?.fields(), ["sort"]);

    ada.delete("/api/trash").await?.expect(204)?;
    assert_eq!(ada.get("/api/trash").await?.header("x-total-count"), "0");
    ada.delete("/api/trash").await?.expect(204)?;
    Ok(())
}

#[tokio::test]
async fn many_tasks_are_changed_in_one_commit_and_each_has_its_own_result() -> Result<()> {
    let todo = Todo::start().await?;
    let (ada, bob) = (todo.sign_up("ada").await?, todo.sign_up("bob").await?);
    let (milk, bread, bobs) = (ada.create("Milk").await?, ada.create("Bread").await?, bob.create("Bob's").await?);
    let due = json!({ "dueDate": "2030-01-01" });
    ada.patch(&format!("/api/tasks/{milk}"), &due).await?.expect(200)?;

    let set = json!({ "ids": [milk, bobs, "nonsense", bread], "set": { "reminders": [10] } });
    let results = ada.post("/api/tasks/bulk", &set).await?.expect(200)?["results"].clone();
    let statuses: Vec<&Value> = results.as_array().into_iter().flatten().map(|result| &result["status"]).collect();
    assert_eq!(statuses, [200, 404, 404, 400]);
    assert!(results[3]["message"].as_str().is_some_and(|message| message.contains("reminders")), "{results}");

    let all = json!({ "ids": [milk, bread], "complete": true });
    ada.post("/api/tasks/bulk", &all).await?.expect(200)?;
    assert_eq!(titles(&ada, "/api/tasks?status=completed").await?.len(), 2);
    assert_eq!(titles(&bob, "/api/tasks?status=completed").await?.len(), 0);

    for (body, fields) in [
        (json!({ "ids": [] , "complete": true }), ["ids"]),
        (json!({ "ids": [milk], "set": { "title": 7 } }), ["title"]),
        (json!({ "ids": [milk], "complete": true, "delete": true }), ["set"]),
        (json!({ "ids": [milk], "colour": "red", "delete": true }), ["colour"]),
    ] {
        let refused = ada.post("/api/tasks/bulk", &body).await?;
        assert_eq!((refused.status.as_u16(), refused.fields()), (400, fields.to_vec()), "{body}");
    }
    Ok(())
}

#[tokio::test]
async fn a_line_becomes_a_task_and_says_what_it_took() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    ada.patch("/api/me", &json!({ "timeZone": "Asia/Tokyo" })).await?.expect(200)?;
    let ada = todo.sign_in("ada").await?;
    let line = "Watch \"Tomorrow Never Dies\" 24 december 2030 9am #Film !high every year";
    let made = ada.post("/api/tasks/quick", &json!({ "text": line })).await?;
    assert!(made.header("location").starts_with("/api/tasks/"), "{:?}", made.headers);
    let task = made.expect(201)?;
    assert_eq!(task["title"], "Watch Tomorrow Never Dies");
    assert_eq!((&task["dueDate"], &task["timeZone"]), (&json!("2030-12-24T00:00:00Z"), &json!("Asia/Tokyo")));
    assert_eq!(
        (&task["tags"], &task["priority"], &task["recurrence"]),
        (&json!(["film"]), &json!("high"), &json!("yearly"))
    );
    let fields: Vec<&Value> = task["understood"].as_array().into_iter().flatten().map(|part| &part["field"]).collect();
    assert_eq!(fields, ["dueDate", "dueDate", "tags", "priority", "recurrence"]);

    assert_eq!(ada.post("/api/tasks/quick", &json!({ "text": "#tag tomorrow" })).await?.fields(), ["title"]);
    assert_eq!(ada.post("/api/tasks/quick", &json!({ "line": "x" })).await?.fields(), ["text", "line"]);
    Ok(())
}
