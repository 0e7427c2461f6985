use futures::SinkExt;

use super::support::{Application, DEADLINE, open_body, until};
use super::upstream::Upstream;

#[tokio::test]
async fn the_first_byte_arrives_before_the_last_is_sent() {
    let upstream = Upstream::start().await;
    let served = Application::with_guest("allowed_outbound_hosts = [\"http://127.0.0.1:*\"]").start().await;
    for path in ["/echo", "/proxy"] {
        let (mut sender, body) = open_body();
        let request =
            served.client.post(served.url(path)).header("x-url", upstream.url("/echo")).timeout(DEADLINE).body(body);
        sender.send(Ok("first".into())).await.unwrap();
        let mut response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.chunk().await.unwrap().unwrap(), "first", "{path}");
        sender.send(Ok("second".into())).await.unwrap();
        assert_eq!(response.chunk().await.unwrap().unwrap(), "second", "{path}");
        drop(sender);
        assert_eq!(response.chunk().await.unwrap(), None, "{path}");
    }
    served.idle().await;
}

#[tokio::test]
async fn large_bodies_pass_whole() {
    let served = Application::with_guest("").start().await;
    let body = "0123456789abcdef".repeat(1 << 18);
    let request = served.client.post(served.url("/echo")).body(body.clone());
    let echoed = request.timeout(DEADLINE).send().await.unwrap();
    assert_eq!(echoed.bytes().await.unwrap(), body);
}

#[tokio::test]
async fn a_trap_in_the_middle_cuts_the_response() {
    let served = Application::with_guest("").start().await;
    let (mut sender, body) = open_body();
    let request = served.client.post(served.url("/trap-late")).body(body);
    let mut response = request.timeout(DEADLINE).send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "first\n");
    sender.send(Ok("now".into())).await.unwrap();
    assert!(response.chunk().await.is_err(), "the response ended as if it were whole");
    served.idle().await;
}

#[tokio::test]
async fn a_client_that_goes_stops_the_guest_and_its_requests() {
    let upstream = Upstream::start().await;
    let served = Application::with_guest("allowed_outbound_hosts = [\"http://127.0.0.1:*\"]").start().await;
    // Before the response has begun.
    let request = served.client.get(served.url("/proxy"));
    let waiting = tokio::spawn(request.header("x-url", upstream.url("/never")).send());
    until("the guest calls", || upstream.open() == 1).await;
    waiting.abort();
    served.idle().await;
    until("the call is gone", || upstream.open() == 0).await;
    // In the middle of the response.
    let request = served.client.get(served.url("/proxy"));
    let request = request.header("x-url", upstream.url("/pause"));
    let mut response = request.send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "first\n");
    assert_eq!(served.running.instances(), 1);
    drop(response);
    served.idle().await;
}
