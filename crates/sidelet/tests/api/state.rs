//! The state API answers as daprd does.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Api, COMPONENTS, Place, Sidecar, eventually, postgres};

const MEMORY: &str = "
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: memory
spec:
  type: state.in-memory
  version: v1
";

async fn start() -> (Place, Sidecar) {
    let (_, url) = postgres::database().await;
    let place = Place::new(&format!("{COMPONENTS}{MEMORY}{}", postgres::store("postgres", &url, &[])));
    let sidecar = place.start().await;
    (place, sidecar)
}

/// The same cases for every kind of store.
const STORES: [&str; 4] = ["statestore", "plain", "memory", "postgres"];

async fn save(api: &Api, store: &str, item: Value) -> Answer {
    api.post(&format!("/v1.0/state/{store}"), json!([item]).to_string()).await
}

async fn transact(api: &Api, store: &str, operations: Value) -> Answer {
    api.post(&format!("/v1.0/state/{store}/transaction"), json!({ "operations": operations }).to_string()).await
}

async fn read(api: &Api, store: &str, key: &str) -> Answer {
    api.get(&format!("/v1.0/state/{store}/{key}")).await
}

fn assert_refused(answer: &Answer, status: u16, code: &str, message: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(answer.json()["message"].as_str().unwrap().contains(message), "{answer:?}");
}

