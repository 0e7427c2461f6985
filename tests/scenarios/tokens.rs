//! What opens the service besides a session: API tokens and the calendar feed; and the end of an account.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Todo, User, with_daprd, within};

use crate::support::are_the_first;

async fn token(user: &User, body: &Value) -> Result<(User, String)> {
    let made = user.post("/api/tokens", body).await?.expect(201)?;
    let text = |name: &str| made[name].as_str().map(str::to_owned).with_context(|| format!("a token has a {name}"));
    Ok((user.with_token(text("token")?), text("id")?))
}

fn refusal(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.problem())
}

#[tokio::test]
async fn an_api_token_does_what_its_scopes_say_until_it_is_revoked() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let id = ada.create("Milk").await?;
    let (reader, reader_id) = token(&ada, &json!({ "name": "reader", "scopes": ["tasks:read"] })).await?;
    let (writer, _) = token(&ada, &json!({ "name": "writer", "scopes": ["tasks:write"] })).await?;
    let (all, _) = token(&ada, &json!({ "name": "all", "expiresAt": "2999-01-01T00:00:00Z" })).await?;

    for path in ["/api/tasks", "/api/tags", "/api/trash", "/api/export?format=csv", &format!("/api/tasks/{id}")] {
        reader.get(path).await?.expect(200)?;
        all.get(path).await?.expect(200)?;
        assert_eq!(refusal(&writer.get(path).await?), (403, "insufficient-scope"), "{path}");
    }
    assert_eq!(refusal(&reader.post("/api/tasks", &json!({ "title": "x" })).await?), (403, "insufficient-scope"));
    writer.create("Bread").await?;
    all.create("Butter").await?;
    for path in ["/api/me", "/api/tokens"] {
        let refused = all.get(path).await?;
        assert_eq!(refusal(&refused), (403, "insufficient-scope"), "{path}");
        assert!(refused.header("www-authenticate").contains("insufficient_scope"));
    }
    // Tasks, and nothing of the account.
    let export = reader.get("/api/export").await?.expect(200)?;
    assert!(export.get("account").is_none() && export["tasks"].as_array().is_some_and(|tasks| tasks.len() == 3));

    let listed = ada.get("/api/tokens").await?.expect(200)?;
    assert_eq!(listed.as_array().map(Vec::len), Some(3));
    assert!(!listed.to_string().contains("\"token\""), "{listed}");
    ada.delete(&format!("/api/tokens/{reader_id}")).await?.expect(204)?;
    assert_eq!(refusal(&reader.get("/api/tasks").await?), (401, "token-revoked"));
    ada.delete(&format!("/api/tokens/{reader_id}")).await?.expect(404)?;
    ada.delete("/api/tokens").await?.expect(204)?;
    assert_eq!(refusal(&all.get("/api/tasks").await?), (401, "token-revoked"));

    let foreign = ada.with_token(format!("{}x", writer.token));
    assert_eq!(refusal(&foreign.get("/api/tasks").await?), (401, "token-revoked"));
    let refused =
        ada.post("/api/tokens", &json!({ "name": " ", "scopes": ["admin"], "expiresAt": "2020-01-01" })).await?;
    assert_eq!(refused.fields(), ["name", "scopes[0]", "expiresAt"]);
    Ok(())
}

#[tokio::test]
async fn a_calendar_feed_is_open_to_who_knows_its_address_until_another_is_made() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    ada.post("/api/tasks", &json!({ "title": "Rent, flat", "dueDate": "2030-03-01", "recurrence": "monthly" })).await?;
    ada.post("/api/tasks", &json!({ "title": "Undated" })).await?;
    let open = async || -> Result<String> {
        let feed = ada.post("/api/calendar", &json!({})).await?.expect(201)?;
        Ok(feed["url"].as_str().context("a feed has a url")?.to_owned())
    };
    let feed = open().await?;
    let calendar = todo.get(&feed).await?;
    assert_eq!(calendar.header("content-type"), "text/calendar; charset=utf-8");
    let text = calendar.body.as_str().unwrap_or_default().to_owned();
    assert!(text.contains("SUMMARY:Rent\\, flat\r\n") && text.contains("BEGIN:VEVENT") && !text.contains("Undated"));
    let todos = todo.get(&format!("{feed}?as=todos")).await?;
    assert!(todos.body.as_str().is_some_and(|text| text.contains("BEGIN:VTODO")));

    let next = open().await?;
    todo.get(&feed).await?.expect(404)?;
    todo.get(&next).await?.expect(200)?;
    for path in ["/api/calendar/x.ics", "/api/calendar/..%2f..%2fhealth.ics", &next.replace(".ics", "x.ics")] {
        todo.get(path).await?.expect(404)?;
    }
    ada.delete("/api/calendar").await?.expect(204)?;
    todo.get(&next).await?.expect(404)?;
    Ok(())
}

#[tokio::test]
async fn an_account_that_is_deleted_leaves_nothing_that_opens() -> Result<()> {
    let mut todo = Todo::start().await?;
    let (ada, bob) = (todo.sign_up("ada").await?, todo.sign_up("bob").await?);
    let kept = bob.create("Bob's").await?;
    // More than the head holds, so that there are pages too.
    let tasks: Vec<Value> = (0..600).map(|number| json!({ "title": format!("task {number}") })).collect();
    ada.post("/api/import", &json!(tasks)).await?.expect(200)?;
    let (program, _) = token(&ada, &json!({ "name": "program" })).await?;
    let feed = ada.post("/api/calendar", &json!({})).await?.expect(201)?;

    ada.delete("/api/me").await?.expect(204)?;
    for _ in 0..2 {
        for (method, path) in [(Method::GET, "/api/tasks"), (Method::GET, "/api/me"), (Method::DELETE, "/api/me")] {
            let answer = ada.send(ada.request(method, path).await).await?;
            assert_eq!(refusal(&answer), (401, "session-gone"), "{path}");
        }
        // The access token is valid for some minutes more; it makes no new list.
        assert_eq!(refusal(&ada.post("/api/tasks", &json!({ "title": "late" })).await?), (401, "session-gone"));
        assert_eq!(refusal(&program.get("/api/tasks").await?), (401, "token-revoked"));
        todo.get(feed["url"].as_str().unwrap_or_default()).await?.expect(404)?;
        todo.stop().await?;
        todo.start_again().await?;
    }
    // 1,201 events, one after the other, to every handler that there is.
    let patience = Duration::from_secs(if with_daprd() { 600 } else { 120 });
    let events = within(patience, "an event of each end", async || {
        todo.seen_events(&ada).await.ok().filter(|events| events.len() >= 1_200)
    })
    .await?;
    are_the_first(&events)?;

    // The address is free again, and begins empty.
    let new = todo.sign_up("ada").await?;
    assert_ne!(new.id, ada.id);
    assert_eq!(new.get("/api/tasks").await?.header("x-total-count"), "0");
    bob.get(&format!("/api/tasks/{kept}")).await?.expect(200)?;
    Ok(())
}
