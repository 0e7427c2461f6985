//! A transaction and its events are one.

use crate::harness::{App, Place};
use serde_json::json;

#[tokio::test]
async fn each_projection_is_one_event_in_order() {
    let app = App::start().await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    let mut operations = vec![json!({
        "operation": "upsert",
        "request": {"key": "tasks/u", "value": {"head": 1}, "metadata": {"outbox.skip": "true"}},
    })];
    for number in 0..5 {
        operations.push(json!({
            "operation": "upsert",
            "request": {
                "key": format!("tasks/u/event/{number}"),
                "value": {"number": number},
                "metadata": {
                    "outbox.projection": "true",
                    "contentType": "application/json",
                    "partitionKey": "u",
                    "cloudevent.id": format!("event-{number}"),
                },
            },
        }));
    }
    let body = json!({ "operations": operations }).to_string();
    let answer = sidecar.api.post("/v1.0/state/statestore/transaction", body).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    let delivered = app.wait_for(5).await;
    let numbers: Vec<_> = delivered.iter().map(|event| event.data()["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
    let first = &delivered[0];
    assert_eq!(first.route, "/events/task");
    assert_eq!(first.headers["content-type"], "application/cloudevents+json");
    assert_eq!(first.headers["pubsubname"], "pubsub");
    assert_eq!(first.headers["partitionkey"], "u");
    assert_eq!(first.headers["__key"], "u");
    assert_eq!(first.event["id"], "event-0");
    assert_eq!(first.event["source"], "todo");
    assert_eq!(first.event["topic"], "task-events");
    assert_eq!(sidecar.api.get("/v1.0/state/statestore/tasks%2Fu").await.json(), json!({"head": 1}));
    assert_eq!(sidecar.api.get("/v1.0/state/statestore/tasks%2Fu%2Fevent%2F0").await.status, 204);
    sidecar.stop().await;
}
