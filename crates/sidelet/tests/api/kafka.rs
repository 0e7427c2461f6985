//! Pub/sub over a real Kafka: what holds over the log in a file holds here too.

mod faults;
mod operate;
mod secure;
mod settings;
mod topics;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::response::IntoResponse;
use backends::Kafka;
use serde_json::{Value, json};

use crate::harness::{App, Place, Sidecar, app::answer, eventually, subscription};

/// A component over this broker, with more lines of metadata.
pub(crate) fn component(brokers: &str, metadata: &[(&str, &str)]) -> String {
    let mut text = format!(
        "
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: pubsub
spec:
  type: pubsub.kafka
  version: v1
  metadata:
    - name: brokers
      value: '{brokers}'
"
    );
    for (name, value) in metadata {
        text.push_str(&format!("    - name: {name}\n      value: {}\n", Value::from(*value)));
    }
    text
}

/// One subscription of this name to the topic of this name.
pub(crate) fn subscribed(topic: &str, dead_letters: &str) -> String {
    subscription(topic, topic, "/events/task", dead_letters)
}

/// A place with that subscription over the broker that all tests share.
pub(crate) async fn place(name: &str, dead_letters: &str, app: &App) -> Place {
    let kafka = Kafka::shared().await.unwrap();
    let mut place = Place::new(&format!("{}{}", component(&kafka.brokers(), &[]), subscribed(name, dead_letters)));
    place.serve(app);
    place
}

/// The numbers that came, by key.
pub(crate) fn by_key(app: &App) -> HashMap<String, Vec<i64>> {
    let mut all: HashMap<String, Vec<i64>> = HashMap::new();
    for delivered in app.delivered() {
        let data = delivered.data();
        all.entry(data["key"].as_str().unwrap().into()).or_default().push(data["number"].as_i64().unwrap());
    }
    all
}

#[tokio::test]
async fn what_is_published_comes_in_order_with_its_envelope_and_headers() {
    let app = App::start().await;
    let place = place("kafka-order", "", &app).await;
    let sidecar = place.start().await;
    for number in 0..20 {
        for key in ["a", "b", "c"] {
            sidecar.api.publish("kafka-order", key, number).await;
        }
    }
    app.wait_for(60).await;
    assert!(by_key(&app).values().all(|numbers| *numbers == (0..20).collect::<Vec<_>>()), "{:?}", by_key(&app));
    let path = "/v1.0/publish/pubsub/kafka-order?metadata.partitionKey=k&metadata.ttlInSeconds=60&metadata.own=x";
    assert_eq!(sidecar.api.post(path, json!({"key": "k", "number": 1}).to_string()).await.status, 204);
    let all = app.wait_for(61).await;
    let last = &all[60];
    assert_eq!(last.headers["content-type"], "application/cloudevents+json");
    assert_eq!(last.event["topic"], "kafka-order");
    assert!(last.event["expiration"].is_string());
    let header = |name: &str| last.headers[name].to_str().unwrap().to_owned();
    assert_eq!((header("__key"), header("own"), header("ttlinseconds")), ("k".into(), "x".into(), "60".into()));
    assert_eq!((header("__topic"), header("pubsubname")), ("kafka-order".into(), "pubsub".into()));
    assert!(header("__partition").parse::<u32>().is_ok() && header("__offset").parse::<u64>().is_ok());
    sidecar.stop().await;
}

#[tokio::test]
async fn a_group_goes_on_where_it_was_after_a_restart() {
    let app = App::start().await;
    let place = place("kafka-restart", "", &app).await;
    for round in 0..3 {
        let sidecar = place.start().await;
        for number in 0..10 {
            sidecar.api.publish("kafka-restart", "a", round * 10 + number).await;
        }
        app.wait_for(usize::try_from(round * 10 + 10).unwrap()).await;
        sidecar.stop().await;
    }
    assert_eq!(by_key(&app)["a"], (0..30).collect::<Vec<_>>(), "each once");
}

