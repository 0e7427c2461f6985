//! Input that is refused: problem details that name the field, nothing stored, nothing published.

use anyhow::Result;
use reqwest::{Method, header};
use serde_json::json;
use testkit::{Answer, Todo, User};

async fn raw(user: &User, body: impl Into<reqwest::Body>, media_type: &str) -> Result<Answer> {
    let request = user.request(Method::POST, "/api/tasks").await;
    user.send(request.header(header::CONTENT_TYPE, media_type).body(body)).await
}

#[tokio::test]
async fn bad_input_is_answered_by_name_and_leaves_no_trace() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;

    let bodies: [(&str, u16, &str); 6] = [
        ("{", 400, "malformed-body"),
        ("", 400, "malformed-body"),
        ("[]", 400, "malformed-body"),
        ("{\"title\":7}", 400, "invalid-input"),
        ("{}", 400, "invalid-input"),
        ("{\"title\":\"t\",\"colour\":\"red\"}", 400, "invalid-input"),
    ];
    for (body, status, problem) in bodies {
        let answer = raw(&ada, body, "application/json").await?;
        assert_eq!((answer.status.as_u16(), answer.problem()), (status, problem), "{body}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.body["message"], answer.body["detail"]);
    }
    let invalid_utf8 = raw(&ada, b"{\"title\":\"\xff\"}".to_vec(), "application/json").await?;
    assert_eq!((invalid_utf8.status.as_u16(), invalid_utf8.problem()), (400, "malformed-body"));
    assert_eq!(raw(&ada, "title=t", "application/x-www-form-urlencoded").await?.status, 415);

    let many = json!({ "title": "x".repeat(256), "description": "d".repeat(10_001), "tags": vec!["t"; 11], "priority": "asap",
        "dueDate": "soon", "reminders": [10_081], "timeZone": "Mars/Olympus", "recurrence": "sometimes" });
    let answer = ada.post("/api/tasks", &many).await?;
    assert_eq!(answer.status, 400);
    for field in ["title", "description", "priority", "dueDate", "timeZone", "recurrence"] {
        assert!(
            answer.fields().iter().any(|found| found.starts_with(field)),
            "{field} is not in {:?}",
            answer.fields()
        );
    }

    assert_eq!(ada.get("/api/tasks").await?.header("x-total-count"), "0");
    assert!(todo.seen_events(&ada).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_body_of_one_byte_too_many_is_413_and_one_that_fits_is_read() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let of_length = |length: usize| {
        let frame = "{\"title\":\"t\",\"description\":\"\"}".len();
        format!("{{\"title\":\"t\",\"description\":\"{}\"}}", " ".repeat(length - frame))
    };
    let longest = raw(&ada, of_length(1 << 20), "application/json").await?;
    assert_eq!(longest.status, 400, "{}", longest.body);
    let too_long = raw(&ada, of_length((1 << 20) + 1), "application/json").await?;
    assert_eq!((too_long.status.as_u16(), too_long.problem()), (413, "body-too-large"));
    let chunks = futures::stream::iter(vec![Ok::<_, std::io::Error>(of_length((1 << 20) + 1))]);
    assert_eq!(raw(&ada, reqwest::Body::wrap_stream(chunks), "application/json").await?.status, 413);
    Ok(())
}

#[tokio::test]
async fn every_fault_of_a_token_is_401_with_a_type_of_its_own() -> Result<()> {
    let todo = Todo::start().await?;
    let mut ada = todo.sign_up("ada").await?;
    assert_eq!(todo.get("/api/tasks").await?.problem(), "token-missing");
    let (signed, last) = ada.token.split_at(ada.token.len() - 9);
    let forged = format!("{signed}{}{}", if last.starts_with('A') { 'B' } else { 'A' }, &last[1..]);
    for (token, problem) in [("abc".to_owned(), "token-malformed"), (forged, "token-signature")] {
        ada.token = token;
        let answer = ada.get("/api/tasks").await?;
        assert_eq!((answer.status.as_u16(), answer.problem()), (401, problem));
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
    Ok(())
}

#[tokio::test]
async fn paths_methods_and_parameters_that_do_not_exist_are_named() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let id = ada.create("t").await?;
    for path in
        ["/api/tasks/7", "/api/tasks/0190163d-8694-739b-aea5-966c26f8ad91", "/api/tasks/%ff", "/api/tasks/a/b/c"]
    {
        assert_eq!(ada.get(path).await?.status, 404, "{path}");
    }
    let wrong = ada.delete("/api/tasks").await?;
    assert_eq!((wrong.status.as_u16(), wrong.header("allow")), (405, "POST, GET, HEAD, OPTIONS"));
    let queries = [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("sort=age", "sort"),
        ("order=up", "order"),
        ("status=open", "status"),
        ("cursor=x", "cursor"),
        ("statuss=pending", "statuss"),
    ];
    for (query, field) in queries {
        let answer = ada.get(&format!("/api/tasks?{query}")).await?;
        assert_eq!((answer.status.as_u16(), answer.fields()), (400, vec![field]), "{query}");
    }
    let stale = ada.request(Method::DELETE, &format!("/api/tasks/{id}")).await.header("if-match", "\"9\"");
    assert_eq!(ada.send(stale).await?.status, 412);

    let head = ada.send(ada.request(Method::HEAD, "/api/tasks").await).await?;
    assert_eq!((head.status.as_u16(), head.header("x-total-count")), (200, "1"));
    let echoed = ada.send(ada.request(Method::GET, "/api/tasks").await.header("x-request-id", "abc-1")).await?;
    assert_eq!(echoed.header("x-request-id"), "abc-1");
    assert!(!ada.get("/api/tasks").await?.header("x-request-id").is_empty());
    Ok(())
}
