//! Connections as no good client makes them: slow, forgotten, many, too long, or saying two things at once.

use std::time::Duration;

use tokio::net::TcpStream;

use crate::harness::{
    COMPONENTS, Place, Process,
    wire::{Wire, exchange},
};

#[tokio::test]
async fn slow_and_forgotten_clients_hold_up_nobody_and_no_end() {
    let place = Place::new(COMPONENTS);
    let sidecar = place.start().await;
    let mut open = Vec::new();
    for part in [
        "",
        "G",
        "GET /v1.0/healthz HTTP/1.1\r\nhost:",
        "POST /v1.0/state/statestore HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n[{",
    ] {
        for _ in 0..25 {
            let mut wire = Wire::open(&sidecar.api.address).await;
            wire.send(part).await;
            open.push(wire);
        }
    }
    sidecar.api.save("k", "1").await;
    // One byte after the other is a request all the same.
    let mut wire = Wire::open(&sidecar.api.address).await;
    for byte in b"GET /v1.0/state/statestore/k HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" {
        wire.send([*byte]).await;
        tokio::task::yield_now().await;
    }
    assert!(wire.read_all().await.starts_with("HTTP/1.1 200 "));
    let end = sidecar.running.shutdown(Duration::from_millis(500)).await;
    assert!(end.is_err(), "bodies that never come are in flight");
    drop(open);
    // The file is free again, whatever those clients do.
    place.start().await.stop().await;
}

