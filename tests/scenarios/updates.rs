//! Open pages are told what changes: at once, with nothing missed and nothing twice, and no longer than they may.

mod cuts;
mod ends;
mod many;

use anyhow::Result;
use reqwest::Method;
use serde_json::json;
use testkit::{Todo, TodoOptions, Updates};

#[tokio::test]
async fn a_change_is_told_at_once_to_the_pages_of_its_user_alone() -> Result<()> {
    changes_are_told(TodoOptions::default()).await
}

#[tokio::test]
async fn a_page_is_told_the_same_where_it_is_looked_for_every_other_second() -> Result<()> {
    let variables = vec![("events", "publish".to_owned()), ("updates_from", "poll".to_owned())];
    changes_are_told(TodoOptions { variables, ..TodoOptions::default() }).await
}

async fn changes_are_told(options: TodoOptions) -> Result<()> {
    let todo = Todo::start_with(options).await?;
    let (ada, bob) = (todo.sign_up("ada").await?, todo.sign_up("bob").await?);
    let mut pages = [ada.updates(None).await?, ada.updates(None).await?];
    let mut other = bob.updates(None).await?;
    for page in pages.iter_mut().chain([&mut other]) {
        let ready = page.expect("ready").await?;
        assert_eq!((ready.id, ready.data), (Some(0), json!({ "sequence": 0 })));
    }
    let id = ada.create("Buy milk").await?;
    ada.patch(&format!("/api/tasks/{id}"), &json!({ "title": "Buy oat milk", "tags": ["home"] })).await?.expect(200)?;
    ada.patch(&format!("/api/tasks/{id}/complete"), &json!({})).await?.expect(200)?;
    ada.delete(&format!("/api/tasks/{id}")).await?.expect(204)?;
    for page in &mut pages {
        let created = page.expect("update").await?;
        assert_eq!((created.id, &created.data["updateType"]), (Some(1), &json!("created")));
        assert_eq!(created.data["newValue"]["title"], json!("Buy milk"));
        // Two fields of one change: the last says that all of it was told.
        let (first, second) = (page.expect("update").await?, page.expect("update").await?);
        assert_eq!((first.id, second.id), (None, Some(2)));
        assert_eq!((&first.data["updateType"], &first.data["newValue"]), (&json!("title"), &json!("Buy oat milk")));
        assert_eq!((&second.data["updateType"], &second.data["newValue"]), (&json!("tags"), &json!(["home"])));
        assert_eq!((&second.data["taskId"], &second.data["sequence"]), (&json!(id), &json!(2)));
        let completed = page.expect("update").await?;
        assert_eq!((completed.id, &completed.data["newValue"]), (Some(3), &json!("completed")));
        let deleted = page.expect("update").await?;
        assert_eq!((&deleted.data["updateType"], &deleted.data["newValue"]), (&json!("deleted"), &json!(null)));
    }
    // Bob's page is told of Bob's task first.
    bob.create("Bob's").await?;
    assert_eq!(other.expect("update").await?.data["newValue"]["title"], json!("Bob's"));
    Ok(())
}

#[tokio::test]
async fn a_stream_is_opened_by_tokens_and_by_the_pages_cookie_and_asked_for_like_any_path() -> Result<()> {
    let todo = Todo::start().await?;
    let account = json!({ "email": "ada@example.com", "name": "Ada", "password": "correct horse" });
    let signed_up = todo.post("/api/auth/sign-up", &account).await?;
    let cookies: Vec<String> = signed_up
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap_or_default().to_owned())
        .collect();
    let cookie = cookies.iter().find(|cookie| cookie.starts_with("updates=")).cloned().unwrap_or_default();
    assert!(cookie.contains("; Path=/api/updates; Max-Age=900; HttpOnly; SameSite=Strict"), "{cookies:?}");
    assert!(cookies[0].starts_with("refresh=") && cookies[0].contains("; Path=/api/auth;"), "{cookies:?}");
    let shown = cookie.split(';').next().unwrap_or_default();

    let with_cookie = todo.request(Method::GET, "/api/updates").await.header("cookie", shown);
    Updates::open(with_cookie).await?.expect("ready").await?;
    let cross = todo.request(Method::GET, "/api/tasks").await.header("cookie", shown);
    assert_eq!(todo.send(cross).await?.problem(), "token-missing");
    assert_eq!(todo.get("/api/updates").await?.problem(), "token-missing");
    let forged = todo.request(Method::GET, "/api/updates").await.header("cookie", "updates=x");
    assert_eq!(todo.send(forged).await?.problem(), "token-malformed");

    let ada = todo.sign_in("ada").await?;
    for (body, expected) in [
        (json!({ "name": "r", "scopes": ["tasks:read"] }), 200),
        (json!({ "name": "w", "scopes": ["tasks:write"] }), 403),
    ] {
        let made = ada.post("/api/tokens", &body).await?.expect(201)?;
        let program = ada.with_token(made["token"].as_str().unwrap_or_default().to_owned());
        let head = program.send(program.request(Method::HEAD, "/api/updates").await).await?;
        assert_eq!(head.status.as_u16(), expected);
    }
    let head = ada.send(ada.request(Method::HEAD, "/api/updates").await).await?;
    assert_eq!((head.header("content-type"), head.header("cache-control")), ("text/event-stream", "no-store"));
    let refused = ada.get("/api/updates?lastEventId=x&since=1").await?;
    assert_eq!(refused.fields(), ["lastEventId", "since"]);
    assert_eq!(
        todo.send(todo.request(Method::OPTIONS, "/api/updates").await).await?.header("allow"),
        "GET, HEAD, OPTIONS"
    );
    Ok(())
}
