//! CloudEvents: what an event looks like when it comes.

use serde_json::{Value, json};

use crate::case::{Body, Case};

/// An envelope with this data and content type.
fn envelope(data: Value, kind: &str) -> Value {
    json!({
        "data": data, "datacontenttype": kind, "id": "<uuid>", "pubsubname": "pubsub", "source": "conformance",
        "specversion": "1.0", "time": "<time>", "topic": "{case}", "traceid": "<any>", "traceparent": "<any>",
        "tracestate": "<any>", "type": "com.dapr.event.sent",
    })
}

fn published(id: &'static str, claim: &'static str, kind: &str, body: &str) -> Case {
    Case::new(id, claim).subscribes(json!({})).publish("", body).header("content-type", kind)
}

pub(super) fn cases() -> Vec<Case> {
    let event = |more: Value| {
        let mut event =
            json!({ "specversion": "1.0", "id": "own", "source": "here", "type": "mine", "data": { "own": true } });
        if let (Some(event), Some(more)) = (event.as_object_mut(), more.as_object()) {
            event.extend(more.clone());
        }
        event
    };
    let cloud_event = "application/cloudevents+json";
    vec![
        published("envelope/json", "JSON is data of its own", "application/json", r#"{"a":1}"#)
            .gets("/{case}", envelope(json!({ "a": 1 }), "application/json"))
            .with_header("content-type", cloud_event).by(reqwest::Method::POST),
        published("envelope/json-charset", "Parameters of a content type are kept", "application/json; charset=utf-8", "[1]")
            .gets("/{case}", envelope(json!([1]), "application/json; charset=utf-8")),
        published("envelope/big-numbers", "Numbers keep their digits", "application/json", "12345678901234567890")
            .gets_body("/{case}", Some(Body::Json(json!({ "data": 12345678901234567890u64, "...": "" })))),
        published("envelope/broken-json", "JSON that cannot be read is a text", "application/json", "{broken")
            .gets("/{case}", envelope(json!("{broken"), "application/json")),
        published("envelope/empty", "An empty body is an empty text", "application/json", "")
            .gets("/{case}", envelope(json!(""), "application/json")),
        published("envelope/no-content-type", "Without a content type it is a text", "", "plain")
            .gets("/{case}", envelope(json!("plain"), "text/plain")),
        published("envelope/text", "A text is a text", "text/plain", "{\"a\":1}")
            .gets("/{case}", envelope(json!("{\"a\":1}"), "text/plain")),
        published("envelope/xml", "XML is a text", "application/xml", "<a/>").gets("/{case}", envelope(json!("<a/>"), "application/xml")),
        published("envelope/json-suffix", "A type with +json is a text", "application/vnd.x+json", "{}")
            .gets("/{case}", envelope(json!("{}"), "application/vnd.x+json")),
        published("envelope/bytes", "Bytes come in Base64", "application/octet-stream", "abc").gets("/{case}", {
            let mut expected = envelope(json!(null), "application/octet-stream");
            if let Some(expected) = expected.as_object_mut() {
                expected.remove("data");
                expected.insert("data_base64".into(), json!("YWJj"));
            }
            expected
        }),
        published("envelope/trace", "A trace goes on", "application/json", "1")
            .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").header("tracestate", "a=b")
            .gets("/{case}", json!({ "traceid": "00-0af7651916cd43dd8448eb211c80319c-*", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-*", "tracestate": "a=b", "...": "" }))
            .with_header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-*"),
        Case::new("envelope/attributes", "Metadata sets attributes").subscribes(json!({}))
            .publish("?metadata.cloudevent.id=i&metadata.cloudevent.source=s&metadata.cloudevent.type=t&metadata.cloudevent.subject=u", "1")
            .gets("/{case}", json!({ "id": "i", "source": "s", "type": "t", "subject": "u", "data": 1, "...": "" })),
        Case::new("envelope/expiration", "A time to live is an attribute").subscribes(json!({}))
            .publish("?metadata.ttlInSeconds=60", "1").gets("/{case}", json!({ "expiration": "<time>", "data": 1, "...": "" })),
        Case::new("envelope/expired", "What has expired is not delivered").subscribes(json!({}))
            .publish("?metadata.partitionKey=k", event(json!({ "expiration": "2020-01-01T00:00:00Z" }))).header("content-type", cloud_event)
            .publish("?metadata.partitionKey=k", "2").gets_data(json!(2)).times("/{case}", 1),
        Case::new("envelope/own", "A CloudEvent keeps its attributes").subscribes(json!({}))
            .publish("", event(json!({ "time": "2020-01-02T03:04:05Z", "extension": "x", "subject": "s" }))).header("content-type", cloud_event)
            .gets("/{case}", json!({
                "id": "own", "source": "here", "type": "mine", "specversion": "1.0", "time": "2020-01-02T03:04:05Z", "extension": "x", "subject": "s",
                "data": { "own": true }, "topic": "{case}", "pubsubname": "pubsub", "...": "",
            })),
        Case::new("envelope/own-topic", "The topic and the pub/sub of a CloudEvent are where it was published").subscribes(json!({}))
            .publish("", event(json!({ "topic": "other", "pubsubname": "other" }))).header("content-type", cloud_event)
            .gets("/{case}", json!({ "id": "own", "topic": "{case}", "pubsubname": "pubsub", "...": "" })),
        Case::new("envelope/own-incomplete", "What a CloudEvent lacks is filled in").subscribes(json!({}))
            .publish("", json!({ "id": "own", "data": 1 })).header("content-type", cloud_event)
            .gets("/{case}", json!({ "id": "own", "source": "Dapr", "type": "com.dapr.event.sent", "specversion": "1.0", "time": "<time>", "data": 1, "...": "" })),
    ]
}
