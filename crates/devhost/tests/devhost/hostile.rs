//! Requests that are made to be read in two ways: each is read in one, or refused, and nothing behind it is answered.

use std::time::Duration;

use super::support::{Application, Served, raw, rest_of, statuses};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// What an attacker would like to be taken for a request of its own.
const SMUGGLED: &str = "GET /hello HTTP/1.1\r\nhost: a\r\n\r\n";

/// Connections that wait for a request end soon, so that all there is to read can be read.
async fn impatient(routes: &str) -> Served {
    let application = if routes.is_empty() { Application::with_guest("") } else { Application::new(routes) };
    application.configure(|config| config.limits.header_read_time = Duration::from_millis(300)).start().await
}

#[tokio::test]
async fn a_body_has_one_length_or_is_refused() {
    let served = impatient("").await;
    let address = served.running.local_addr();
    let post = |headers: &str, body: &str| format!("POST /read HTTP/1.1\r\nhost: a\r\n{headers}\r\n{body}{SMUGGLED}");
    let refused = [
        post("content-length: 4\r\ncontent-length: 5\r\n", "abcd"),
        post("content-length: 4, 5\r\n", "abcd"),
        post("content-length: +4\r\n", "abcd"),
        post("content-length: -4\r\n", "abcd"),
        post("content-length: 0x4\r\n", "abcd"),
        post("content-length: 99999999999999999999\r\n", "abcd"),
        post("content-length:\r\n", "abcd"),
        post("transfer-encoding: xchunked\r\n", "0\r\n\r\n"),
        post("transfer-encoding: chunked, identity\r\n", "0\r\n\r\n"),
        post("transfer-encoding: gzip\r\n", "0\r\n\r\n"),
        post("transfer-encoding : chunked\r\n", "0\r\n\r\n"),
        post("transfer-encoding: chunked\r\n", "0\r\n\r\n").replace("1.1", "1.0"),
    ];
    for request in refused {
        let text = raw(address, request.as_bytes()).await;
        assert_eq!(statuses(&text), [400], "{request}{text}");
    }
    // Where both are given the chunks count (RFC 9112, 6.3), and the connection ends behind them.
    for headers in
        ["content-length: 4\r\ntransfer-encoding: chunked\r\n", "transfer-encoding: chunked\r\ncontent-length: 4\r\n"]
    {
        let text = raw(address, post(headers, "2\r\nab\r\n0\r\n\r\n").as_bytes()).await;
        assert_eq!(statuses(&text), [200], "{headers}{text}");
        assert!(text.ends_with("\r\n2") || text.contains("\r\n2\r\n"), "{text}");
    }
    // The same length twice is one length.
    let text = raw(address, post("content-length: 4\r\ncontent-length: 4\r\n", "abcd").as_bytes()).await;
    assert_eq!(statuses(&text), [200, 200], "{text}");
    served.idle().await;
}

#[tokio::test]
async fn chunks_that_are_none_end_the_connection() {
    let served = impatient("").await;
    let address = served.running.local_addr();
    for chunks in
        ["zz\r\nab\r\n", "-1\r\na\r\n", "fffffffffffffffff\r\na\r\n", "2\r\nabcd\r\n0\r\n\r\n", "2 \nab\n0\n\n", "\r\n"]
    {
        let request = format!("POST /read HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{chunks}{SMUGGLED}");
        let text = raw(address, request.as_bytes()).await;
        let statuses = statuses(&text);
        assert!(statuses.len() <= 1 && statuses.iter().all(|status| *status >= 400), "{chunks:?}: {text}");
    }
    served.idle().await;
    assert_eq!(served.get("/hello").await.status, 200);
}

#[tokio::test]
async fn heads_that_are_none_are_refused() {
    let served = impatient("").await;
    let address = served.running.local_addr();
    let get = |head: &str| format!("GET /hello HTTP/1.1\r\n{head}\r\n{SMUGGLED}");
    let many: String = (0..200).map(|number| format!("x-{number}: a\r\n")).collect();
    for (request, status) in [
        (get("host: a\r\nx: a\r\n b\r\n"), 400),
        (get("host: a\r\nx: a\rb\r\n"), 400),
        (get("host: a\r\nx: a\0b\r\n"), 400),
        (get("host: a\r\nx y: a\r\n"), 400),
        (get("host: a\r\n: a\r\n"), 400),
        (get("host: a\r\nnothing\r\n"), 400),
        (get(&format!("host: a\r\n{many}")), 431),
        (get(&format!("host: a\r\nx: {}\r\n", "x".repeat(128 << 10))), 431),
        (format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(128 << 10)), 431),
        ("GET /hello HTTP/9.9\r\nhost: a\r\n\r\n".into(), 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), 400),
        ("G\u{e4}T /hello HTTP/1.1\r\nhost: a\r\n\r\n".into(), 400),
        ("GET /hel lo HTTP/1.1\r\nhost: a\r\n\r\n".into(), 400),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03".into(), 400),
    ] {
        let text = raw(address, request.as_bytes()).await;
        let start: String = request.chars().take(60).collect();
        // What is no HTTP/1 is closed without a word; a head that is too long may be cut before its answer is read.
        assert!(statuses(&text) == [status] || text.is_empty(), "{start:?}: {text}");
    }
    // A line that ends without its carriage return is a line, for every reader alike (RFC 9112, 2.2).
    let text = raw(address, b"GET /hello HTTP/1.1\nhost: a\n\n").await;
    assert_eq!(statuses(&text), [200], "{text}");
    served.idle().await;
}

