//! A person's way through the service, with a restart in between, and what the test component sees of it.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use testkit::{Todo, User, needs_sidelet, within};

#[tokio::test]
async fn a_list_is_kept_over_a_restart_and_found_again() -> Result<()> {
    let mut todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;

    let answer =
        ada.post("/api/tasks", &json!({ "title": " Buy milk ", "tags": ["Home"], "priority": "High" })).await?;
    assert_eq!((answer.header("etag"), answer.header("content-type")), ("\"1\"", "application/json"));
    let location = answer.header("location").to_owned();
    let milk = answer.expect(201)?;
    assert_eq!(
        (&milk["title"], &milk["tags"], &milk["isOverdue"]),
        (&json!("Buy milk"), &json!(["home"]), &json!(false))
    );
    let rent = ada.post("/api/tasks/", &json!({ "title": "Pay rent", "due_date": "2020-01-01" })).await?.expect(201)?;
    assert_eq!(rent["isOverdue"], json!(true));

    todo.stop().await?;
    todo.start_again().await?;

    let listed = ada.get("/api/tasks").await?;
    assert_eq!(listed.header("x-total-count"), "2");
    let titles: Vec<_> =
        listed.expect(200)?.as_array().into_iter().flatten().map(|task| task["title"].clone()).collect();
    assert_eq!(titles, [json!("Pay rent"), json!("Buy milk")]);
    let found = ada.get("/api/tasks/search?q=MILK&tag=home").await?.expect(200)?;
    assert_eq!((&found["total"], &found["items"][0]["id"]), (&json!(1), &milk["id"]));

    let done = ada.patch(&format!("{location}/complete"), &json!({})).await?.expect(200)?;
    assert_eq!(
        (&done["status"], done["completedAt"].is_string(), &done["version"]),
        (&json!("completed"), true, &json!(2))
    );
    let again = ada.patch(&format!("{location}/complete"), &json!({})).await?.expect(200)?;
    assert_eq!(again, done);
    let reopened = ada.post(&format!("{location}/reopen"), &json!({})).await?.expect(200)?;
    assert_eq!((&reopened["status"], &reopened["completedAt"]), (&json!("pending"), &json!(null)));

    let tags = ada.get("/api/tags").await?.expect(200)?;
    assert_eq!(tags, json!([{ "tag": "home", "open": 1, "total": 1 }]));
    ada.delete(&location).await?.expect(204)?;
    ada.get(&location).await?.expect(404)?;
    assert_eq!(ada.get("/api/tasks?status=pending").await?.header("x-total-count"), "1");
    Ok(())
}

#[tokio::test]
async fn the_pages_of_a_list_are_the_whole_list_without_repeats() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let mut made = Vec::new();
    for index in 0..23 {
        made.push(ada.create(&format!("task {index}")).await?);
    }
    let (mut path, mut seen) = ("/api/tasks?limit=5&sort=title&order=desc".to_owned(), Vec::new());
    loop {
        let page = ada.get(&path).await?;
        let link = page.header("link").to_owned();
        let body = page.expect(200)?;
        seen.extend(body.as_array().into_iter().flatten().filter_map(|task| task["id"].as_str().map(str::to_owned)));
        let Some(next) = link.strip_prefix('<').and_then(|rest| rest.split_once('>')) else { break };
        path = next.0.to_owned();
    }
    made.sort();
    seen.sort();
    assert_eq!(seen, made);
    Ok(())
}

#[tokio::test]
async fn a_change_made_elsewhere_is_not_overwritten() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let path = format!("/api/tasks/{}", ada.create("draft").await?);
    let put = async |etag: &str, title: &str| {
        let request = ada.request(reqwest::Method::PUT, &path).await;
        ada.send(request.header("if-match", etag).json(&json!({ "title": title }))).await
    };
    let first = put("\"1\"", "mine").await?;
    assert_eq!(first.header("etag"), "\"2\"");
    let second = put("\"1\"", "theirs").await?;
    assert_eq!((second.status.as_u16(), second.problem()), (412, "precondition-failed"));
    assert_eq!(ada.get(&path).await?.expect(200)?["title"], json!("mine"));

    let known = ada.request(reqwest::Method::GET, &path).await.header("if-none-match", "\"2\"");
    assert_eq!(ada.send(known).await?.status, 304);
    Ok(())
}

#[tokio::test]
async fn every_accepted_write_is_seen_as_one_event_in_order_within_a_second_and_refused_ones_never() -> Result<()> {
    if needs_sidelet("events over Kafka take longer than a second after a start") {
        return Ok(());
    }
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let bob = todo.sign_up("bob").await?;
    let mut expected = Vec::new();
    for index in 0..10 {
        let id = ada.create(&format!("task {index}")).await?;
        expected.push(("created", id.clone()));
        seen_within_a_second(&todo, &ada, expected.len()).await?;
        let path = format!("/api/tasks/{id}");
        ada.post("/api/tasks", &json!({ "title": "" })).await?.expect(400)?;
        bob.patch(&path, &json!({ "title": "not mine" })).await?.expect(404)?;
        ada.patch(&path, &json!({ "priority": "urgent" })).await?.expect(200)?;
        expected.push(("updated", id.clone()));
        // The same value again changes nothing, and so tells nothing.
        ada.patch(&path, &json!({ "priority": "urgent" })).await?.expect(200)?;
        ada.patch(&format!("{path}/complete"), &json!({})).await?.expect(200)?;
        expected.push(("completed", id.clone()));
        ada.delete(&path).await?.expect(204)?;
        expected.push(("deleted", id));
        seen_within_a_second(&todo, &ada, expected.len()).await?;
    }
    let seen = todo.seen_events(&ada).await?;
    let facts: Vec<_> = seen.iter().map(|event| (event.event_type.as_str(), event.task_id.clone())).collect();
    assert_eq!(facts, expected);
    assert!(
        seen.iter().zip(1..).all(|(event, sequence)| event.sequence == sequence && event.deliveries == 1),
        "{seen:?}"
    );
    assert!(todo.seen_events(&bob).await?.is_empty());
    Ok(())
}

async fn seen_within_a_second(todo: &Todo, user: &User, count: usize) -> Result<()> {
    within(Duration::from_secs(1), &format!("{count} events"), async || {
        todo.seen_events(user).await.ok().filter(|seen| seen.len() >= count)
    })
    .await?;
    Ok(())
}
