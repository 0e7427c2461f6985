//! What is published arrives as daprd would bring it.

use serde_json::json;

use crate::harness::{Answer, App, Place};

#[tokio::test]
async fn the_envelope_and_the_headers_are_daprds() {
    let app = App::start().await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let path = "/v1.0/publish/pubsub/task-events?metadata.ttlInSeconds=60&metadata.partitionKey=u%201&metadata.cloudevent.type=mine";
    let request = sidecar.api.client.put(format!("{}{path}", sidecar.api.address)).header("traceparent", trace);
    let request = request.header("content-type", "application/json").body(r#"{"a":1}"#);
    let answer = Answer::read(request.send().await.unwrap()).await;
    assert_eq!((answer.status, answer.header("traceparent").as_str()), (204, trace));
    let delivered = &app.wait_for(1).await[0];
    for (name, value) in [
        ("content-type", "application/cloudevents+json"),
        ("pubsubname", "pubsub"),
        ("traceparent", trace),
        ("ttlinseconds", "60"),
        ("partitionkey", "u 1"),
        ("cloudevent.type", "mine"),
        ("__topic", "task-events"),
        ("__key", "u 1"),
        ("__offset", "0"),
    ] {
        assert_eq!(delivered.headers.get(name).map(|value| value.to_str().unwrap()), Some(value), "{name}");
    }
    let event = &delivered.event;
    assert_eq!(event["data"], json!({"a": 1}));
    assert_eq!((&event["type"], &event["source"]), (&json!("mine"), &json!("todo")));
    assert_eq!((&event["traceid"], &event["traceparent"]), (&json!(trace), &json!(trace)));
    assert!(event["expiration"].is_string() && event["id"].is_string() && event["time"].is_string());
    sidecar.stop().await;
}

#[tokio::test]
async fn wrong_publishes_get_daprs_codes() {
    let app = App::start().await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    let api = &sidecar.api;
    for (path, content_type, body, status, code) in [
        ("/v1.0/publish/absent/t", "text/plain", "", 404, "ERR_PUBSUB_NOT_FOUND"),
        ("/v1.0/publish/pubsub", "text/plain", "", 404, "ERR_DIRECT_INVOKE"),
        ("/v1.0/publish/pubsub/", "text/plain", "", 404, "ERR_DIRECT_INVOKE"),
        ("/v1.0/publish/pubsub/t", "application/cloudevents+json", "no", 500, "ERR_PUBSUB_CLOUD_EVENTS_SER"),
        ("/v1.0/publish/pubsub/t?metadata.rawPayload=zzz", "text/plain", "", 400, "ERR_PUBSUB_REQUEST_METADATA"),
    ] {
        let request = api.client.post(format!("{}{path}", api.address)).header("content-type", content_type).body(body);
        let answer = Answer::read(request.send().await.unwrap()).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}");
    }
    for (body, status) in [
        (
            r#"[{"entryId":"1","event":{},"contentType":"application/json"},{"entryId":"1","event":{},"contentType":"application/json"}]"#,
            400,
        ),
        (r#"[{"event":{},"contentType":"application/json"}]"#, 400),
        (r#"[{"entryId":"1","event":{}}]"#, 400),
        (r#"[{"entryId":"1","event":{},"contentType":"text/plain"}]"#, 400),
        ("[]", 204),
    ] {
        assert_eq!(api.post("/v1.0/publish/bulk/pubsub/t", body).await.status, status, "{body}");
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn a_bulk_publish_arrives_in_order() {
    let app = App::start().await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    for path in ["/v1.0/publish/bulk/pubsub/task-events", "/v1.0-alpha1/publish/bulk/pubsub/task-events"] {
        let entries: Vec<_> = (0..10)
            .map(|number| {
                json!({
                    "entryId": number.to_string(),
                    "event": {"number": number},
                    "contentType": "application/json",
                    "metadata": {"partitionKey": "u"},
                })
            })
            .collect();
        let answer = sidecar.api.post(path, json!(entries).to_string()).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }
    let delivered = app.wait_for(20).await;
    let numbers: Vec<_> = delivered.iter().map(|event| event.data()["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (0..10).chain(0..10).collect::<Vec<_>>());
    sidecar.stop().await;
}

#[tokio::test]
async fn a_raw_payload_is_delivered_as_it_is() {
    let app = App::start().await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    let answer = sidecar.api.post("/v1.0/publish/pubsub/task-events?metadata.rawPayload=true", r#"{"raw":1}"#).await;
    assert_eq!(answer.status, 204);
    assert_eq!(app.wait_for(1).await[0].event, json!({"raw": 1}));
    sidecar.stop().await;
}
