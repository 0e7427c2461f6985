//! Bulk publish and bulk subscribe.

use serde_json::{Value, json};

use crate::case::Case;

const BULK: &str = "/v1.0/publish/bulk/pubsub/{case}";

fn entry(id: &str, event: Value, kind: &str) -> Value {
    json!({ "entryId": id, "event": event, "contentType": kind })
}

pub(super) fn cases() -> Vec<Case> {
    let json_kind = "application/json";
    let both = || json!([entry("1", json!({ "n": 1 }), json_kind), entry("2", json!("two"), "text/plain")]);
    let refused = |id, claim, body: Value| Case::new(id, claim).post(BULK, body).refused(400, "ERR_PUBSUB_EVENTS_SER");
    vec![
        Case::new("bulk/publish", "Entries are published, each with its own content type").subscribes(json!({}))
            .post(BULK, both()).is(204).text("").gets_data(json!({ "n": 1 })).gets_data(json!("two")),
        Case::new("bulk/publish-alpha", "The path of before is served").subscribes(json!({}))
            .post("/v1.0-alpha1/publish/bulk/pubsub/{case}", both()).is(204).gets_data(json!("two")),
        Case::new("bulk/order-of-a-key", "Entries of a key come in order").subscribes(json!({}))
            .post(&format!("{BULK}?metadata.partitionKey=k"), json!([
                { "entryId": "1", "event": 1, "contentType": json_kind, "metadata": { "partitionKey": "k" } },
                { "entryId": "2", "event": 2, "contentType": json_kind, "metadata": { "partitionKey": "k" } },
                { "entryId": "3", "event": 3, "contentType": json_kind, "metadata": { "partitionKey": "k" } },
            ])).is(204)
            .order("/{case}", vec![json!(1), json!(2), json!(3)]),
        Case::new("bulk/bytes", "Bytes of an entry are Base64").subscribes(json!({}))
            .post(BULK, json!([entry("1", json!("YWJj"), "application/octet-stream")])).is(204)
            .gets("/{case}", json!({ "data_base64": "YWJj", "...": "" })),
        Case::new("bulk/cloud-event", "A CloudEvent of an entry keeps its id").subscribes(json!({}))
            .post(BULK, json!([entry("1", json!({ "specversion": "1.0", "id": "own", "source": "s", "type": "t", "data": 1 }), "application/cloudevents+json")])).is(204)
            .gets("/{case}", json!({ "id": "own", "source": "s", "data": 1, "...": "" })),
        refused("bulk/same-entry-id", "Two entries with one id are refused", json!([entry("1", json!(1), json_kind), entry("1", json!(2), json_kind)])),
        refused("bulk/no-entry-id", "An entry without an id is refused", json!([{ "event": 1, "contentType": json_kind }])),
        refused("bulk/no-content-type", "An entry without a content type is refused", json!([{ "entryId": "1", "event": 1 }])),
        refused("bulk/object-as-text", "An object is no text", json!([entry("1", json!({}), "text/plain")])),
        Case::new("bulk/bad-json", "A body that is no JSON is refused").post(BULK, "x").refused(400, "ERR_PUBSUB_EVENTS_SER"),
        Case::new("bulk/unknown-pubsub", "A pub/sub that is not there is refused")
            .post("/v1.0/publish/bulk/absent/t", "[]").refused(404, "ERR_PUBSUB_NOT_FOUND"),
        Case::new("bulk/subscribe", "A bulk subscription gets entries")
            .subscribes(json!({ "bulkSubscribe": { "enabled": true, "maxMessagesCount": 1, "maxAwaitDurationMs": 100 } }))
            .answers("/{case}", &[(200, r#"{"statuses":[]}"#)])
            .publish("", json!({ "n": 1 }))
            .gets("/{case}", json!({
                "entries": [{ "entryId": "<text>", "event": { "data": { "n": 1 }, "topic": "{case}", "...": "" }, "metadata": "<any>", "contentType": "application/cloudevents+json" }],
                "id": "<text>", "metadata": "<any>", "pubsubname": "pubsub", "topic": "{case}", "type": "com.dapr.event.sent.bulk",
            })),
    ]
}
