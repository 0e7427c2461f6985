//! Input that is made to hurt: every request is answered, none with a fault of ours, and others go on.

use std::fmt::Write;

use anyhow::{Result, ensure};
use reqwest::{Method, header};
use serde_json::json;
use testkit::{Answer, Todo, User};

async fn import(user: &User, body: String, media_type: &str) -> Result<Answer> {
    let request = user.request(Method::POST, "/api/import").await;
    user.send(request.header(header::CONTENT_TYPE, media_type).body(body)).await
}

#[tokio::test]
async fn the_worst_files_are_refused_within_the_components_memory() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let many = |piece: &str| piece.repeat(((8 << 20) - 200) / piece.len());
    let todos =
        |inside: String| format!("BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\n{inside}\r\nEND:VTODO\r\nEND:VCALENDAR\r\n");
    let files = [
        (format!("[{}7]", many("7,")), "application/json"),
        (format!("[{{\"title\":\"t\",\"tags\":[{}7]}}]", many("7,")), "application/json"),
        (many("["), "application/json"),
        (format!("TYPE,CONTENT\n{}", many("task,a\n")), "text/csv"),
        (format!("TYPE,CONTENT\n{}", many("x\n")), "text/csv"),
        (format!("TYPE,CONTENT,INDENT\ntask,a,1\n{}", many("task,a,2\n")), "text/csv"),
        (format!("TYPE,CONTENT\ntask,a\n{}", many("note,a\n")), "text/csv"),
        (format!("BEGIN:VCALENDAR\n{}", many("BEGIN:VTODO\nEND:VTODO\n")), "text/calendar"),
        (todos(many("BEGIN:X\r\n")), "text/calendar"),
        (todos(format!("SUMMARY:{}", many("\r\n a"))), "text/calendar"),
        (todos(format!("CATEGORIES:{}", many("a,"))), "text/calendar"),
    ];
    for (file, media_type) in files {
        let start: String = file.chars().take(40).collect();
        let answer = import(&ada, file, media_type).await?;
        ensure!(answer.status == 400 || answer.status == 200, "{start}: {} {}", answer.status, answer.body);
    }
    // A date that no task can have, and the list is read as before.
    let csv = "TYPE,CONTENT,INDENT,DEADLINE\ntask,end of time,1,9999-12-31\n";
    import(&ada, csv.to_owned(), "text/csv").await?.expect(200)?;
    ensure!(ada.get("/api/tasks").await?.status == 200);
    Ok(())
}

#[tokio::test]
async fn the_worst_bodies_are_refused_in_few_words() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let many = |piece: &str| piece.repeat(((1 << 20) - 200) / piece.len());
    for body in [
        many("["),
        format!("{{\"title\":\"t\",\"tags\":[{}7]}}", many("7,")),
        format!("{{\"title\":\"t\",\"subtasks\":[{}{{}}]}}", many("{\"title\":\"\"},")),
        format!("{{\"title\":\"{}\"}}", many("\\u0000")),
        (0..80_000).fold("{".to_owned(), |mut text, number| {
            let _ = write!(text, "\"a{number}\":1,");
            text
        }) + "\"title\":\"t\"}",
    ] {
        let request = ada.request(Method::POST, "/api/tasks").await.header(header::CONTENT_TYPE, "application/json");
        let answer = ada.send(request.body(body)).await?;
        ensure!(answer.status == 400, "{}", answer.status);
        ensure!(answer.body.to_string().len() < 256 << 10, "{} bytes", answer.body.to_string().len());
    }
    for rule in ["FREQ=DAILY;BYDAY=-32768MO", "FREQ=YEARLY;COUNT=10000;BYMONTH=2;BYMONTHDAY=30", "* * 31 2 *"] {
        let answer =
            ada.post("/api/tasks", &json!({ "title": "t", "dueDate": "2026-03-01", "recurrence": rule })).await?;
        ensure!(answer.status == 400, "{rule}: {}", answer.status);
    }
    Ok(())
}

#[tokio::test]
async fn cookies_and_conditions_that_cannot_be_read_are_refused() -> Result<()> {
    let todo = Todo::start().await?;
    let cookies: [&[u8]; 9] = [
        b"refresh=",
        b"refresh",
        b"=;=;;;",
        b"refresh=a.b.c",
        b"refresh=0190163d-8694-739b-aea5-966c26f8ad91.0190163d-8694-739b-aea5-966c26f8ad91.x",
        b"refresh=\xff\xfe",
        b"refresh=\"quoted\"",
        b"other=1; refresh=../../etc/passwd",
        &[b'a'; 30_000],
    ];
    for cookie in cookies {
        let request = todo.request(Method::POST, "/api/auth/refresh").await;
        let answer = todo.send(request.header(header::COOKIE, cookie)).await?;
        ensure!(answer.status == 401, "{} for {}", answer.status, String::from_utf8_lossy(cookie));
    }
    let ada = todo.sign_up("ada").await?;
    let path = format!("/api/tasks/{}", ada.create("t").await?);
    for (condition, status) in
        [(&b"\"\xff\""[..], 412), (b"\"01\"", 412), (b"\"+1\"", 412), (b"\"1\", \"1\"", 400), (b"", 412)]
    {
        let request = ada.request(Method::PATCH, &path).await.header(header::IF_MATCH, condition);
        let answer = ada.send(request.json(&json!({ "title": "overwritten" }))).await?;
        ensure!(answer.status == status, "{} for {}", answer.status, String::from_utf8_lossy(condition));
    }
    ensure!(ada.get(&path).await?.expect(200)?["title"] == "t");
    Ok(())
}
