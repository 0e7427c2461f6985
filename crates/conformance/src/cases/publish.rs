//! Publishing: what is taken, and what is refused.

use serde_json::json;

use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
    let case = Case::new;
    vec![
        case("publish/json", "What is published is delivered").subscribes(json!({}))
            .publish("", json!({ "a": 1 })).text("").gets_data(json!({ "a": 1 })),
        case("publish/by-put", "PUT publishes as POST does").subscribes(json!({}))
            .request(reqwest::Method::PUT, "/v1.0/publish/pubsub/{case}", json!(1)).is(204).gets_data(json!(1)),
        case("publish/unknown-pubsub", "A pub/sub that is not there is refused")
            .post("/v1.0/publish/absent/t", "1").refused_with(404, "ERR_PUBSUB_NOT_FOUND", "pubsub absent is not found"),
        case("publish/no-topic", "Publishing without a topic is no call of Dapr's")
            .post("/v1.0/publish/pubsub", "1").refused(404, "ERR_DIRECT_INVOKE"),
        case("publish/nobody-listens", "A topic needs no subscriber").publish("", "1"),
        case("publish/bad-cloud-event", "A CloudEvent that is no JSON is refused")
            .post("/v1.0/publish/pubsub/{case}", "x").header("content-type", "application/cloudevents+json")
            .refused(500, "ERR_PUBSUB_CLOUD_EVENTS_SER"),
        case("publish/bad-raw-payload", "A rawPayload that is no truth is refused")
            .post("/v1.0/publish/pubsub/{case}?metadata.rawPayload=zzz", "1").refused(400, "ERR_PUBSUB_REQUEST_METADATA"),
        case("publish/too-large", "A body of more than 4 MiB is refused")
            .post("/v1.0/publish/pubsub/{case}", format!("\"{}\"", "x".repeat(5 << 20))).refused(400, "ERR_MALFORMED_REQUEST"),
        case("publish/metadata-as-headers", "Metadata comes as headers").subscribes(json!({}))
            .publish("?metadata.ttlInSeconds=60&metadata.mine=x", "1")
            .gets_data(json!(1)).with_header("ttlinseconds", "60").with_header("mine", "x").with_header("pubsubname", "pubsub"),
        case("publish/order-of-a-key", "Messages of a key come in order").subscribes(json!({}))
            .publish("?metadata.partitionKey=k", "1").publish("?metadata.partitionKey=k", "2").publish("?metadata.partitionKey=k", "3")
            .order("/{case}", vec![json!(1), json!(2), json!(3)]),
        case("publish/raw", "A raw payload of JSON comes as it is").subscribes(json!({}))
            .publish("?metadata.rawPayload=true", json!({ "raw": [1] })).gets("/{case}", json!({ "raw": [1] })),
        case("publish/raw-wrapped", "A raw payload comes in an envelope where the subscription says so").subscribes(json!({ "metadata": { "rawPayload": "true" } }))
            .publish("?metadata.rawPayload=true", json!({ "raw": 1 }))
            .gets("/{case}", json!({
                "data_base64": "eyJyYXciOjF9", "datacontenttype": "application/octet-stream", "id": "<text>", "pubsubname": "pubsub",
                "source": "Dapr", "specversion": "1.0", "topic": "{case}", "type": "com.dapr.event.sent", "...": "",
            })),
    ]
}
