//! A transaction and its events are one.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::{App, COMPONENTS, Place, Process, eventually, subscription};

#[tokio::test]
async fn each_projection_is_one_event_in_order() {
    let app = App::start().await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    let mut operations = vec![json!({
        "operation": "upsert",
        "request": {"key": "tasks/u", "value": {"head": 1}, "metadata": {"outbox.skip": "true"}},
    })];
    for number in 0..5 {
        operations.push(json!({
            "operation": "upsert",
            "request": {
                "key": format!("tasks/u/event/{number}"),
                "value": {"number": number},
                "metadata": {
                    "outbox.projection": "true",
                    "contentType": "application/json",
                    "partitionKey": "u",
                    "cloudevent.id": format!("event-{number}"),
                },
            },
        }));
    }
    let body = json!({ "operations": operations }).to_string();
    let answer = sidecar.api.post("/v1.0/state/statestore/transaction", body).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    let delivered = app.wait_for(5).await;
    let numbers: Vec<_> = delivered.iter().map(|event| event.data()["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
    let first = &delivered[0];
    assert_eq!(first.route, "/events/task");
    assert_eq!(first.headers["content-type"], "application/cloudevents+json");
    assert_eq!(first.headers["pubsubname"], "pubsub");
    assert_eq!(first.headers["partitionkey"], "u");
    assert_eq!(first.headers["__key"], "u");
    assert_eq!(first.event["id"], "event-0");
    assert_eq!(first.event["source"], "todo");
    assert_eq!(first.event["topic"], "task-events");
    assert_eq!(sidecar.api.get("/v1.0/state/statestore/tasks%2Fu").await.json(), json!({"head": 1}));
    assert_eq!(sidecar.api.get("/v1.0/state/statestore/tasks%2Fu%2Fevent%2F0").await.status, 204);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_refused_transaction_publishes_nothing() {
    let app = App::start().await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    let transact = async |key: &str, etag: &str| {
        let operations = json!([
            {"operation": "upsert", "request": {"key": key, "value": {"key": key}, "etag": etag}},
        ]);
        let body = json!({ "operations": operations }).to_string();
        sidecar.api.post("/v1.0/state/statestore/transaction", body).await.status
    };
    assert_eq!(transact("first", "").await, 204);
    for _ in 0..10 {
        assert_eq!(transact("first", "stale").await, 409);
    }
    // A conflict stops daprd's outbox for good; here the next event comes.
    assert_eq!(transact("last", "").await, 204);
    let delivered = app.wait_for(2).await;
    let mut keys: Vec<_> = delivered.iter().map(|event| event.data()["key"].as_str().unwrap()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["first", "last"]);
    sidecar.stop().await;
    assert_eq!(app.delivered().len(), 2);
}

#[tokio::test]
async fn a_projection_replaces_the_value_that_is_published() {
    let app = App::start().await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    let body = json!({
        "operations": [
            {"operation": "upsert", "request": {"key": "k", "value": "stored"}},
            {"operation": "upsert", "request": {"key": "k", "value": "told", "metadata": {"outbox.projection": "true"}}},
            {"operation": "delete", "request": {"key": "gone"}},
            {"operation": "upsert", "request": {"key": "own", "value": "own"}},
        ],
        "metadata": {"partitionKey": "u"},
    });
    assert_eq!(sidecar.api.post("/v1.0/state/statestore/transaction", body.to_string()).await.status, 204);
    let delivered = app.wait_for(2).await;
    assert_eq!((delivered[0].data(), delivered[1].data()), (&json!("told"), &json!("own")));
    assert_eq!(delivered[0].headers["__key"], "u");
    assert_eq!(sidecar.api.get("/v1.0/state/statestore/k").await.body, r#""stored""#);
    // A plain save is no transaction and publishes nothing.
    sidecar.api.save("saved", "1").await;
    sidecar.stop().await;
    assert_eq!(app.delivered().len(), 2);
}

#[tokio::test]
async fn other_metadata_becomes_attributes_as_in_dapr() {
    let app = App::start().await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    let metadata = json!({
        "contentType": "text/plain", "type": "mine", "custom": "x", "cloudevent.subject": "s", "ttlInSeconds": "60",
    });
    let body = json!({"operations": [
        {"operation": "upsert", "request": {"key": "k", "value": "a\"b", "metadata": metadata}},
    ]});
    assert_eq!(sidecar.api.post("/v1.0/state/statestore/transaction", body.to_string()).await.status, 204);
    let event = &app.wait_for(1).await[0].event;
    for (name, value) in
        [("type", "mine"), ("custom", "x"), ("subject", "s"), ("datacontenttype", "text/plain"), ("data", "a\"b")]
    {
        assert_eq!(event[name], value);
    }
    assert!(event.get("expiration").is_none(), "the item expires, not the event");
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outbox_whose_log_is_elsewhere_loses_nothing_when_the_process_is_killed() {
    let app = App::start().await;
    let elsewhere = COMPONENTS.replacen("value: todo.db", "value: state.db", 1);
    let mut place = Place::new(&format!("{elsewhere}{}", subscription("tasks", "task-events", "/events/task", "")));
    place.serve(&app);
    let (mut written, mut processes) = (0, 0);
    while written < 1000 {
        let process = Process::start(&place);
        processes += 1;
        let end = written + 200;
        while written < end {
            written += 1;
            let request = json!({
                "key": format!("k{written}"), "value": {"number": written}, "metadata": {"partitionKey": "u"},
            });
            let body = json!({"operations": [{"operation": "upsert", "request": request}]}).to_string();
            assert_eq!(process.api.post("/v1.0/state/statestore/transaction", body).await.status, 204);
        }
        process.kill();
    }
    let process = Process::start(&place);
    let first_times = eventually("every event", async || {
        let mut seen = BTreeSet::new();
        let first: Vec<_> = app.delivered().iter().filter_map(|event| event.data()["number"].as_i64()).collect();
        let first: Vec<_> = first.into_iter().filter(|number| seen.insert(*number)).collect();
        (first.len() == 1000).then_some(first)
    })
    .await;
    assert_eq!(first_times, (1..=1000).collect::<Vec<_>>());
    assert_eq!((processes, process.terminate().await.code()), (5, Some(0)));
    let file = rusqlite::Connection::open(place.path().join("data/state.db")).unwrap();
    let left: i64 = file.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn what_waits_for_a_component_that_is_gone_holds_up_nothing_else() {
    let app = App::start().await;
    let elsewhere = COMPONENTS.replacen("value: todo.db", "value: state.db", 1);
    let mut place = Place::new(&format!("{elsewhere}{}", subscription("tasks", "task-events", "/events/task", "")));
    place.serve(&app);
    place.start().await.stop().await;
    let file = rusqlite::Connection::open(place.path().join("data/state.db")).unwrap();
    let row = "INSERT INTO outbox (pubsub, topic, attributes, content) VALUES ('gone', 'task-events', '{}', X'7B7D')";
    (0..600).for_each(|_| assert_eq!(file.execute(row, []).unwrap(), 1));
    drop(file);
    let sidecar = place.start().await;
    let request = json!({"key": "k", "value": {"number": 1}});
    let body = json!({"operations": [{"operation": "upsert", "request": request}]}).to_string();
    assert_eq!(sidecar.api.post("/v1.0/state/statestore/transaction", body).await.status, 204);
    assert_eq!(app.wait_for(1).await[0].data()["number"], 1);
    sidecar.stop().await;
}
