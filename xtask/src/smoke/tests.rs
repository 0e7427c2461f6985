//! What the smoke test says of an address where the service is not.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Visitor, WITHIN, run};

/// Someone with so much time.
fn visitor(address: String, time: Duration) -> Visitor {
    Visitor { address, token: None, end: Instant::now() + time }
}

/// A server that answers one request with this; says its address and what it was asked.
fn server(answer: &'static str) -> Result<(String, std::thread::JoinHandle<String>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", listener.local_addr()?);
    let asked = std::thread::spawn(move || {
        let (mut stream, _peer) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let length = stream.read(&mut request).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    Ok((address, asked))
}

#[test]
fn what_is_no_address_is_refused() {
    let error = run("todo.example.com", WITHIN).unwrap_err().to_string();
    assert!(error.contains("https://todo.example.com"), "{error}");
}

#[test]
fn another_status_is_told_with_what_came() -> Result<()> {
    let (address, _asked) = server("HTTP/1.1 503 X\r\ncontent-length: 9\r\n\r\nno broker")?;
    let visitor = visitor(address, WITHIN);
    let error = visitor.ask("GET", "/api/me", None)?.expect(200).unwrap_err().to_string();
    assert_eq!(error, "GET /api/me answered 503, not 200: no broker");
    Ok(())
}

#[test]
fn a_request_carries_the_token_and_the_body_as_they_are() -> Result<()> {
    let (address, asked) = server("HTTP/1.1 201 X\r\ncontent-length: 7\r\n\r\n{\"a\":1}")?;
    let visitor = Visitor { token: Some("t.o.k".to_owned()), ..visitor(address, WITHIN) };
    let body = serde_json::json!({"title": "\"back\\slash\""});
    assert_eq!(visitor.ask("POST", "/api/tasks", Some(&body))?.expect(201)?["a"], 1);
    let asked = asked.join().unwrap();
    assert!(asked.starts_with("POST /api/tasks HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("authorization: Bearer t.o.k\r\n"), "{asked}");
    assert!(asked.ends_with(&body.to_string()), "{asked}");
    Ok(())
}

#[test]
fn no_time_is_spent_that_is_not_there() {
    // Nobody listens at this port.
    let visitor = visitor("http://127.0.0.1:9".to_owned(), Duration::from_secs(2));
    let start = Instant::now();
    let seen = visitor.until("it is healthy", |visitor| visitor.ask("GET", "/health", None).map(|_answer| Some(())));
    assert!(seen.is_err());
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    let late = Visitor { end: Instant::now(), ..visitor };
    assert!(late.ask("GET", "/health", None).err().is_some_and(|error| error.to_string().contains("no time is left")));
}