#[tokio::test]
async fn a_host_is_one_host_and_the_one_of_the_target() {
    let served = impatient("").await;
    let address = served.running.local_addr();
    for (head, status) in [
        ("GET /headers HTTP/1.1\r\n\r\n", 400),
        ("GET /headers HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", 400),
        ("GET /headers HTTP/1.1\r\nhost: a\r\nHost: b\r\n\r\n", 400),
        ("GET /headers HTTP/1.1\r\nhost: user@a\r\n\r\n", 400),
        ("GET /headers HTTP/1.1\r\nhost: a/b\r\n\r\n", 400),
        ("GET /headers HTTP/1.1\r\nhost: a:99999\r\n\r\n", 400),
        ("GET /headers HTTP/1.1\r\nhost: \r\n\r\n", 400),
        ("GET http://user@a/headers HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        ("GET /headers HTTP/1.0\r\n\r\n", 200),
        ("CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n", 404),
        ("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", 404),
    ] {
        let text = raw(address, head.as_bytes()).await;
        assert_eq!(statuses(&text), [status], "{head}{text}");
        assert!(status != 400 || text.contains("bad-host"), "{text}");
    }
    let text = raw(address, b"GET http://target:1/headers HTTP/1.1\r\nhost: other\r\n\r\n").await;
    assert!(!text.contains("other"), "{text}");
    assert!(text.contains("spin-full-url: http://target:1/headers\n"), "{text}");
}

#[tokio::test]
async fn a_path_reaches_the_component_of_its_letters_and_no_other() {
    let served = impatient(
        "[[trigger.http]]\nroute = \"/hello\"\ncomponent = \"hello\"\n[component.hello]\nsource = \"GUEST\"\n\
         [[trigger.http]]\nroute = \"/headers/...\"\ncomponent = \"headers\"\n[component.headers]\nsource = \"GUEST\"\n",
    )
    .await;
    let address = served.running.local_addr();
    let get = async |path: &str| raw(address, format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).await;
    for (path, status) in [
        ("/hello", 200),
        ("/hello/", 200),
        ("//hello", 404),
        ("/hello//", 404),
        ("/./hello", 404),
        ("/x/../hello", 404),
        ("/%68ello", 404),
        ("/hello%2f", 404),
        ("/hello%00", 404),
        ("/HELLO", 404),
        ("/hello%20", 404),
        ("/hello;a=b", 404),
        ("hello", 404),
    ] {
        assert_eq!(statuses(&get(path).await), [status], "{path}");
    }
    for path in ["/hello\\", "/..\\hello", "/hello\u{e9}"] {
        let text = get(path).await;
        assert!(matches!(statuses(&text)[..], [400 | 404]), "{path}: {text}");
    }
    // Nothing is decoded or resolved on the way: what the component sees is what was asked.
    for rest in ["/../hello", "/%2e%2e/hello", "/a%2fb", "//", "/%00", "/%", "/a;b=c", "/.well-known/spin/health"] {
        let text = get(&format!("/headers{rest}")).await;
        assert_eq!(statuses(&text), [200], "{rest}: {text}");
        assert!(text.contains(&format!("spin-path-info: {rest}\n")), "{rest}: {text}");
        assert!(text.contains(&format!("spin-full-url: http://a/headers{rest}\n")), "{rest}: {text}");
    }
    for path in ["/.well-known/spin/../../hello", "/.well-known/spin/health/..", "/.well-known/spin/%68ealth"] {
        assert_eq!(statuses(&get(path).await), [404], "{path}");
    }
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_their_order() {
    let served = impatient("").await;
    let mut stream = TcpStream::connect(served.running.local_addr()).await.unwrap();
    let requests: String =
        [200, 204, 418, 304, 503].map(|status| format!("GET /status/{status} HTTP/1.1\r\nhost: a\r\n\r\n")).concat();
    stream.write_all(requests.as_bytes()).await.unwrap();
    assert_eq!(statuses(&rest_of(&mut stream).await), [200, 204, 418, 304, 503]);
}
