use std::time::Duration;

use futures::SinkExt;

use super::support::{Application, DEADLINE, open_body};

#[tokio::test]
async fn requests_in_flight_end_before_the_host_does() {
    let served = Application::with_guest("").start().await;
    let address = served.running.local_addr();
    let (mut sender, body) = open_body();
    let request = served.client.post(served.url("/echo")).body(body);
    sender.send(Ok("before".into())).await.unwrap();
    let mut response = request.timeout(DEADLINE).send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "before");
    let ending = tokio::spawn(served.running.shutdown(DEADLINE));
    // Refused once the listener is closed.
    let connect = || tokio::net::TcpStream::connect(address);
    while connect().await.is_ok() {
        tokio::task::yield_now().await;
    }
    sender.send(Ok("after".into())).await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "after");
    drop(sender);
    assert_eq!(response.chunk().await.unwrap(), None);
    assert!(ending.await.unwrap(), "something was cut");
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_end() {
    let served = Application::with_guest("").start().await;
    assert_eq!(served.get("/hello").await.status, 200);
    let ended = tokio::time::timeout(DEADLINE / 2, served.running.shutdown(DEADLINE)).await;
    assert_eq!(ended, Ok(true));
}

#[tokio::test]
async fn what_outlives_the_grace_is_cut() {
    let served = Application::with_guest("").start().await;
    let (mut sender, body) = open_body();
    let request = served.client.post(served.url("/echo")).body(body);
    sender.send(Ok("before".into())).await.unwrap();
    let mut response = request.timeout(DEADLINE).send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "before");
    assert!(!served.running.shutdown(Duration::from_millis(50)).await);
    assert!(response.chunk().await.is_err(), "the response ended as if it were whole");
}
