//! Bodies of the state and publish API.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::response::IntoResponse;
use fuzzing::damaged;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::Value;

use super::check_on;
use crate::harness::{Answer, Api, App, COMPONENTS, Place, eventually, subscription};

const ITEMS: [&str; 14] = [
    r#"{"key":"a","value":{"b":[1,2]}}"#,
    r#"{"key":"ä/%2f","value":"text"}"#,
    r#"{"key":"a","value":123456789012345678901234567890}"#,
    r#"{"key":"a"}"#,
    r#"{"key":"","value":1}"#,
    r#"{"key":"a||b","value":1}"#,
    r#"{"key":7,"value":1}"#,
    r#"{"key":"a","value":1,"etag":"7"}"#,
    r#"{"key":"a","value":1,"etag":"","options":{"concurrency":"first-write","consistency":"x"}}"#,
    r#"{"key":"a","value":1,"options":{"concurrency":"no"}}"#,
    r#"{"key":"a","value":1,"metadata":{"ttlInSeconds":"60"}}"#,
    r#"{"key":"a","value":1,"metadata":{"ttlInSeconds":"-99999999999"}}"#,
    r#"{"key":"a","value":1,"metadata":{"outbox.projection":"true","contentType":"text/plain","partitionKey":"p"}}"#,
    r#"{"key":"a","value":{"specversion":"1.0","id":7},"metadata":{"contentType":"application/cloudevents+json"}}"#,
];
const ENTRIES: [&str; 10] = [
    r#"{"entryId":"1","event":{"a":1},"contentType":"application/json"}"#,
    r#"{"entryId":"2","event":"text","contentType":"text/plain","metadata":{"partitionKey":"p","ttlInSeconds":"60"}}"#,
    r#"{"entryId":"3","event":"/wA=","contentType":"application/octet-stream"}"#,
    r#"{"entryId":"3","event":"***","contentType":"application/octet-stream"}"#,
    r#"{"entryId":"4","event":7,"contentType":"text/plain"}"#,
    r#"{"entryId":"5","event":{"id":"1","data":null},"contentType":"application/cloudevents+json"}"#,
    r#"{"entryId":"6","event":[],"contentType":"application/cloudevents+json; charset=x"}"#,
    r#"{"entryId":"","event":1,"contentType":"application/json"}"#,
    r#"{"event":1,"contentType":"application/json"}"#,
    r#"{"entryId":"7","event":1,"contentType":"application/json","metadata":{"rawPayload":"true","cloudevent.id":"\u0000"}}"#,
];
const EVENTS: [&str; 7] = [
    r#"{"specversion":"1.0","id":"1","source":"s","type":"t","time":"2026-03-01T09:00:00Z","data":{"a":1}}"#,
    r#"{"id":1,"data_base64":"/wA=","datacontenttype":"x/y","expiration":"2000-01-01T00:00:00Z"}"#,
    r#"{"expiration":"9999-12-31T23:59:59Z","traceparent":"00-1","extension":[[[]]]}"#,
    r#"{"expiration":7,"topic":null,"pubsubname":{},"":0}"#,
    "{}",
    "[]",
    "text",
];
const TYPES: [&str; 8] = [
    "application/json",
    "application/cloudevents+json",
    "application/cloudevents+json; charset=utf-8",
    "application/octet-stream",
    "text/plain",
    "",
    ";",
    "APPLICATION/JSON",
];
const QUERIES: [&str; 9] = [
    "",
    "?",
    "?metadata.rawPayload=true",
    "?metadata.rawPayload=zzz",
    "?metadata.ttlInSeconds=1",
    "?metadata.ttlInSeconds=9223372036854775807",
    "?metadata.cloudevent.id=%00&metadata.cloudevent.type=%22%5C",
    "?metadata.=&metadata.a=b&metadata.a=c&%ff=1",
    "?metadata.partitionKey=%C3%A4",
];
const PARTS: [&str; 10] =
    ["\"key\":", "\"value\":", "\"event\":", "null", "[]", "{}", "\\u0000", "\\ud800", "1e999", "\"\""];
/// What daprd answers with 500 though the request is at fault.
const FAULTS_OF_REQUESTS: [&str; 3] = ["ERR_PUBSUB_CLOUD_EVENTS_SER", "ERR_STATE_SAVE", "ERR_STATE_TRANSACTION"];

