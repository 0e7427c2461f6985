//! The sidecar as KEDA's external push scaler: real gRPC, with messages written down here once more.

mod client;
mod replicas;

use std::time::{Duration, Instant};

use serde_json::json;
use tonic::Code;

use crate::{
    harness::{App, COMPONENTS, DEADLINE, Place, Process, eventually, subscription_with},
    kafka,
};
use client::Keda;

/// The apps `a` and `b`, each with a subscription of its own to a topic of its own.
fn place(a: &App, b: &App) -> Place {
    let subscribed = |app: &str| {
        let spec = format!("  routes:\n    default: /events/{app}\nscopes: [{app}]");
        subscription_with(app, &format!("events-{app}"), &spec)
    };
    let mut place = Place::new(&format!("{COMPONENTS}{}{}", subscribed("a"), subscribed("b")));
    for (id, app) in [("a", a), ("b", b)] {
        place.apps.insert(id.into(), sidelet::AppAddress::parse(&app.address()).unwrap());
    }
    place
}

fn absent() -> App {
    App::absent(|_| crate::harness::app::answer(200, ""))
}

#[tokio::test]
async fn the_first_event_is_told_at_once_and_that_it_was_taken() {
    let (mut a, b) = (absent(), absent());
    let sidecar = place(&a, &b).start().await;
    let keda = Keda::of(&sidecar);
    let (mut of_a, mut of_b) = (keda.stream(&[("app", "a")]).await, keda.stream(&[("app", "b")]).await);
    assert_eq!((of_a.next().await, of_b.next().await), (Some(false), Some(false)));
    let begin = Instant::now();
    sidecar.api.publish("events-a", "k", 1).await;
    assert_eq!(of_a.next().await, Some(true));
    println!("from the publish to the push: {:?}", begin.elapsed());
    assert!(keda.is_active(&[("app", "a")]).await);
    // Nobody is there to take it: it stays so, and is nobody else's.
    assert!(of_a.says_nothing_for(Duration::from_secs(2)).await);
    assert!(!keda.is_active(&[("app", "b")]).await);
    assert_eq!(keda.metric(&[("app", "a")]).await, ("sidelet-a".into(), 1));
    a.listen().await;
    a.wait_for(1).await;
    assert_eq!(of_a.next().await, Some(false));
    assert_eq!(keda.metric(&[("app", "a")]).await.1, 0);
    assert!(of_b.says_nothing_for(Duration::ZERO).await);
    // A sidecar that ends ends its streams.
    sidecar.stop().await;
    assert_eq!((of_a.next().await, of_b.next().await), (None, None));
}

#[tokio::test]
async fn a_start_wakes_those_apps_alone_for_which_something_was_left() {
    let (a, b) = (absent(), absent());
    let place = place(&a, &b);
    let sidecar = place.start().await;
    for number in 0..30 {
        sidecar.api.publish("events-a", &number.to_string(), number).await;
    }
    sidecar.stop().await;
    let sidecar = place.start().await;
    let keda = Keda::of(&sidecar);
    eventually("the push", async || keda.stream(&[("app", "a")]).await.next().await.filter(|active| *active)).await;
    assert_eq!(keda.stream(&[("app", "b")]).await.next().await, Some(false));
    let metadata = [("app", "a"), ("topic", "events-a"), ("lagThreshold", "5")];
    assert_eq!(keda.spec(&metadata).await, ("sidelet-a-events-a".into(), 5));
    assert_eq!(keda.metric(&metadata).await, ("sidelet-a-events-a".into(), 30));
    sidecar.stop().await;
}