#[tokio::test]
async fn a_saved_value_is_read_as_it_was_written() {
    let (_place, sidecar) = start().await;
    for store in STORES {
        let api = &sidecar.api;
        let text = r#"{"b":1,  "a":[123456789012345678901234567890, "ä<"]}"#;
        let body = format!(r#"[{{"key":"k","value":{text}}},{{"key":"none"}}]"#);
        let answer = api.post(&format!("/v1.0/state/{store}"), body).await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        let answer = read(api, store, "k").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, text));
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("content-length"), text.len().to_string());
        assert!(!answer.header("etag").is_empty() && !answer.header("traceparent").is_empty());
        assert_eq!(read(api, store, "none").await.body, "null");
        assert_eq!(read(api, store, "absent").await.status, 204);
        assert_eq!(api.send(Method::PUT, &format!("/v1.0/state/{store}"), "[]").await.status, 204);
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn a_stale_entity_tag_is_refused() {
    let (_place, sidecar) = start().await;
    for store in STORES {
        let api = &sidecar.api;
        assert_eq!(save(api, store, json!({"key": "k", "value": 1})).await.status, 204);
        let etag = read(api, store, "k").await.header("etag");
        assert_eq!(save(api, store, json!({"key": "k", "value": 2, "etag": etag})).await.status, 204);
        let message =
            format!("failed saving state in state store {store}: possible etag mismatch. error from state store");
        for item in [
            json!({"key": "k", "value": 3, "etag": etag}),
            json!({"key": "k", "value": 3, "etag": etag, "options": {"concurrency": "last-write"}}),
            json!({"key": "k", "value": 3, "options": {"concurrency": "first-write"}}),
            json!({"key": "missing", "value": 3, "etag": etag}),
        ] {
            assert_refused(&save(api, store, item).await, 409, "ERR_STATE_SAVE", &message);
        }
        let new = json!({"key": "new", "value": 3, "etag": "", "options": {"concurrency": "first-write"}});
        assert_eq!(save(api, store, new).await.status, 204);
        assert_eq!(read(api, store, "k").await.body, "2");
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn a_delete_heeds_if_match() {
    let (_place, sidecar) = start().await;
    for store in STORES {
        let api = &sidecar.api;
        save(api, store, json!({"key": "k", "value": 1})).await;
        let etag = read(api, store, "k").await.header("etag");
        let delete = async |key: &str, etag: &str| {
            let request =
                api.client.delete(format!("{}/v1.0/state/{store}/{key}", api.address)).header("if-match", etag);
            Answer::read(request.send().await.unwrap()).await
        };
        assert_refused(&delete("k", "stale").await, 409, "ERR_STATE_DELETE", "possible etag mismatch");
        assert_refused(&delete("absent", &etag).await, 409, "ERR_STATE_DELETE", "possible etag mismatch");
        assert_eq!(delete("k", &etag).await.status, 204);
        assert_eq!(delete("k", "").await.status, 204);
        assert_eq!(read(api, store, "k").await.status, 204);
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn wrong_requests_get_daprs_codes() {
    let (_place, sidecar) = start().await;
    let api = &sidecar.api;
    let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
    let s = "/v1.0/state/statestore";
    let cases = [
        (&post, "/v1.0/state/absent", "[]", 400, "ERR_STATE_STORE_NOT_FOUND", "state store absent is not found"),
        (&get, "/v1.0/state/absent/k", "", 400, "ERR_STATE_STORE_NOT_FOUND", "state store absent is not found"),
        (&post, s, "", 400, "ERR_MALFORMED_REQUEST", "EOF"),
        (&post, s, "{}", 400, "ERR_MALFORMED_REQUEST", ""),
        (&post, s, "[{]", 400, "ERR_MALFORMED_REQUEST", ""),
        (&post, s, r#"[{"value":1}]"#, 400, "ERR_MALFORMED_REQUEST", "\"key\" is a required field"),
        (&post, s, r#"[{"key":"a||b"}]"#, 400, "ERR_MALFORMED_REQUEST", "can't contain '||'"),
        (&post, s, r#"[{"key":"k","options":{"concurrency":"x"}}]"#, 500, "ERR_STATE_SAVE", "concurrency"),
        (&post, s, r#"[{"key":"k","metadata":{"ttlInSeconds":"x"}}]"#, 500, "ERR_STATE_SAVE", "ttlInSeconds"),
        (&get, "/v1.0/state/statestore/a%7C%7Cb", "", 400, "ERR_MALFORMED_REQUEST", "can't contain '||'"),
        (&get, "/v1.0/state/statestore/a/b", "", 404, "ERR_DIRECT_INVOKE", "failed getting app id"),
        (&delete, s, "", 404, "ERR_DIRECT_INVOKE", "failed getting app id"),
        (&get, "/nowhere", "", 404, "ERR_DIRECT_INVOKE", "failed getting app id"),
        (
            &post,
            "/v1.0/state/statestore/transaction",
            r#"{"operations":[{"operation":"merge","request":{"key":"k"}}]}"#,
            400,
            "ERR_NOT_SUPPORTED_STATE_OPERATION",
            "operation type merge not supported",
        ),
        (
            &post,
            "/v1.0/state/statestore/transaction",
            r#"{"operations":[{"operation":"upsert","request":{"key":7}}]}"#,
            400,
            "ERR_MALFORMED_REQUEST",
            "",
        ),
        (
            &post,
            "/v1.0/state/plain/transaction",
            r#"{"operations":[{"operation":"upsert","request":{"key":"k","metadata":{"outbox.projection":"true"}}}]}"#,
            400,
            "ERR_MALFORMED_REQUEST",
            "has no outbox",
        ),
    ];
    for (method, path, body, status, code, message) in cases {
        let answer = api.send(method.clone(), path, body).await;
        assert_refused(&answer, status, code, message);
    }
    let illegal = api.get("/v1.0/state/statestore/a%7C%7Cb").await;
    assert_eq!(illegal.json()["details"][0]["reason"], "DAPR_STATE_ILLEGAL_KEY");
    sidecar.stop().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let mut place = Place::new(COMPONENTS);
    place.max_body_size = 1000;
    let sidecar = place.start().await;
    let answer = sidecar.api.post("/v1.0/state/statestore", "x".repeat(1001)).await;
    assert_refused(&answer, 400, "ERR_MALFORMED_REQUEST", "stream too large");
    assert_eq!(answer.header("connection"), "close", "{answer:?}");
    sidecar.stop().await;
}

#[tokio::test]
async fn a_save_of_many_keeps_the_good_ones() {
    let (_place, sidecar) = start().await;
    let body = r#"[{"key":"bad","etag":"stale","value":1},{"key":"good","value":2}]"#;
    assert_eq!(sidecar.api.post("/v1.0/state/statestore", body).await.status, 409);
    assert_eq!(sidecar.api.get("/v1.0/state/statestore/good").await.body, "2");
    sidecar.stop().await;
}

#[tokio::test]
async fn a_transaction_is_all_or_nothing() {
    let (_place, sidecar) = start().await;
    for store in STORES {
        let api = &sidecar.api;
        save(api, store, json!({"key": "old", "value": 1})).await;
        let upsert = |key: &str, value: i64| json!({"operation": "upsert", "request": {"key": key, "value": value}});
        let stale = json!({"operation": "upsert", "request": {"key": "old", "value": 9, "etag": "stale"}});
        let refused = transact(api, store, json!([upsert("new", 1), stale, upsert("other", 1)])).await;
        let message = "error while executing state transaction: possible etag mismatch. error from state store";
        assert_refused(&refused, 409, "ERR_STATE_TRANSACTION", message);
        for (key, status) in [("new", 204), ("other", 204), ("old", 200)] {
            assert_eq!(read(api, store, key).await.status, status, "{store} {key}");
        }
        let delete = json!({"operation": "delete", "request": {"key": "old"}});
        assert_eq!(transact(api, store, json!([upsert("a", 1), upsert("a", 2), delete])).await.status, 204);
        assert_eq!(read(api, store, "a").await.body, "2");
        assert_eq!(read(api, store, "old").await.status, 204);
        assert_eq!(transact(api, store, json!([])).await.status, 204);
        assert_eq!(api.post(&format!("/v1.0/state/{store}/transaction"), "{}").await.status, 204);
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn of_two_writers_with_one_entity_tag_one_wins() {
    let (_place, sidecar) = start().await;
    for store in STORES {
        let api = &sidecar.api;
        save(api, store, json!({"key": "k", "value": 0})).await;
        let etag = read(api, store, "k").await.header("etag");
        let write = |value: i64| {
            let operation = json!([{"operation": "upsert", "request": {"key": "k", "value": value, "etag": etag}}]);
            async move { transact(api, store, operation).await.status }
        };
        let mut statuses = futures::future::join_all((0..20).map(write)).await;
        statuses.sort_unstable();
        assert_eq!((statuses[0], &statuses[1..]), (204, &[409; 19][..]), "{store}");
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn many_keys_are_read_at_once() {
    let (_place, sidecar) = start().await;
    for store in STORES {
        let api = &sidecar.api;
        save(api, store, json!({"key": "a\"b", "value": {"x": 1}})).await;
        save(api, store, json!({"key": "t", "value": 2, "metadata": {"ttlInSeconds": "1000"}})).await;
        let body = r#"{"keys":["a\"b","none","t"],"parallelism":10}"#;
        let answer = api.post(&format!("/v1.0/state/{store}/bulk"), body).await;
        assert_eq!(answer.status, 200);
        let entries = answer.json();
        assert_eq!((&entries[0]["key"], &entries[0]["data"]), (&json!("a\"b"), &json!({"x": 1})));
        assert_eq!(entries[0]["etag"], read(api, store, "a%22b").await.header("etag"));
        assert_eq!(entries[1], json!({"key": "none"}));
        assert!(entries[2]["metadata"]["ttlExpireTime"].is_string());
        assert_eq!(api.post(&format!("/v1.0/state/{store}/bulk"), r#"{"keys":[]}"#).await.body, "[]");
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn what_has_expired_is_absent_and_is_removed() {
    let (place, sidecar) = start().await;
    let api = &sidecar.api;
    save(api, "statestore", json!({"key": "k", "value": 1, "metadata": {"ttlInSeconds": "1"}})).await;
    let operation = json!({"key": "t", "value": 1, "metadata": {"ttlInSeconds": "1"}});
    transact(api, "statestore", json!([{"operation": "upsert", "request": operation}])).await;
    let answer = read(api, "statestore", "k").await;
    let expires: jiff::Timestamp = answer.header("metadata.ttlexpiretime").parse().unwrap();
    assert!(expires.duration_since(jiff::Timestamp::now()).as_secs() <= 2);
    let etag = answer.header("etag");
    eventually("the item's expiry", async || (read(api, "statestore", "k").await.status == 204).then_some(())).await;
    let stale = json!({"key": "k", "value": 2, "etag": etag});
    assert_eq!(save(api, "statestore", stale).await.status, 409);
    let file =
        rusqlite::Connection::open_with_flags(place.database(), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    eventually("the removal of what has expired", async || {
        let rows: i64 = file.query_row("SELECT count(*) FROM item", [], |row| row.get(0)).unwrap();
        (rows == 0).then_some(())
    })
    .await;
    let first = json!({"key": "k", "value": 3, "options": {"concurrency": "first-write"}});
    assert_eq!(save(api, "statestore", first).await.status, 204);
    let query = api.post("/v1.0/state/statestore?metadata.ttlInSeconds=100", r#"[{"key":"q","value":1}]"#).await;
    assert_eq!(query.status, 204);
    assert!(!read(api, "statestore", "q").await.header("metadata.ttlexpiretime").is_empty());
    save(api, "statestore", json!({"key": "q", "value": 1})).await;
    assert_eq!(read(api, "statestore", "q").await.header("metadata.ttlexpiretime"), "");
    sidecar.stop().await;
}

#[tokio::test]
async fn keys_are_stored_with_the_prefix_that_the_component_says() {
    let component = |name: &str, prefix: &str| {
        format!(
            "---\napiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: state.sqlite\n  \
             version: v1\n  metadata:\n    - {{name: connectionString, value: todo.db}}\n    - {{name: keyPrefix, value: {prefix}}}\n"
        )
    };
    let components = ["appid", "name", "none", "fixed"].map(|prefix| component(&format!("store-{prefix}"), prefix));
    let place = Place::new(&components.concat());
    let sidecar = place.start().await;
    for prefix in ["appid", "name", "none", "fixed"] {
        assert_eq!(
            save(&sidecar.api, &format!("store-{prefix}"), json!({"key": "k", "value": prefix})).await.status,
            204
        );
    }
    sidecar.stop().await;
    let file = rusqlite::Connection::open(place.database()).unwrap();
    let mut statement = file.prepare("SELECT key FROM item ORDER BY key").unwrap();
    let keys: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(keys, ["fixed||k", "k", "store-name||k", "todo||k"]);
}