/// A path, a media type and a body.
type Request = (String, &'static str, String);

fn requests() -> impl Strategy<Value = Request> {
    let list = |items: &'static [&'static str]| {
        damaged(vec(select(items), 0..4).prop_map(|items| format!("[{}]", items.join(","))), &PARTS)
    };
    let operation = (select(vec!["upsert", "delete", "move"]), select(&ITEMS[..]))
        .prop_map(|(operation, item)| format!(r#"{{"operation":"{operation}","request":{item}}}"#));
    let transaction = vec(operation, 0..4).prop_map(|operations| {
        format!(r#"{{"operations":[{}],"metadata":{{"partitionKey":"p"}}}}"#, operations.join(","))
    });
    let keys = Just(r#"{"keys":["a","b","",7],"parallelism":-1}"#.to_owned());
    let json = "application/json";
    let at = |path: &'static str| move |body: String| (path.to_owned(), json, body);
    prop_oneof![
        2 => list(&ITEMS).prop_map(at("/v1.0/state/plain")),
        3 => damaged(transaction, &PARTS).prop_map(at("/v1.0/state/statestore/transaction")),
        1 => damaged(keys, &PARTS).prop_map(at("/v1.0/state/plain/bulk")),
        3 => (list(&ENTRIES), select(&QUERIES[..])).prop_map(move |(body, query)| (format!("/v1.0/publish/bulk/pubsub/free{query}"), json, body)),
        3 => (damaged(select(&EVENTS[..]).prop_map(str::to_owned), &PARTS), select(&QUERIES[..]), select(&TYPES[..]))
            .prop_map(|(body, query, kind)| (format!("/v1.0/publish/pubsub/free{query}"), kind, body)),
    ]
}

async fn post(api: &Api, (path, kind, body): &Request) -> Answer {
    let request = api.client.post(format!("{}{path}", api.address)).header("content-type", *kind);
    Answer::read(request.body(body.clone()).send().await.unwrap()).await
}

/// The last of the items that were saved, when nothing but its key and value decides what is stored.
fn last_saved(body: &str) -> Option<(String, Value)> {
    let items: Vec<Value> = serde_json::from_str(body).ok()?;
    let last = items.last()?.as_object()?;
    let plain = last.keys().all(|name| name == "key" || name == "value");
    let key = last.get("key")?.as_str()?.to_owned();
    plain.then(|| (key, last.get("value").cloned().unwrap_or(Value::Null)))
}

#[test]
fn any_body_is_answered_and_what_was_saved_is_read_back_and_what_comes_next_is_delivered() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let (sidecar, _app) = runtime.block_on(async {
        let counted = taken.clone();
        let app = App::answering(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            ().into_response()
        })
        .await;
        let mut place = Place::new(&format!("{COMPONENTS}{}", subscription("free", "free", "/free", "")));
        place.serve(&app);
        (place.start().await, (app, place))
    });
    let api = &sidecar.api.clone();
    check_on(&runtime, 600, &requests(), async |request| {
        let answer = post(api, &request).await;
        if answer.status >= 300 {
            let body = answer.json();
            let code = body["errorCode"].as_str().unwrap_or_default();
            prop_assert!(code.starts_with("ERR_") && body["message"].is_string(), "{:?}", answer);
            prop_assert!(answer.status < 500 || FAULTS_OF_REQUESTS.contains(&code), "{:?}", answer);
        } else if request.0 == "/v1.0/state/plain"
            && let Some((key, value)) = last_saved(&request.2)
        {
            let key = utf8_percent_encode(&key, NON_ALPHANUMERIC);
            let read = api.get(&format!("/v1.0/state/plain/{key}")).await;
            prop_assert_eq!(read.status, 200);
            prop_assert_eq!(read.json(), value);
        }
        Ok(())
    });
    runtime.block_on(async {
        let before = taken.load(Ordering::SeqCst);
        assert_eq!(api.post("/v1.0/publish/pubsub/free", "1").await.status, 204);
        eventually("a delivery", async || (taken.load(Ordering::SeqCst) > before).then_some(())).await;
        sidecar.stop().await;
    });
}

#[test]
fn large_and_deep_bodies_are_answered() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let sidecar = Place::new(COMPONENTS).start().await;
        let many = |piece: &str| piece.repeat((3 << 20) / piece.len());
        let bodies = [
            many("["),
            many("{\"a\":"),
            format!("[{}]", many("{},").trim_end_matches(',')),
            format!("[{{\"key\":\"a\",\"value\":{}}}]", many("[")),
            format!("[{{\"key\":\"{}\",\"value\":1}}]", many("k")),
            format!("{{\"operations\":[{}]}}", many("{},").trim_end_matches(',')),
            format!("{{\"keys\":[{}]}}", many("\"a\",").trim_end_matches(',')),
            format!("[{{\"entryId\":\"1\",\"event\":{},\"contentType\":\"application/json\"}}]", many("9")),
        ];
        for body in bodies {
            for path in [
                "/v1.0/state/plain",
                "/v1.0/state/statestore/transaction",
                "/v1.0/state/plain/bulk",
                "/v1.0/publish/bulk/pubsub/free",
            ] {
                let answer = sidecar.api.post(path, body.clone()).await;
                assert!(answer.status < 500, "{path} {}: {}", &body[..40], answer.status);
            }
            assert!(sidecar.api.post("/v1.0/publish/pubsub/free", body).await.status < 500);
        }
        sidecar.stop().await;
    });
}