#[tokio::test]
async fn a_body_that_never_comes_is_given_up() {
    let mut place = Place::new(COMPONENTS);
    place.body_timeout = Duration::from_millis(50);
    let sidecar = place.start().await;
    let mut wire = Wire::open(&sidecar.api.address).await;
    wire.send("POST /v1.0/state/statestore HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n[{").await;
    let answer = wire.read_all().await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("did not arrive within 0.05 s"), "{answer}");
    sidecar.stop().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_changes_nothing() {
    let place = Place::new(COMPONENTS);
    let sidecar = place.start().await;
    let mut wire = Wire::open(&sidecar.api.address).await;
    wire.send(
        "POST /v1.0/state/statestore HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n[{\"key\":\"k\",\"value\":1}]",
    )
    .await;
    drop(wire);
    sidecar.api.save("other", "1").await;
    assert_eq!(sidecar.api.get("/v1.0/state/statestore/k").await.status, 204);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_refusal_leaves_its_connection_to_the_next_request() {
    let mut place = Place::new(COMPONENTS);
    place.api_token = Some("secret".into());
    let sidecar = place.start().await;
    let body = "y".repeat(1 << 20);
    for (token, path, status) in [
        ("wrong", "publish/pubsub/t", 401),
        ("secret", "publish/nowhere/t", 404),
        ("secret", "state/nowhere", 400),
        ("secret", "nothing", 404),
    ] {
        let mut wire = Wire::open(&sidecar.api.address).await;
        let head = format!("POST /v1.0/{path} HTTP/1.1\r\nhost: x\r\ndapr-api-token: {token}\r\n");
        // The body is on its way still when the refusal is known.
        wire.send(format!("{head}content-length: {}\r\n\r\n", body.len())).await;
        wire.send(&body).await;
        wire.send("GET /v1.0/healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        let answers = wire.read_all().await;
        assert!(answers.starts_with(&format!("HTTP/1.1 {status} ")) && answers.contains("HTTP/1.1 204 "), "{answers}");
    }
    // What is not worth its bytes ends the connection, and says so.
    for more in ["content-length: 900000000\r\n", "content-length: 10\r\nexpect: 100-continue\r\n"] {
        let mut wire = Wire::open(&sidecar.api.address).await;
        wire.send(format!("POST /v1.0/publish/pubsub/t HTTP/1.1\r\nhost: x\r\n{more}\r\n")).await;
        let answer = wire.read_all().await;
        assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("connection: close"), "{answer}");
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn ten_thousand_idle_connections_leave_room_for_calls() {
    let limit = rlimit::increase_nofile_limit(20_000).unwrap();
    let count = 10_000.min(usize::try_from(limit).unwrap() - 500);
    let place = Place::new(COMPONENTS);
    let process = Process::start(&place);
    let address = process.api.address.trim_start_matches("http://").to_owned();
    let mut idle = Vec::with_capacity(count);
    for _ in 0..count {
        idle.push(TcpStream::connect(&address).await.unwrap());
    }
    process.api.save("k", "1").await;
    assert_eq!(process.api.get("/v1.0/state/statestore/k").await.body, "1");
    let resident = process.resident();
    assert!(resident < 300 << 20, "{resident} bytes for {count} connections");
    // The idle ones are connections still.
    let last = idle.pop().unwrap();
    last.writable().await.unwrap();
    last.try_write(b"GET /v1.0/state/statestore/k HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    assert!(Wire::from(last).read_all().await.ends_with("\r\n\r\n1"));
    let end = process.terminate().await;
    assert!(end.success(), "idle connections hold up no end");
}

#[tokio::test]
async fn heads_beyond_the_limits_are_refused_and_harm_nobody() {
    let place = Place::new(COMPONENTS);
    let sidecar = place.start().await;
    let address = &sidecar.api.address;
    let fits = format!("GET /v1.0/healthz HTTP/1.1\r\nx: {}", "y".repeat(60_000));
    assert!(exchange(address, &fits, "").await.starts_with("HTTP/1.1 204 "));
    let many: String = (0..200).map(|number| format!("\r\nx{number}: y")).collect();
    for (head, status) in [
        (format!("GET /v1.0/healthz HTTP/1.1\r\nx: {}", "y".repeat(200_000)), 431),
        (format!("GET /v1.0/healthz HTTP/1.1{many}"), 431),
        (format!("GET /{} HTTP/1.1", "y".repeat(200_000)), 431),
        (format!("GET /{} HTTP/1.1", "y".repeat(65_600)), 414),
    ] {
        let answer = exchange(address, &head, "").await;
        // What was sent beyond the limit may cut the answer off, but never let it pass.
        assert!(
            answer.is_empty() || answer.starts_with(&format!("HTTP/1.1 {status} ")) || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
    }
    sidecar.api.save("k", "1").await;
    sidecar.stop().await;
}

#[tokio::test]
async fn a_request_that_says_two_things_is_one_request_or_none() {
    let place = Place::new(COMPONENTS);
    let sidecar = place.start().await;
    let address = &sidecar.api.address;
    let hidden = "GET /v1.0/metadata HTTP/1.1\r\nhost: x\r\n\r\n";
    let post = "POST /v1.0/state/statestore HTTP/1.1\r\nhost: x\r\n";
    for (name, request) in [
        ("two lengths", format!("{post}content-length: 2\r\ncontent-length: 50\r\n\r\n[]{hidden}")),
        ("a list of lengths", format!("{post}content-length: 2, 50\r\n\r\n[]{hidden}")),
        ("a length with a sign", format!("{post}content-length: +2\r\n\r\n[]{hidden}")),
        (
            "chunks that are not last",
            format!("{post}transfer-encoding: chunked, identity\r\n\r\n2\r\n[]\r\n0\r\n\r\n{hidden}"),
        ),
        ("an unknown coding", format!("{post}transfer-encoding: xchunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n{hidden}")),
        ("a chunk of no size", format!("{post}transfer-encoding: chunked\r\n\r\nxyz\r\n[]\r\n0\r\n\r\n{hidden}")),
        (
            "a chunk of a huge size",
            format!("{post}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n[]\r\n0\r\n\r\n{hidden}"),
        ),
        (
            "a chunk that is longer than it says",
            format!("{post}transfer-encoding: chunked\r\n\r\n1\r\n[]\r\n0\r\n\r\n{hidden}"),
        ),
        ("a space before the colon", format!("{post}content-length : 2\r\n\r\n[]{hidden}")),
        ("a folded header", format!("{post}content-length: 2\r\n transfer-encoding: chunked\r\n\r\n[]{hidden}")),
        (
            "chunks in HTTP/1.0",
            format!("{}transfer-encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n{hidden}", post.replace("1.1", "1.0")),
        ),
        ("a line feed in a value", format!("{post}x: a\nb\r\ncontent-length: 2\r\n\r\n[]{hidden}")),
    ] {
        let mut wire = Wire::open(address).await;
        wire.send(&request).await;
        let answer = wire.read_all().await;
        assert!(
            answer.starts_with("HTTP/1.1 400 ") || answer.starts_with("HTTP/1.0 400 ") || answer.is_empty(),
            "{name}: {answer}"
        );
        assert_eq!(answer.matches("HTTP/1.").count(), usize::from(!answer.is_empty()), "{name}: {answer}");
        assert!(!answer.contains("runtimeVersion"), "{name}: {answer}");
    }
    // Of a length and chunks, chunks count, and the connection ends with the answer: nothing follows from the other.
    let [length, chunks] = ["content-length: 2\r\n", "transfer-encoding: chunked\r\n"];
    for headers in [format!("{length}{chunks}"), format!("{chunks}{length}")] {
        let mut wire = Wire::open(address).await;
        wire.send(format!("{post}{headers}\r\n2\r\n[]\r\n0\r\n\r\n{hidden}")).await;
        let answer = wire.read_all().await;
        assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
        assert_eq!(answer.matches("HTTP/1.").count(), 1, "{headers}: {answer}");
    }
    sidecar.stop().await;
}
