//! What apps themselves subscribe to.

use std::collections::BTreeSet;

use axum::response::IntoResponse;
use serde_json::json;

use crate::harness::{App, COMPONENTS, DEADLINE, Place, Process, app::answer, eventually, subscription};

#[tokio::test]
async fn an_app_is_asked_until_it_is_there_and_gets_what_came_meanwhile() {
    let mut app = App::absent(|_| ().into_response());
    app.subscribes(&json!([
        {"pubsubname": "pubsub", "topic": "one", "route": "first"},
        {"pubsubname": "pubsub", "topic": "two", "routes": {
            "rules": [{"match": "event.data.number == 1", "path": "/chosen"}], "default": "/default"}},
        {"pubsubname": "pubsub", "topic": "broken", "routes": {"rules": [{"match": "event.", "path": "/x"}]}},
        {"pubsubname": "nobody", "topic": "x", "route": "/x"},
        {"pubsubname": "pubsub", "topic": "empty", "route": ""},
    ]));
    let mut place = Place::new(COMPONENTS);
    place.serve(&app);
    place.app_token = Some("secret".into());
    let sidecar = place.start().await;
    for number in [1, 2] {
        sidecar.api.publish("one", "k", number).await;
        sidecar.api.publish("two", "k", number).await;
    }
    app.listen().await;
    let delivered = app.wait_for(4).await;
    let seen: BTreeSet<_> =
        delivered.iter().map(|message| (message.route.as_str(), message.data()["number"].as_i64().unwrap())).collect();
    assert_eq!(seen, [("/first", 1), ("/first", 2), ("/chosen", 1), ("/default", 2)].into());
    assert!(delivered.iter().all(|message| message.headers["dapr-api-token"] == "secret"));
    let metadata = sidecar.api.get("/v1.0/metadata").await.json();
    let listed = metadata["subscriptions"].as_array().unwrap();
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert_eq!((&listed[0]["type"], &listed[0]["topic"]), (&json!("PROGRAMMATIC"), &json!("one")));
    sidecar.stop().await;
    assert_eq!(app.asked(), 1, "an answer is enough");
}

#[tokio::test]
async fn an_app_without_a_list_has_no_subscription() {
    let app = App::start().await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    sidecar.api.publish("task-events", "k", 1).await;
    app.wait_for(1).await;
    eventually("the question", async || (app.asked() > 0).then_some(())).await;
    sidecar.stop().await;
    assert_eq!((app.asked(), app.delivered().len()), (1, 1));
}

#[tokio::test]
async fn an_app_that_is_away_is_asked_once_however_often_the_files_were_read_meanwhile() {
    let mut app = App::absent(|_| axum::response::IntoResponse::into_response(()));
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    for _ in 0..10 {
        sidecar.running.reload().await;
    }
    app.listen().await;
    eventually("the question", async || (app.asked() > 0).then_some(())).await;
    // Longer than the longest wait for an app that is away.
    let start = std::time::Instant::now();
    while start.elapsed() < std::time::Duration::from_secs(3) {
        assert_eq!(app.asked(), 1);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn a_document_and_an_app_that_say_the_same_bring_an_event_once() {
    let app = App::start().await;
    app.subscribes(&json!([
        {"pubsubname": "pubsub", "topic": "t", "route": "/own"},
        {"pubsubname": "pubsub", "topic": "other", "route": "/other"},
    ]));
    let mut place = Place::new(&format!("{COMPONENTS}{}", subscription("s", "t", "/declared", "")));
    place.serve(&app);
    let sidecar = place.start().await;
    sidecar.api.publish("t", "k", 1).await;
    sidecar.api.publish("other", "k", 1).await;
    let delivered = app.wait_for(2).await;
    let mut routes: Vec<_> = delivered.iter().map(|message| message.route.as_str()).collect();
    routes.sort_unstable();
    assert_eq!(routes, ["/declared", "/other"]);
    sidecar.stop().await;
}

#[tokio::test]
async fn an_apps_own_dead_letters_and_progress_outlive_a_kill() {
    let app = App::answering(|delivered| match delivered.data()["number"].as_i64() {
        Some(1) if delivered.route == "/own" => answer(404, ""),
        _ => answer(200, ""),
    })
    .await;
    app.subscribes(&json!([
        {"pubsubname": "pubsub", "topic": "t", "route": "/own", "deadLetterTopic": "t-dlq"},
        {"pubsubname": "pubsub", "topic": "t-dlq", "route": "/letters"},
    ]));
    let mut place = Place::new(COMPONENTS);
    place.serve(&app);
    let process = Process::start(&place);
    for number in 0..3 {
        process.api.publish("t", "k", number).await;
    }
    app.wait_for(4).await;
    // How far a group came is written a tenth of a second later: then nothing comes twice.
    let file = rusqlite::Connection::open_with_flags(place.database(), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
    let file = file.unwrap();
    file.busy_timeout(DEADLINE).unwrap();
    eventually("the note of how far they came", async || {
        let text = "SELECT sum(next) FROM consumer_offset WHERE consumer_group LIKE 'todo/pubsub/%'";
        let finished: i64 = file.query_row(text, [], |row| row.get(0)).unwrap();
        (finished == 4).then_some(())
    })
    .await;
    drop(file);
    process.kill();
    let process = Process::start(&place);
    process.api.publish("t", "k", 3).await;
    let delivered = app.wait_for(5).await;
    assert_eq!(process.terminate().await.code(), Some(0));
    let own: Vec<_> = delivered
        .iter()
        .filter(|message| message.route == "/own")
        .map(|message| message.data()["number"].as_i64().unwrap())
        .collect();
    assert_eq!(own, [0, 1, 2, 3]);
    assert_eq!(app.delivered().len(), 5, "the group goes on where it was");
}
