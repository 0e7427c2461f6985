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
async fn of_two_replicas_one_relays_what_both_commit_and_the_other_takes_over() {
    let app = App::start().await;
    let (server, url, first) = place(&app).await;
    let subscription = subscription("s", "task-events", "/events/task", "");
    let mut second = Place::new(&format!("{}{subscription}", postgres::components(&url)));
    second.serve(&app);
    let (first, second) = (first.start().await, second.start().await);
    for number in 1..=20 {
        let api = if number % 2 == 0 { &first.api } else { &second.api };
        assert_eq!(write(api, &format!("k{number}"), number).await, 204);
    }
    app.wait_for(20).await;
    assert_eq!(server.query(&url, "select count(*) from state_lease").await.unwrap(), "1");
    first.stop().await;
    assert_eq!(write(&second.api, "k", 21).await, 204);
    assert_eq!(app.wait_for(21).await[20].data()["number"], 21);
    second.stop().await;
    assert_eq!(app.delivered().len(), 21, "something came twice");
}
