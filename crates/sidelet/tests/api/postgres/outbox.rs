//! Messages are relayed once for each commit, in order, by one replica, whoever dies.

use serde_json::json;

use super::write;
use crate::harness::{App, Place, eventually, postgres, subscription};

/// State in PostgreSQL, and an app that hears of it.
async fn place(app: &App) -> (&'static backends::Postgres, String, Place) {
    let (server, url) = postgres::database().await;
    let mut place =
        Place::new(&format!("{}{}", postgres::components(&url), subscription("s", "task-events", "/events/task", "")));
    place.serve(app);
    (server, url, place)
}

#[tokio::test]
async fn a_transaction_and_its_events_are_one() {
    let app = App::start().await;
    let (server, url, place) = place(&app).await;
    let sidecar = place.start().await;
    let operation = |key: &str, number: i64, etag: &str| {
        let metadata = json!({"partitionKey": "u", "cloudevent.id": format!("event-{number}")});
        json!({"operation": "upsert", "request": {"key": key, "value": {"number": number}, "etag": etag, "metadata": metadata}})
    };
    let transact = async |operations: serde_json::Value| {
        let body = json!({"operations": operations}).to_string();
        sidecar.api.post("/v1.0/state/statestore/transaction", body).await.status
    };
    // Neither the order of the keys nor that of the rows is that of the operations.
    assert_eq!(transact(json!([operation("b", 1, ""), operation("a", 2, ""), operation("c", 3, "")])).await, 204);
    assert_eq!(transact(json!([operation("x", 4, ""), operation("a", 5, "stale")])).await, 409);
    assert_eq!(transact(json!([operation("a", 6, "")])).await, 204);
    let delivered = app.wait_for(4).await;
    let numbers: Vec<_> = delivered.iter().map(|event| event.data()["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 6]);
    assert_eq!(delivered[0].event["id"], "event-1");
    assert_eq!(delivered[0].headers["__key"], "u");
    assert_eq!(sidecar.api.get("/v1.0/state/statestore/x").await.status, 204);
    eventually("the end of the rows", async || {
        (server.query(&url, "select count(*) from state_outbox").await.unwrap() == "0").then_some(())
    })
    .await;
    sidecar.stop().await;
    assert_eq!(app.delivered().len(), 4);
}

#[tokio::test]
async fn what_was_committed_before_a_stop_is_relayed_after_the_next_start() {
    let app = App::start().await;
    let (server, url, place) = place(&app).await;
    place.start().await.stop().await;
    let row = "insert into state_outbox (pubsub, topic, attributes, content) \
               values ('pubsub', 'task-events', '{}', '{\"data\":{\"number\":7}}')";
    server.query(&url, row).await.unwrap();
    let sidecar = place.start().await;
    assert_eq!(app.wait_for(1).await[0].data()["number"], 7);
    sidecar.stop().await;
}

#[tokio::test]
async fn one_replica_relays_and_another_takes_over() {
    let app = App::start().await;
    let (server, url, first) = place(&app).await;
    let (other, holder) = (App::start().await, "select holder from state_lease");
    let mut second = Place::new(&postgres::components(&url));
    second.serve(&other);
    let (first, second) = (first.start().await, second.start().await);
    assert_eq!(write(&first.api, "k", 1).await, 204);
    app.wait_for(1).await;
    let before = server.query(&url, holder).await.unwrap();
    // The one that does not hold the lease writes: its log is another one, but the holder relays.
    assert_eq!(write(&second.api, "k", 2).await, 204);
    first.stop().await;
    eventually("the relay of what is left", async || {
        (server.query(&url, "select count(*) from state_outbox").await.unwrap() == "0").then_some(())
    })
    .await;
    assert!(!before.is_empty());
    second.stop().await;
}