#[tokio::test]
async fn a_failing_message_holds_up_its_key_alone_and_what_is_finished_beyond_it_does_not_come_again() {
    let fails = Arc::new(AtomicBool::new(true));
    let app = App::answering({
        let fails = fails.clone();
        move |delivered| {
            let stubborn = delivered.data()["key"] == "stubborn" && fails.load(Ordering::SeqCst);
            answer(if stubborn { 500 } else { 200 }, "").into_response()
        }
    })
    .await;
    let place = place("kafka-stubborn", "", &app).await;
    let sidecar = place.start().await;
    sidecar.api.publish("kafka-stubborn", "stubborn", 0).await;
    sidecar.api.publish("kafka-stubborn", "stubborn", 1).await;
    for number in 0..50 {
        for key in ["a", "b", "c", "d"] {
            sidecar.api.publish("kafka-stubborn", key, number).await;
        }
    }
    let all = |key: &str| by_key(&app).remove(key).unwrap_or_default();
    eventually("the others", async || ["a", "b", "c", "d"].iter().all(|key| all(key).len() == 50).then_some(())).await;
    sidecar.stop().await;
    fails.store(false, Ordering::SeqCst);
    let sidecar = place.start().await;
    eventually("the stubborn ones", async || all("stubborn").ends_with(&[0, 1]).then_some(())).await;
    sidecar.stop().await;
    for key in ["a", "b", "c", "d"] {
        assert_eq!(all(key), (0..50).collect::<Vec<_>>(), "each once, although the committed offset is below them");
    }
}

#[tokio::test]
async fn a_partition_that_was_paused_when_it_went_is_read_when_it_comes_back() {
    let mut app = App::absent(|_| ().into_response());
    let place = place("kafka-paused", "", &app).await;
    let away = async |sidecar: &Sidecar| {
        eventually("the group to know that its app is away", async || {
            let groups = sidecar.api.get("/sidelet/v1/groups").await.json();
            (groups[0]["state"] == "app-away").then_some(())
        })
        .await;
    };
    let first = place.start().await;
    let keys: Vec<String> = (0..30).map(|key| format!("k{key}")).collect();
    let publish = async |number| {
        for key in &keys {
            first.api.publish("kafka-paused", key, number).await;
        }
    };
    publish(0).await;
    away(&first).await;
    // Some of its partitions go to the second one, which so finds the app away, too.
    let second = place.start().await;
    away(&second).await;
    app.listen().await;
    let came = async |number| {
        eventually("a message of each key", async || {
            let numbers = by_key(&app);
            keys.iter().all(|key| numbers.get(key).is_some_and(|all| all.contains(&number))).then_some(())
        })
        .await;
    };
    came(0).await;
    second.stop().await;
    publish(1).await;
    came(1).await;
    first.stop().await;
}

#[tokio::test]
async fn an_app_that_is_not_there_is_waited_for() {
    let mut app = App::absent(|_| ().into_response());
    let place = place("kafka-absent", "kafka-absent-dlq", &app).await;
    let sidecar = place.start().await;
    for number in 0..50 {
        sidecar.api.publish("kafka-absent", "a", number).await;
    }
    eventually("the group to know", async || {
        let groups = sidecar.api.get("/sidelet/v1/groups").await.json();
        (groups[0]["state"] == "app-away").then_some(())
    })
    .await;
    app.listen().await;
    app.wait_for(50).await;
    assert_eq!(by_key(&app)["a"], (0..50).collect::<Vec<_>>());
    sidecar.stop().await;
}

#[tokio::test]
async fn a_topic_that_kafka_cannot_have_is_refused_by_name_and_the_others_are_served() {
    let app = App::start().await;
    let kafka = Kafka::shared().await.unwrap();
    let mut place = Place::new(&format!(
        "{}{}{}",
        component(&kafka.brokers(), &[]),
        subscription("bad", "no/topic", "/x", ""),
        subscription("good", "kafka-good", "/events/task", "")
    ));
    place.serve(&app);
    let sidecar = place.start().await;
    sidecar.api.publish("kafka-good", "a", 1).await;
    app.wait_for(1).await;
    let refused = sidecar.api.post("/v1.0/publish/pubsub/no/topic", "1").await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "ERR_PUBSUB_PUBLISH_MESSAGE"), "{refused:?}");
    sidecar.stop().await;
}
