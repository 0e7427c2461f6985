use std::time::Duration;

use futures::SinkExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::support::{Application, DEADLINE, open_body, send, until};
use super::upstream::Upstream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_is_stopped_while_others_go_on() {
    let served = Application::with_guest("")
        .configure(|config| config.limits.compute_time = Duration::from_secs(2))
        .start()
        .await;
    // As many loops as the runtime has threads.
    let loops: Vec<_> = (0..2).map(|_| tokio::spawn(send(served.client.get(served.url("/loop"))))).collect();
    until("both loop", || served.running.instances() == 2).await;
    // Each answer needs a connection, timers and a guest of its own.
    for _ in 0..5 {
        assert_eq!(served.get("/hello").await.status, 200);
    }
    assert_eq!(served.running.instances(), 2, "the loops ended before the others");
    for looping in loops {
        let answer = looping.await.unwrap();
        assert_eq!(answer.status, 504);
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    served.idle().await;
}

#[tokio::test]
async fn memory_is_bounded() {
    let served = Application::with_guest("").configure(|config| config.limits.memory_bytes = 16 << 20).start().await;
    let answer = served.get("/eat").await;
    assert_eq!(answer.status, 500);
    assert_eq!(served.get("/hello").await.status, 200);
}

#[tokio::test]
async fn a_trap_is_a_500_without_internals() {
    let served = Application::with_guest("").start().await;
    for path in ["/trap", "/silent"] {
        let answer = served.get(path).await;
        assert_eq!(answer.status, 500, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(!answer.text.contains("internals") && !answer.text.contains("wasm"));
    }
    served.idle().await;
}

#[tokio::test]
async fn a_guest_that_does_not_answer_in_time_is_a_504() {
    let upstream = Upstream::start().await;
    let served = Application::with_guest("allowed_outbound_hosts = [\"http://127.0.0.1:*\"]")
        .configure(|config| config.limits.response_time = Duration::from_millis(200))
        .start()
        .await;
    let request = served.client.get(served.url("/proxy"));
    let answer = send(request.header("x-url", upstream.url("/never"))).await;
    assert_eq!(answer.status, 504);
    served.idle().await;
    // A response that has begun may take as long as it likes.
    let request = served.client.get(served.url("/proxy"));
    let request = request.header("x-url", upstream.url("/pause"));
    let mut response = request.send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "first\n");
    let next = tokio::time::timeout(Duration::from_millis(400), response.chunk()).await;
    assert!(next.is_err(), "the stream ended: {next:?}");
}

#[tokio::test]
async fn a_full_host_answers_503_after_a_short_wait() {
    let served = Application::with_guest("")
        .configure(|config| {
            config.limits.max_instances = 1;
            config.limits.max_waiting = 1;
            config.limits.max_wait = Duration::from_millis(300);
        })
        .start()
        .await;
    let (mut sender, body) = open_body();
    let request = served.client.post(served.url("/echo")).body(body);
    sender.send(Ok("hold".into())).await.unwrap();
    let mut holding = request.timeout(DEADLINE).send().await.unwrap();
    assert_eq!(holding.chunk().await.unwrap().unwrap(), "hold");
    let answer = served.get("/hello").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    // The host itself still answers.
    assert_eq!(served.get("/.well-known/spin/health").await.status, 200);
    drop(sender);
    assert_eq!(holding.chunk().await.unwrap(), None);
    served.idle().await;
    assert_eq!(served.get("/hello").await.status, 200);
}

#[tokio::test]
async fn a_short_wait_is_rewarded() {
    let served = Application::with_guest("")
        .configure(|config| {
            config.limits.max_instances = 1;
            config.limits.max_wait = DEADLINE;
        })
        .start()
        .await;
    let requests = (0..20).map(|_| served.get("/hello"));
    for answer in futures::future::join_all(requests).await {
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn long_request_bodies_are_refused() {
    let served = Application::with_guest("").configure(|config| config.limits.request_body_bytes = 10).start().await;
    let at_limit = served.client.post(served.url("/read")).body("0123456789");
    assert_eq!(send(at_limit).await.text, "10");
    let declared = served.client.post(served.url("/read")).body("0123456789a");
    assert_eq!(send(declared).await.status, 413);
    let (mut sender, body) = open_body();
    let undeclared = served.client.post(served.url("/read")).body(body);
    sender.send(Ok("0123456789a".into())).await.unwrap();
    drop(sender);
    let answer = send(undeclared).await;
    assert_eq!(answer.status, 413, "{}", answer.text);
}

#[tokio::test]
async fn long_headers_are_refused() {
    let served = Application::with_guest("").configure(|config| config.limits.header_bytes = 8 << 10).start().await;
    let request = served.client.get(served.url("/hello"));
    let answer = send(request.header("x-long", "x".repeat(16 << 10))).await;
    assert_eq!(answer.status, 431);
}

#[tokio::test]
async fn a_client_that_never_reads_is_cut() {
    let served = Application::with_guest("")
        .configure(|config| config.limits.write_time = Duration::from_millis(200))
        .start()
        .await;
    let mut stream = TcpStream::connect(served.running.local_addr()).await.unwrap();
    stream.write_all(b"GET /flood HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    until("the guest writes", || served.running.instances() == 1).await;
    served.idle().await;
}

#[tokio::test]
async fn a_client_that_sends_nothing_is_cut() {
    let served = Application::with_guest("")
        .configure(|config| config.limits.header_read_time = Duration::from_millis(200))
        .start()
        .await;
    let mut stream = TcpStream::connect(served.running.local_addr()).await.unwrap();
    stream.write_all(b"GET /hello HTTP/1.1\r\n").await.unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn what_the_host_keeps_for_a_guest_is_bounded_too() {
    let served = Application::with_guest("").start().await;
    let answer = served.get("/hoard").await;
    assert_eq!(answer.status, 500);
    served.idle().await;
    assert_eq!(served.get("/hello").await.status, 200);
}

#[tokio::test]
async fn a_guest_that_never_answers_is_a_504_while_others_go_on() {
    let served = Application::with_guest("")
        .configure(|config| config.limits.response_time = Duration::from_secs(1))
        .start()
        .await;
    let waiting: Vec<_> = (0..8).map(|_| tokio::spawn(send(served.client.get(served.url("/wait"))))).collect();
    until("all wait", || served.running.instances() == 8).await;
    assert_eq!(served.get("/hello").await.status, 200);
    for waiting in waiting {
        let answer = waiting.await.unwrap();
        assert_eq!((answer.status, answer.header("content-type")), (504, "application/problem+json"));
    }
    served.idle().await;
}

#[tokio::test]
async fn a_guest_that_prints_without_end_is_stopped_at_its_time() {
    let served = Application::with_guest("")
        .configure(|config| config.limits.compute_time = Duration::from_millis(300))
        .start()
        .await;
    let printing = tokio::spawn(send(served.client.get(served.url("/print-without-end"))));
    until("it prints", || served.running.instances() == 1).await;
    assert_eq!(served.get("/hello").await.status, 200);
    assert_eq!(printing.await.unwrap().status, 504);
    served.idle().await;
}

#[tokio::test]
async fn a_flood_that_is_read_ends_with_the_guests_time() {
    let served = Application::with_guest("")
        .configure(|config| config.limits.compute_time = Duration::from_millis(300))
        .start()
        .await;
    let mut response = served.client.get(served.url("/flood")).timeout(DEADLINE).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let cut = loop {
        match response.chunk().await {
            Ok(Some(_)) => {}
            end => break end,
        }
    };
    assert!(cut.is_err(), "the response ended as if it were whole");
    served.idle().await;
    assert_eq!(served.get("/hello").await.status, 200);
}

#[tokio::test]
async fn calls_that_never_end_are_few_and_end_with_their_guest() {
    let upstream = Upstream::start().await;
    let served = Application::with_guest("allowed_outbound_hosts = [\"http://127.0.0.1:*\"]")
        .configure(|config| config.limits.response_time = Duration::from_secs(1))
        .start()
        .await;
    let many = |path: &str| served.client.get(served.url("/call-many/100")).header("x-url", upstream.url(path));
    // Of a hundred at once 64 go out, and the others are refused.
    let answer = send(many("/")).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "36"));
    let waiting = tokio::spawn(send(many("/never")));
    until("the calls are open", || upstream.open() == 64).await;
    assert_eq!(served.get("/hello").await.status, 200);
    assert_eq!(waiting.await.unwrap().status, 504);
    served.idle().await;
    until("the calls are gone", || upstream.open() == 0).await;
    // The same behind a response that has ended.
    let request = served.client.get(served.url("/afterwards"));
    let answer = send(request.header("x-url", upstream.url("/never"))).await;
    assert_eq!(answer.text, "answered\n");
    until("the call after the response", || upstream.open() == 1).await;
    served.idle().await;
    until("the call is gone", || upstream.open() == 0).await;
}
