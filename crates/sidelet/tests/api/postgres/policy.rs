//! Policies on a store whose writes go on when nobody waits for them any more.

use serde_json::json;

use crate::harness::{Answer, Api, Place, eventually, postgres, resiliency};

/// Sessions that wait for what another one has locked.
const WAITING: &str =
    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

async fn write(api: Api, etag: String, value: i64) -> Answer {
    let request = json!({"key": "k", "value": value, "etag": etag});
    let body = json!({"operations": [{"operation": "upsert", "request": request}]}).to_string();
    api.post("/v1.0/state/statestore/transaction", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_was_made_after_its_policy_gave_it_up_is_no_conflict() {
    let (server, url) = postgres::database().await;
    let policy =
        "{policies: {timeouts: {short: 200ms}, retries: {many: {policy: constant, duration: 50ms, maxRetries: 60}}},
        targets: {components: {statestore: {outbound: {timeout: short, retry: many}}}}}";
    let place = Place::new(&format!("{}{}", postgres::store("statestore", &url, &[]), resiliency(policy)));
    let sidecar = place.start().await;
    sidecar.api.save("k", "1").await;
    let etag = sidecar.api.etag("k").await;
    let lock = postgres::Lock::hold(server, &url, "select from state for update").await;
    let writing = tokio::spawn(write(sidecar.api.clone(), etag.clone(), 2));
    // The first try was given up, and a later one waits behind it.
    eventually("a second try", async || {
        (server.query(&url, WAITING).await.unwrap().parse::<u32>().unwrap() >= 2).then_some(())
    })
    .await;
    lock.release().await;
    let answer = writing.await.unwrap();
    assert_eq!((answer.status, answer.header("retry-after").as_str()), (503, "1"), "{answer:?}");
    assert_eq!(sidecar.api.get("/v1.0/state/statestore/k").await.body, "2");
    // Where no try was given up, a conflict is one.
    assert_eq!(write(sidecar.api.clone(), etag, 3).await.status, 409);
    sidecar.stop().await;
}
