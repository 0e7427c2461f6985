//! What a component's file says, and what an idle sidecar costs.

use backends::Kafka;
use serde_json::json;

use super::{by_key, component, subscribed};
use crate::harness::{App, Place, Process, eventually, subscription_with};

#[tokio::test]
async fn what_the_file_says_wrong_is_refused_by_name() {
    for (metadata, expected) in [
        (("authType", "oidc"), "`authType` is `oidc`; expected `none`, `password` or `mtls`"),
        (("authType", "password"), "`saslUsername` is missing"),
        (("authType", "mtls"), "`clientCert` is missing"),
        (("saslMechanism", "GSSAPI"), "`saslMechanism` is `GSSAPI`"),
        (("initialOffset", "latest"), "expected `newest` or `oldest`"),
        (("caCert", "secret text"), "`caCert` is of another form; expected PEM"),
        (("consumerGroup", "{podName}"), "`consumerGroup` is `{podName}`"),
        (("sessionTimeout", "3s"), "expected twice the `heartbeatInterval`"),
        (("compression", "zstd"), "`compression` is `zstd`"),
        (("schemaRegistryURL", "http://x"), "`schemaRegistryURL` is not known"),
    ] {
        let place = Place::new(&component("127.0.0.1:1", &[metadata]));
        let error = sidelet::start(place.config()).await.unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("pubsub"), "{error}");
    }
    let place = Place::new(&component("nowhere", &[]));
    let error = sidelet::start(place.config()).await.unwrap_err().to_string();
    assert!(error.contains("`brokers` is `nowhere`; expected `host:port`"), "{error}");
}

#[tokio::test]
async fn without_a_broker_the_sidecar_starts_and_says_that_it_is_away() {
    let app = App::start().await;
    let mut place = Place::new(&format!("{}{}", component("127.0.0.1:1", &[]), subscribed("t", "")));
    place.serve(&app);
    let sidecar = place.start().await;
    let refused = sidecar.api.post("/v1.0/publish/pubsub/t", "1").await;
    assert_eq!((refused.status, refused.header("retry-after").is_empty()), (503, false), "{refused:?}");
    assert_eq!(sidecar.api.get("/v1.0/healthz").await.status, 204);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_new_group_has_an_offset_at_once_and_begins_where_the_file_says() {
    let kafka = Kafka::shared().await.unwrap();
    let app = App::start().await;
    let start = async |offset: &str, group: &str| {
        let metadata = [("initialOffset", offset), ("consumerGroup", group)];
        let mut place =
            Place::new(&format!("{}{}", component(&kafka.brokers(), &metadata), subscribed("kafka-begin", "")));
        place.serve(&app);
        place.start().await
    };
    let behind = async |api: &crate::harness::Api, group: &str| {
        let groups = api.get("/sidelet/v1/groups").await.json();
        groups.as_array()?.iter().find(|found| found["group"] == group)?["behind"].as_i64()
    };
    let sidecar = start("newest", "first-{appID}").await;
    eventually("an offset", async || behind(&sidecar.api, "first-todo").await.filter(|behind| *behind == 0)).await;
    sidecar.api.publish("kafka-begin", "a", 1).await;
    app.wait_for(1).await;
    sidecar.stop().await;
    let sidecar = start("newest", "second").await;
    eventually("an offset", async || behind(&sidecar.api, "second").await).await;
    sidecar.api.publish("kafka-begin", "a", 2).await;
    app.wait_for(2).await;
    sidecar.stop().await;
    let sidecar = start("oldest", "third").await;
    app.wait_for(4).await;
    sidecar.stop().await;
    assert_eq!(by_key(&app)["a"], [1, 2, 1, 2]);
}

#[tokio::test]
async fn bulk_calls_and_bulk_publishes_keep_the_order_and_long_messages_are_refused() {
    let app = App::start().await;
    let kafka = Kafka::shared().await.unwrap();
    let bulk = "  routes:\n    default: /bulk\n  bulkSubscribe:\n    enabled: true\n    maxMessagesCount: 20\n    maxAwaitDurationMs: 50";
    let resources = component(&kafka.brokers(), &[("maxMessageBytes", "20000")]);
    let mut place = Place::new(&format!("{resources}{}", subscription_with("bulk", "kafka-bulk", bulk)));
    place.serve(&app);
    let sidecar = place.start().await;
    let entry = |number: usize| {
        json!({
            "entryId": number.to_string(),
            "event": {"key": number % 7, "number": number},
            "contentType": "application/json",
            "metadata": {"partitionKey": (number % 7).to_string()},
        })
    };
    let body = json!((0..100).map(entry).collect::<Vec<_>>()).to_string();
    let answer = sidecar.api.post("/v1.0/publish/bulk/pubsub/kafka-bulk", body).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    let came = |app: &App| {
        let calls = app.delivered().into_iter().map(|call| call.event["entries"].as_array().unwrap().clone());
        calls.flatten().map(|entry| entry["event"]["data"].clone()).collect::<Vec<_>>()
    };
    // The app's empty answer is no answer to many, so all come again; each key begins with its first all the same.
    eventually("all of them", async || (came(&app).len() >= 7).then_some(())).await;
    for key in 0..7 {
        let first = came(&app).into_iter().find(|data| data["key"] == key).unwrap();
        assert_eq!(first["number"], key);
    }
    let long = sidecar.api.post("/v1.0/publish/pubsub/kafka-bulk", format!("\"{}\"", "x".repeat(30_000))).await;
    assert_eq!((long.status, long.code().as_str()), (400, "ERR_PUBSUB_PUBLISH_MESSAGE"), "{long:?}");
    sidecar.stop().await;
}

#[tokio::test]
async fn eight_groups_that_wait_need_little_memory() {
    let kafka = Kafka::shared().await.unwrap();
    let app = App::start().await;
    let mut resources = component(&kafka.brokers(), &[]);
    for number in 0..8 {
        resources.push_str(&subscribed(&format!("kafka-idle-{number}"), ""));
    }
    let mut place = Place::new(&resources);
    place.serve(&app);
    let process = Process::start(&place);
    for number in 0..8 {
        process.api.publish(&format!("kafka-idle-{number}"), "a", number).await;
    }
    app.wait_for(8).await;
    let memory = process.resident() >> 10;
    println!("8 groups and a producer over Kafka: {memory} KiB");
    assert!(memory < 48 << 10, "{memory} KiB");
    process.kill();
}
