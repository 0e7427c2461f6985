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
async fn what_waits_for_a_component_that_is_away_holds_up_nothing_else() {
    let app = App::start().await;
    let (server, url, place) = place(&app).await;
    place.start().await.stop().await;
    // More than one batch, of a component that a release before had, and that nobody put back.
    let rows = "insert into state_outbox (pubsub, topic, attributes, content) \
                select 'gone', 'task-events', '{}', '{\"data\":{}}' from generate_series(1, 1200)";
    server.query(&url, rows).await.unwrap();
    let sidecar = place.start().await;
    for number in 1..=3 {
        assert_eq!(write(&sidecar.api, "k", number).await, 204);
    }
    let numbers: Vec<_> = app.wait_for(3).await.iter().map(|event| event.data()["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    eventually("the end of their rows", async || {
        (server.query(&url, "select count(*) from state_outbox").await.unwrap() == "1200").then_some(())
    })
    .await;
    sidecar.stop().await;
}

#[tokio::test]
async fn a_message_that_is_refused_for_good_is_set_aside_and_the_others_go_on_once() {
    let app = App::start().await;
    let kafka = backends::Kafka::shared().await.unwrap();
    let (server, url) = postgres::database().await;
    let state = [("outboxPublishPubsub", "pubsub"), ("outboxPublishTopic", "outbox-refused")];
    let mut place = Place::new(&format!(
        "{}{}{}",
        crate::kafka::component(&kafka.brokers(), &[("maxMessageBytes", "20000")]),
        postgres::store("statestore", &url, &state),
        subscription("s", "outbox-refused", "/events/task", "")
    ));
    place.serve(&app);
    let sidecar = place.start().await;
    let operation = |number: i64| {
        let long = if number == 3 { "x".repeat(30_000) } else { String::new() };
        let value = json!({"number": number, "long": long});
        json!({"operation": "upsert", "request": {"key": format!("k{number}"), "value": value, "metadata": {"partitionKey": "u"}}})
    };
    let body = json!({"operations": (1..=5).map(operation).collect::<Vec<_>>()}).to_string();
    assert_eq!(sidecar.api.post("/v1.0/state/statestore/transaction", body).await.status, 204);
    eventually("the others to be removed", async || {
        let one = "select count(*) from state_outbox where refused is not null";
        let rows = "select count(*) from state_outbox";
        let count = async |text: &str| server.query(&url, text).await.unwrap();
        (count(one).await == "1" && count(rows).await == "1").then_some(())
    })
    .await;
    let numbers: Vec<_> = app.wait_for(4).await.iter().map(|event| event.data()["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 4, 5], "each once");
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
