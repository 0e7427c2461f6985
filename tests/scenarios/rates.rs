//! Bounds on what one caller may do, and who may call from where.

use anyhow::Result;
use reqwest::Method;
use serde_json::json;
use testkit::{Todo, TodoOptions};

async fn with(variables: Vec<(&'static str, String)>) -> Result<Todo> {
    Todo::start_with(TodoOptions { variables, ..TodoOptions::default() }).await
}

#[tokio::test]
async fn a_user_who_writes_too_much_waits_and_the_others_do_not() -> Result<()> {
    let todo = with(vec![("writes_per_minute", "20".to_owned())]).await?;
    let (ada, bob) = (todo.sign_up("ada").await?, todo.sign_up("bob").await?);
    let mut last = None;
    for number in 0..40 {
        let answer = ada.post("/api/tasks", &json!({ "title": format!("task {number}") })).await?;
        if answer.status == 429 {
            last = Some(answer);
            break;
        }
        answer.expect(201)?;
    }
    let Some(refused) = last else { anyhow::bail!("no write was refused") };
    assert_eq!(refused.problem(), "too-many-requests");
    assert!((1..=3).contains(&refused.header("retry-after").parse::<u32>()?), "{:?}", refused.headers);
    ada.get("/api/tasks").await?.expect(200)?;
    bob.create("Bob's").await?;
    Ok(())
}

#[tokio::test]
async fn one_network_makes_only_so_many_accounts() -> Result<()> {
    let todo = with(vec![("sign_ups_per_hour", "2".to_owned()), ("proxies", "1".to_owned())]).await?;
    let sign_up = async |number: u32, from: &str| {
        let account = json!({ "email": format!("{number}@example.com"), "name": "x", "password": "correct horse" });
        let request = todo.request(Method::POST, "/api/auth/sign-up").await.header("x-forwarded-for", from);
        todo.send(request.json(&account)).await
    };
    sign_up(1, "192.0.2.1").await?.expect(201)?;
    sign_up(2, "192.0.2.1").await?.expect(201)?;
    // What the client itself says of where it comes from does not help.
    let refused = sign_up(3, "198.51.100.7, 192.0.2.1").await?;
    assert_eq!((refused.status.as_u16(), refused.problem()), (429, "too-many-requests"));
    assert!(refused.header("retry-after").parse::<u32>()? > 3_000);
    sign_up(4, "192.0.2.2").await?.expect(201)?;
    Ok(())
}

#[tokio::test]
async fn pages_of_listed_origins_may_call_and_others_may_not() -> Result<()> {
    let todo = with(vec![("cors_origins", "https://todo.example.com".to_owned())]).await?;
    let ask = async |method: Method, path: &str, origin: &str| {
        todo.send(todo.request(method, path).await.header("origin", origin)).await
    };
    let preflight = ask(Method::OPTIONS, "/api/tasks", "https://todo.example.com").await?;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), "https://todo.example.com");
    assert!(preflight.header("access-control-allow-methods").contains("POST"));
    assert!(preflight.header("access-control-allow-headers").contains("idempotency-key"));
    // An error is as readable as an answer.
    let refused = ask(Method::GET, "/api/tasks", "https://todo.example.com").await?;
    assert_eq!((refused.status.as_u16(), refused.header("access-control-allow-credentials")), (401, "true"));
    for origin in ["https://evil.example", "null"] {
        let other = ask(Method::OPTIONS, "/api/tasks", origin).await?;
        assert_eq!((other.header("access-control-allow-origin"), other.header("vary")), ("", "origin"));
    }
    Ok(())
}

#[tokio::test]
async fn every_path_has_its_options_and_head_says_what_get_would() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let id = ada.create("Milk").await?;
    for path in ["/api/tasks", &format!("/api/tasks/{id}"), "/api/tags", "/api/trash/", "/api/export", "/api/me"] {
        let get = ada.get(path).await?;
        let head = ada.send(ada.request(Method::HEAD, path).await).await?;
        assert_eq!((head.status, head.body.is_null()), (get.status, true), "{path}");
        for header in ["content-type", "etag", "x-total-count"] {
            assert_eq!(head.header(header), get.header(header), "{path} {header}");
        }
        let options = todo.send(todo.request(Method::OPTIONS, path).await).await?;
        assert_eq!(options.status, 204, "{path}");
        assert!(options.header("allow").contains("GET, "), "{path}: {}", options.header("allow"));
    }
    assert_eq!(todo.get("/api/nothing").await?.problem(), "not-found");
    Ok(())
}
