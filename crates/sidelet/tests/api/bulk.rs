//! Many messages with one call.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::harness::{
    App, COMPONENTS, Place, Process,
    app::{Delivered, answer},
    eventually, subscription, subscription_with,
};

fn bulk(count: usize, wait: usize, more: &str) -> String {
    let spec = format!(
        "  routes: {{default: /bulk}}\n  bulkSubscribe: {{enabled: true, maxMessagesCount: {count}, maxAwaitDurationMs: {wait}}}\n{more}"
    );
    subscription_with("bulk", "t", &spec)
}

/// Answers with a status for each entry.
fn statuses(delivered: &Delivered, status: impl Fn(&Value) -> &'static str) -> Response {
    let entries = delivered.event["entries"].as_array().unwrap();
    let statuses: Vec<_> = entries
        .iter()
        .map(|entry| json!({"entryId": entry["entryId"], "status": status(&entry["event"]["data"])}))
        .collect();
    json!({ "statuses": statuses }).to_string().into_response()
}

/// The data of all entries that came, in the order in which they came.
fn all(app: &App) -> Vec<Value> {
    let bulks = app.delivered().into_iter().filter(|delivered| delivered.route == "/bulk");
    bulks
        .flat_map(|delivered| delivered.event["entries"].as_array().unwrap().clone())
        .map(|entry| entry["event"]["data"].clone())
        .collect()
}

async fn publish_many(api: &crate::harness::Api, keys: usize, count: i64) {
    let entries: Vec<_> = (0..count)
        .map(|number| {
            let key = format!("k{}", usize::try_from(number).unwrap() % keys);
            json!({"entryId": number.to_string(), "event": {"key": key, "number": number},
                "contentType": "application/json", "metadata": {"partitionKey": key}})
        })
        .collect();
    assert_eq!(api.post("/v1.0/publish/bulk/pubsub/t", json!(entries).to_string()).await.status, 204);
}

#[tokio::test]
async fn one_call_brings_many_in_daprs_form() {
    let app = App::answering(|delivered| statuses(delivered, |_| "SUCCESS")).await;
    let mut place = Place::new(&format!("{COMPONENTS}{}", bulk(5, 60_000, "")));
    place.serve(&app);
    let sidecar = place.start().await;
    // A full call goes out at once, however long others might be waited for.
    publish_many(&sidecar.api, 10, 10).await;
    let delivered = app.wait_for(2).await;
    for message in &delivered {
        assert_eq!(message.headers["content-type"], "application/json");
        assert_eq!(message.headers["pubsubname"], "pubsub");
        let body = &message.event;
        assert_eq!(body["entries"].as_array().unwrap().len(), 5);
        assert_eq!((&body["type"], &body["topic"]), (&json!("com.dapr.event.sent.bulk"), &json!("t")));
        assert_eq!((&body["pubsubname"], &body["metadata"]["pubsubName"]), (&json!("pubsub"), &json!("pubsub")));
        assert!(body["id"].is_string());
        let entry = &body["entries"][0];
        assert_eq!(entry["contentType"], "application/cloudevents+json");
        assert_eq!((&entry["event"]["specversion"], &entry["event"]["topic"]), (&json!("1.0"), &json!("t")));
        assert_eq!(entry["metadata"]["partitionKey"], entry["event"]["data"]["key"]);
    }
    sidecar.stop().await;
    assert_eq!(all(&app).len(), 10);
}

#[tokio::test]
async fn a_call_that_is_not_full_waits_no_longer_than_it_may() {
    let app = App::answering(|delivered| statuses(delivered, |_| "SUCCESS")).await;
    let mut place = Place::new(&format!("{COMPONENTS}{}", bulk(100, 50, "")));
    place.serve(&app);
    let sidecar = place.start().await;
    sidecar.api.publish("t", "k", 1).await;
    app.wait_for(1).await;
    sidecar.stop().await;
}

#[tokio::test]
async fn each_entry_has_its_own_fate_and_a_key_keeps_its_order() {
    let tries = Arc::new(AtomicUsize::new(0));
    let app = App::answering({
        let tries = tries.clone();
        move |delivered| {
            if delivered.route == "/letters" {
                return ().into_response();
            }
            statuses(delivered, |data| match data["number"].as_i64().unwrap() {
                // The first of `k0` is taken at the third try.
                0 if tries.fetch_add(1, Ordering::SeqCst) < 2 => "RETRY",
                1 => "DROP",
                _ => "SUCCESS",
            })
        }
    })
    .await;
    let letters = subscription("letters", "t-dlq", "/letters", "");
    let mut place = Place::new(&format!("{COMPONENTS}{}{letters}", bulk(4, 20, "  deadLetterTopic: t-dlq")));
    place.serve(&app);
    let sidecar = place.start().await;
    publish_many(&sidecar.api, 4, 40).await;
    eventually("all entries", async || {
        (all(&app).len() == 42 && app.delivered().iter().any(|delivered| delivered.route == "/letters")).then_some(())
    })
    .await;
    sidecar.stop().await;
    for key in 0..4 {
        let numbers: Vec<_> = all(&app)
            .iter()
            .filter(|data| data["key"] == format!("k{key}"))
            .map(|data| data["number"].as_i64().unwrap())
            .collect();
        let mut once = numbers.clone();
        once.dedup();
        assert_eq!(once, (0..10).map(|index| index * 4 + key).collect::<Vec<_>>(), "{numbers:?}");
        assert_eq!(numbers.len(), if key == 0 { 12 } else { 10 }, "nothing else is repeated");
    }
    let letters: Vec<_> = app.delivered().into_iter().filter(|delivered| delivered.route == "/letters").collect();
    assert_eq!((letters.len(), letters[0].data()["number"].as_i64()), (1, Some(1)));
    assert_eq!(letters[0].headers["deadletterreason"], "the app answered DROP");
}

#[tokio::test]
async fn an_answer_without_statuses_is_a_failure_of_all() {
    let healed = Arc::new(AtomicBool::new(false));
    let app = App::answering({
        let healed = healed.clone();
        move |delivered| {
            if healed.load(Ordering::SeqCst) { statuses(delivered, |_| "SUCCESS") } else { answer(200, "") }
        }
    })
    .await;
    let mut place = Place::new(&format!("{COMPONENTS}{}", bulk(10, 20, "")));
    place.serve(&app);
    let process = Process::start(&place);
    publish_many(&process.api, 10, 10).await;
    app.wait_for(2).await;
    // A kill between changes nothing: all of them come again.
    process.kill();
    let before = all(&app).len();
    healed.store(true, Ordering::SeqCst);
    let process = Process::start(&place);
    eventually("all entries again", async || (all(&app).len() == before + 10).then_some(())).await;
    assert_eq!(process.terminate().await.code(), Some(0));
    assert_eq!(all(&app).len(), before + 10);
}

#[tokio::test]
async fn raw_bytes_go_as_base64() {
    let app = App::answering(|delivered| statuses(delivered, |_| "SUCCESS")).await;
    let mut place = Place::new(&format!("{COMPONENTS}{}", bulk(1, 20, "  metadata: {rawPayload: 'true'}")));
    place.serve(&app);
    let sidecar = place.start().await;
    assert_eq!(sidecar.api.post("/v1.0/publish/pubsub/t?metadata.rawPayload=true", "raw").await.status, 204);
    let entry = app.wait_for(1).await[0].event["entries"][0].clone();
    assert_eq!((&entry["event"], &entry["contentType"]), (&json!("cmF3"), &json!("application/octet-stream")));
    sidecar.stop().await;
}
