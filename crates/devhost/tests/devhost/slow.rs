//! Clients that are slow, or gone without a word.

use std::time::Duration;

use futures::SinkExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::support::{Application, DEADLINE, open_body, raw, rest_of, statuses, until};

/// Sends a byte again and again until the connection has ended, and gives what was answered.
async fn trickle(stream: TcpStream, byte: u8) -> String {
    let (mut reading, mut writing) = stream.into_split();
    let mut pulse = tokio::time::interval(Duration::from_millis(20));
    let sending = async {
        loop {
            pulse.tick().await;
            if writing.write_all(&[byte]).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut answer = Vec::new();
    let reading = async {
        // The other side may close with bytes of ours unread, which is a reset for us.
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = reading.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..read]);
        }
    };
    let ended = tokio::time::timeout(DEADLINE, async {
        tokio::select! { () = sending => {}, () = reading => {} }
    })
    .await;
    assert!(ended.is_ok(), "the connection is still open");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_head_that_trickles_is_cut_at_its_deadline() {
    let served = Application::with_guest("")
        .configure(|config| config.limits.header_read_time = Duration::from_millis(300))
        .start()
        .await;
    let mut stream = TcpStream::connect(served.running.local_addr()).await.unwrap();
    stream.write_all(b"GET /hello HTTP/1.1\r\nx: ").await.unwrap();
    let answer = trickle(stream, b'x').await;
    assert!(answer.is_empty() || statuses(&answer) == [408], "{answer}");
    assert_eq!(served.get("/hello").await.status, 200);
}

#[tokio::test]
async fn a_body_that_trickles_is_a_408_at_its_deadline() {
    let served = Application::with_guest("")
        .configure(|config| config.limits.response_time = Duration::from_millis(400))
        .start()
        .await;
    let mut stream = TcpStream::connect(served.running.local_addr()).await.unwrap();
    stream.write_all(b"POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n").await.unwrap();
    let answer = trickle(stream, b'x').await;
    assert_eq!(statuses(&answer), [408], "{answer}");
    assert!(answer.contains("body-too-slow") && answer.to_lowercase().contains("connection: close"), "{answer}");
    served.idle().await;
}

#[tokio::test]
async fn a_body_that_pauses_is_a_408_and_ends_a_response_that_has_begun() {
    let served = Application::with_guest("")
        .configure(|config| config.limits.body_read_time = Duration::from_millis(300))
        .start()
        .await;
    let address = served.running.local_addr();
    for framing in ["content-length: 10\r\n\r\nfirst", "transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n"] {
        let answer = raw(address, format!("POST /read HTTP/1.1\r\nhost: a\r\n{framing}").as_bytes()).await;
        assert_eq!(statuses(&answer), [408], "{answer}");
        served.idle().await;
    }
    let (mut sender, body) = open_body();
    let request = served.client.post(served.url("/echo")).body(body);
    sender.send(Ok("first".into())).await.unwrap();
    let mut response = request.timeout(DEADLINE).send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "first");
    let _ = response.chunk().await;
    served.idle().await;
}

#[tokio::test]
async fn a_slow_body_that_keeps_coming_is_read() {
    let served = Application::with_guest("")
        .configure(|config| config.limits.body_read_time = Duration::from_millis(500))
        .start()
        .await;
    let (mut sender, body) = open_body();
    let request = served.client.post(served.url("/read")).timeout(DEADLINE).body(body);
    let answered = tokio::spawn(request.send());
    let mut pulse = tokio::time::interval(Duration::from_millis(100));
    // Longer in all than any pause may be.
    for _ in 0..10 {
        pulse.tick().await;
        sender.send(Ok("a".into())).await.unwrap();
    }
    drop(sender);
    let answer = answered.await.unwrap().unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "10"));
}

#[tokio::test]
async fn a_client_that_has_closed_its_half_is_taken_for_gone() {
    let served = Application::with_guest("").start().await;
    let mut stream = TcpStream::connect(served.running.local_addr()).await.unwrap();
    stream.write_all(b"GET /wait HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    until("the guest waits", || served.running.instances() == 1).await;
    stream.shutdown().await.unwrap();
    assert_eq!(rest_of(&mut stream).await, "");
    served.idle().await;
}
