//! Streams end with what they were opened with, and with the service.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Todo, Updates, User, needs_sidelet};

/// A user's stream that is open.
async fn opened(user: &User) -> Result<Updates> {
    let mut page = user.updates(None).await?;
    page.expect("ready").await?;
    Ok(page)
}

/// The stream says why it ends, and does.
async fn assert_ends(page: &mut Updates, reason: &str, reconnect: bool) -> Result<()> {
    loop {
        let event = page.next().await?.context("the stream ended without a word")?;
        if event.kind == "end" {
            assert_eq!(event.data, json!({ "reason": reason, "reconnect": reconnect }));
            assert_eq!(page.next().await?, None);
            return Ok(());
        }
    }
}

/// Signs in, and gives the user with the cookies.
async fn sign_in(todo: &Todo, user: &User) -> Result<(User, String)> {
    let credentials = json!({ "email": "ada@example.com", "password": "correct horse" });
    let answer = todo.post("/api/auth/sign-in", &credentials).await?;
    let cookies = cookies(&answer);
    let token = answer.expect(200)?["token"].as_str().context("a token")?.to_owned();
    Ok((user.with_token(token), cookies))
}

fn cookies(answer: &Answer) -> String {
    let values = answer.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    values.filter_map(|value| value.split(';').next()).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn a_stream_ends_when_its_session_its_token_or_its_account_ends_and_no_other_does() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let (phone, cookies) = sign_in(&todo, &ada).await?;
    let made = ada.post("/api/tokens", &json!({ "name": "program" })).await?.expect(201)?;
    let program = ada.with_token(made["token"].as_str().context("a token")?.to_owned());
    let mut at_home = opened(&ada).await?;
    let mut on_phone = opened(&phone).await?;
    let page = todo.request(Method::GET, "/api/updates").await.header("cookie", &cookies);
    let mut by_cookie = Updates::open(page).await?;
    by_cookie.expect("ready").await?;
    let mut of_program = opened(&program).await?;

    let sign_out = todo.request(Method::POST, "/api/auth/sign-out").await.header("cookie", &cookies);
    todo.send(sign_out).await?.expect(204)?;
    assert_ends(&mut on_phone, "signed-out", false).await?;
    assert_ends(&mut by_cookie, "signed-out", false).await?;
    // The access token is valid for some minutes more, and opens no stream.
    assert_eq!(phone.get("/api/updates").await?.problem(), "session-gone");

    ada.delete("/api/tokens").await?.expect(204)?;
    assert_ends(&mut of_program, "signed-out", false).await?;
    ada.create("still told").await?;
    at_home.expect("update").await?;

    let change = json!({ "currentPassword": "correct horse", "password": "another horse" });
    let changed = ada.patch("/api/me", &change).await?.expect(200)?;
    assert_ends(&mut at_home, "signed-out", false).await?;
    let ada = ada.with_token(changed["token"].as_str().context("a token")?.to_owned());
    let mut last = opened(&ada).await?;
    ada.delete("/api/me").await?.expect(204)?;
    assert_ends(&mut last, "account-deleted", false).await?;
    assert_eq!(ada.get("/api/updates").await?.problem(), "session-gone");
    Ok(())
}

#[tokio::test]
async fn a_change_of_the_profile_keeps_its_session() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let mut page = opened(&ada).await?;
    let changed = ada.patch("/api/me", &json!({ "name": "Ada L." })).await?.expect(200)?;
    let ada = ada.with_token(changed["token"].as_str().context("a token")?.to_owned());
    let mut second = opened(&ada).await?;
    ada.create("told").await?;
    page.expect("update").await?;
    second.expect("update").await?;
    ada.patch("/api/me", &json!({ "currentPassword": "correct horse", "password": "another horse" }))
        .await?
        .expect(200)?;
    assert_ends(&mut second, "signed-out", false).await
}

#[tokio::test]
async fn a_service_that_stops_tells_open_pages_and_does_not_wait_for_them() -> Result<()> {
    if needs_sidelet("a page that polls is not told that the service stops") {
        return Ok(());
    }
    let mut todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let mut pages = Vec::new();
    for _ in 0..20 {
        pages.push(opened(&ada).await?);
    }
    let begin = Instant::now();
    todo.stop().await?;
    ensure!(begin.elapsed() < Duration::from_secs(8), "it took {:?}", begin.elapsed());
    for page in &mut pages {
        assert_ends(page, "shutdown", true).await?;
    }
    todo.start_again().await?;
    let mut page = ada.updates(Some(0)).await?;
    assert_eq!(page.expect("ready").await?.data, Value::from_iter([("sequence", json!(0))]));
    Ok(())
}
