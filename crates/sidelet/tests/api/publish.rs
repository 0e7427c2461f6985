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

#[tokio::test]
async fn data_arrives_in_the_form_of_its_content_type() {
    let app = App::start().await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    let cases: [(&str, &[u8], &str, serde_json::Value); 8] = [
        (
            "application/json; charset=utf-8",
            b"{\"n\":12345678901234567890}",
            "data",
            json!({"n": 12345678901234567890_u64}),
        ),
        ("application/json", b"{oops", "data", json!("{oops")),
        ("text/plain", "ä".as_bytes(), "data", json!("ä")),
        ("application/xml", b"<a b=\"c\"/>", "data", json!("<a b=\"c\"/>")),
        ("application/vnd.x+json", b"{\"a\":1}", "data", json!("{\"a\":1}")),
        ("application/octet-stream", b"\xff\x00", "data_base64", json!("/wA=")),
        ("image/png", b"\xff", "data", json!("\u{fffd}")),
        ("", b"none", "data", json!("none")),
    ];
    for (index, (content_type, body, attribute, expected)) in cases.into_iter().enumerate() {
        let path = format!("{}/v1.0/publish/pubsub/task-events", sidecar.api.address);
        let mut request = sidecar.api.client.post(path).body(body);
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        assert_eq!(request.send().await.unwrap().status(), 204, "{content_type}");
        let event = app.wait_for(index + 1).await[index].event.clone();
        assert_eq!(event[attribute], expected, "{content_type}");
        let named = if content_type.is_empty() { "text/plain" } else { content_type };
        assert_eq!(event["datacontenttype"], named);
        assert_eq!(event["specversion"], "1.0");
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn an_event_of_the_publishers_own_is_kept() {
    let app = App::start().await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    let publish = async |path: &str, event: serde_json::Value| {
        let request = sidecar.api.client.post(format!("{}/v1.0/publish/pubsub/task-events{path}", sidecar.api.address));
        let request = request.header("content-type", "application/cloudevents+json").body(event.to_string());
        assert_eq!(request.send().await.unwrap().status(), 204);
    };
    let whole = json!({
        "specversion": "1.0", "id": "own", "source": "mine", "type": "t", "time": "2020-01-01T00:00:00Z",
        "subject": "s", "extension": 5, "topic": "elsewhere", "pubsubname": "other", "data": {"a": 1},
    });
    publish("", whole).await;
    publish("", json!({"data": "few"})).await;
    publish("?metadata.cloudevent.id=over&metadata.cloudevent.source=ride", json!({"id": "x", "data": 1})).await;
    let events: Vec<_> = app.wait_for(3).await.into_iter().map(|delivered| delivered.event).collect();
    let find = |data: serde_json::Value| events.iter().find(|event| event["data"] == data).unwrap();
    let own = find(json!({"a": 1}));
    for (attribute, value) in [
        ("id", json!("own")),
        ("source", json!("mine")),
        ("type", json!("t")),
        ("time", json!("2020-01-01T00:00:00Z")),
        ("subject", json!("s")),
        ("extension", json!(5)),
        ("topic", json!("task-events")),
        ("pubsubname", json!("pubsub")),
    ] {
        assert_eq!(own[attribute], value, "{attribute}");
    }
    let few = find(json!("few"));
    assert_eq!((&few["source"], &few["type"]), (&json!("Dapr"), &json!("com.dapr.event.sent")));
    assert!(few.get("id").is_none() && few["time"].is_string());
    let overridden = find(json!(1));
    assert_eq!((&overridden["id"], &overridden["source"]), (&json!("over"), &json!("ride")));
    sidecar.stop().await;
}

#[tokio::test]
async fn entries_of_a_bulk_publish_have_their_own_types_and_metadata() {
    let app = App::start().await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    let entries = json!([
        {"entryId": "1", "event": {"a": 1}, "contentType": "application/json", "metadata": {"partitionKey": "k"}},
        {"entryId": "2", "event": "text", "contentType": "text/plain", "metadata": {"cloudevent.type": "mine"}},
        {"entryId": "3", "event": "/wA=", "contentType": "application/octet-stream"},
        {"entryId": "4", "event": {"id": "own", "data": 5}, "contentType": "application/cloudevents+json"},
        {"entryId": "5", "event": {"raw": true}, "contentType": "application/json", "metadata": {"rawPayload": "true"}},
    ]);
    let path = "/v1.0-alpha1/publish/bulk/pubsub/task-events?metadata.ttlInSeconds=600";
    assert_eq!(sidecar.api.post(path, entries.to_string()).await.status, 204);
    let delivered = app.wait_for(5).await;
    let find = |matches: &dyn Fn(&serde_json::Value) -> bool| {
        delivered.iter().find(|delivered| matches(&delivered.event)).unwrap_or_else(|| panic!("{delivered:?}"))
    };
    let first = find(&|event| event["data"] == json!({"a": 1}));
    assert_eq!(first.headers["__key"], "k");
    assert!(first.event["expiration"].is_string(), "the query's metadata is for every entry");
    assert_eq!(find(&|event| event["data"] == "text").event["type"], "mine");
    find(&|event| event["data_base64"] == "/wA=");
    assert_eq!(find(&|event| event["data"] == 5).event["id"], "own");
    assert_eq!(find(&|event| event["raw"] == true).event, json!({"raw": true}));
    sidecar.stop().await;
}