#[tokio::test]
async fn a_job_that_is_due_wakes_its_app_and_counts_for_no_topic() {
    let (mut a, b) = (absent(), absent());
    let sidecar = place(&a, &b).start().await;
    let keda = Keda::of(&sidecar);
    let mut of_a = keda.stream(&[("app", "a")]).await;
    let mut of_topic = keda.stream(&[("app", "a"), ("topic", "events-a")]).await;
    assert_eq!((of_a.next().await, of_topic.next().await), (Some(false), Some(false)));
    let job = json!({ "dueTime": "300ms", "data": 1 }).to_string();
    assert_eq!(sidecar.api.post("/v1.0/jobs/wake", job).await.status, 204);
    let begin = Instant::now();
    assert_eq!(of_a.next().await, Some(true));
    assert!(begin.elapsed() >= Duration::from_millis(200), "not before its time");
    assert_eq!(keda.metric(&[("app", "a")]).await.1, 1);
    a.listen().await;
    assert_eq!(a.wait_for(1).await[0].route, "/job/wake");
    assert_eq!(of_a.next().await, Some(false));
    assert!(of_topic.says_nothing_for(Duration::ZERO).await);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_subscription_that_comes_later_is_listened_to() {
    let (a, b) = (absent(), absent());
    let place = place(&a, &b);
    let sidecar = place.start().await;
    let mut of_b = Keda::of(&sidecar).stream(&[("app", "b")]).await;
    assert_eq!(of_b.next().await, Some(false));
    let spec = "  routes:\n    default: /late\nscopes: [b]";
    place.write("late.yaml", &subscription_with("late", "late", spec));
    sidecar.running.reload().await;
    sidecar.api.publish("late", "k", 1).await;
    assert_eq!(of_b.next().await, Some(true));
    sidecar.stop().await;
}

#[tokio::test]
async fn metadata_that_cannot_be_served_are_refused_with_what_to_do() {
    let (a, b) = (absent(), absent());
    let sidecar = place(&a, &b).start().await;
    let keda = Keda::of(&sidecar);
    for (metadata, expected) in [
        (&[][..], "no `app`; set it to one of `a`, `b`"),
        (&[("app", "c")], "set it to one of `a`, `b`"),
        (&[("app", "a"), ("topic", "events-b")], "set it to one of `events-a`"),
        (&[("app", "a"), ("lagThreshold", "many")], "expected a whole number from 1 on"),
        (&[("app", "a"), ("lagThreshold", "0")], "expected a whole number from 1 on"),
    ] {
        let status = keda.refused(metadata).await;
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains(expected), "{status:?}");
    }
    assert_eq!(keda.unknown_call().await.code(), Code::Unimplemented);
    sidecar.stop().await;
}

#[tokio::test]
async fn the_command_serves_it_on_the_port_that_it_is_told_and_nowhere_else() {
    let (a, b) = (absent(), absent());
    let place = place(&a, &b);
    // It was free a moment ago; nobody else on this machine asks for a certain one.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let process = Process::spawn(Process::command(&place).args(["--scaler-port", &port.to_string()]));
    let mut of_a = Keda::at(&format!("http://127.0.0.1:{port}")).stream(&[("app", "a")]).await;
    assert_eq!(of_a.next().await, Some(false));
    process.api.publish("events-a", "k", 1).await;
    assert_eq!(of_a.next().await, Some(true));
    assert_eq!(process.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn on_kafka_what_waits_for_an_app_is_counted_until_it_is_committed() {
    let mut app = absent();
    let place = kafka::place("kafka-scaler", "", &app).await;
    let sidecar = place.start().await;
    let keda = Keda::of(&sidecar);
    let metadata = [("app", "todo"), ("topic", "kafka-scaler")];
    let mut of_todo = keda.stream(&metadata).await;
    assert_eq!(of_todo.next().await, Some(false));
    for number in 0..20 {
        sidecar.api.publish("kafka-scaler", &number.to_string(), number).await;
    }
    assert_eq!(of_todo.next().await, Some(true));
    eventually("the count", async || (keda.metric(&metadata).await.1 == 20).then_some(())).await;
    app.listen().await;
    app.wait_for(20).await;
    assert_eq!(tokio::time::timeout(DEADLINE, of_todo.next()).await.unwrap(), Some(false));
    eventually("the commit", async || (keda.metric(&metadata).await.1 == 0).then_some(())).await;
    assert!(!keda.is_active(&metadata).await);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_broker_that_cannot_be_asked_is_told_and_is_no_idle_app() {
    let app = absent();
    // Nobody listens there.
    let broker = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut place = Place::new(&format!("{}{}", kafka::component(&broker, &[]), kafka::subscribed("t", "")));
    place.serve(&app);
    let sidecar = place.start().await;
    let refusal = Keda::of(&sidecar).unread(&[("app", "todo")]).await;
    assert_eq!(refusal.code(), Code::Unavailable);
    assert!(refusal.message().contains("how far `todo` is behind could not be read"), "{refusal:?}");
    sidecar.stop().await;
}
