//! Signing up, in and out.

use anyhow::{Context, Result};
use serde_json::json;
use testkit::{Answer, Todo};

/// The refresh cookie that an answer sets, as a `Cookie` header.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
}

/// `POST` as a browser that has this cookie and no access token.
async fn with_cookie(todo: &Todo, path: &str, cookie: &str) -> Result<Answer> {
    todo.send(todo.request(reqwest::Method::POST, path).await.header("cookie", cookie)).await
}

#[tokio::test]
async fn a_session_is_refreshed_with_a_new_token_each_time_and_ends_when_one_is_used_twice() -> Result<()> {
    let todo = Todo::start().await?;
    todo.sign_up("ada").await?;
    let credentials = json!({ "email": "ADA@example.com", "password": "correct horse" });
    let signed_in = todo.post("/api/auth/sign-in", &credentials).await?;
    assert!(signed_in.header("set-cookie").contains("HttpOnly; SameSite=Strict"), "{}", signed_in.header("set-cookie"));
    let first = cookie(&signed_in);
    let refreshed = with_cookie(&todo, "/api/auth/refresh", &first).await?;
    let second = cookie(&refreshed);
    assert_ne!(first, second);
    let token = refreshed.expect(200)?["token"].as_str().context("a token")?.to_owned();
    assert!(token.split('.').count() == 3);

    with_cookie(&todo, "/api/auth/sign-out", &second).await?.expect(204)?;
    let gone = with_cookie(&todo, "/api/auth/refresh", &second).await?;
    assert_eq!((gone.status.as_u16(), gone.problem()), (401, "session-gone"));
    Ok(())
}

#[tokio::test]
async fn an_address_has_one_account_and_a_wrong_password_is_not_told_from_an_unknown_address() -> Result<()> {
    let todo = Todo::start().await?;
    todo.sign_up("ada").await?;
    let again = json!({ "email": "Ada@Example.com", "name": "Ada", "password": "another one" });
    let answer = todo.post("/api/auth/sign-up", &again).await?;
    assert_eq!((answer.status.as_u16(), answer.problem()), (409, "account-exists"));

    let wrong = todo.post("/api/auth/sign-in", &json!({ "email": "ada@example.com", "password": "wrong one" })).await?;
    let unknown =
        todo.post("/api/auth/sign-in", &json!({ "email": "eve@example.com", "password": "wrong one" })).await?;
    assert_eq!((wrong.status.as_u16(), &wrong.body), (401, &unknown.body));
    Ok(())
}

#[tokio::test]
async fn the_sixth_bad_sign_in_in_a_minute_is_told_to_wait() -> Result<()> {
    let todo = Todo::start().await?;
    todo.sign_up("ada").await?;
    let wrong = json!({ "email": "ada@example.com", "password": "wrong one" });
    for _ in 0..5 {
        todo.post("/api/auth/sign-in", &wrong).await?.expect(401)?;
    }
    let sixth = todo.post("/api/auth/sign-in", &wrong).await?;
    assert_eq!((sixth.status.as_u16(), sixth.problem()), (429, "too-many-requests"));
    let wait: u32 = sixth.header("retry-after").parse().context("seconds to wait")?;
    assert!((1..=60).contains(&wait));
    todo.post("/api/auth/sign-in", &json!({ "email": "bob@example.com", "password": "wrong one" }))
        .await?
        .expect(401)?;
    Ok(())
}

#[tokio::test]
async fn a_profile_is_changed_and_one_user_never_sees_anothers_tasks() -> Result<()> {
    let todo = Todo::start().await?;
    let (mut ada, bob) = (todo.sign_up("ada").await?, todo.sign_up("bob").await?);
    let changed = ada.patch("/api/me", &json!({ "name": "Ada L.", "timeZone": "asia/tokyo" })).await?.expect(200)?;
    assert_eq!((&changed["user"]["name"], &changed["user"]["timeZone"]), (&json!("Ada L."), &json!("Asia/Tokyo")));
    ada.token = changed["token"].as_str().context("a token")?.to_owned();
    let task = ada.post("/api/tasks", &json!({ "title": "t" })).await?.expect(201)?;
    assert_eq!(task["timeZone"], json!("Asia/Tokyo"));

    let path = format!("/api/tasks/{}", task["id"].as_str().context("an id")?);
    assert_eq!(bob.get(&path).await?.status, 404);
    assert_eq!(bob.delete(&path).await?.status, 404);
    assert_eq!(bob.get("/api/tasks").await?.header("x-total-count"), "0");
    Ok(())
}
