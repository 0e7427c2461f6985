//! A clock that is set: back, where what was written before has times that are yet to come; and forwards.

use serde_json::json;

use crate::harness::{App, COMPONENTS, Place, Process, faketime};

/// Two hours, by which the clock was wrong.
const AHEAD: i64 = 7_200_000;

#[tokio::test]
async fn a_clock_that_is_set_back_loses_nothing_and_keeps_the_order() {
    let mut app = App::absent(|_| axum::response::IntoResponse::into_response(()));
    let place = Place::with_app(&app);
    let publish = async |sidecar: &crate::harness::Sidecar, number: i64| {
        let path = "/v1.0/publish/pubsub/task-events?metadata.partitionKey=k";
        assert_eq!(sidecar.api.post(path, number.to_string()).await.status, 204);
    };
    let sidecar = place.start().await;
    for number in 0..5 {
        publish(&sidecar, number).await;
    }
    let item =
        json!([{"key": "lasting", "value": 1, "metadata": {"ttlInSeconds": "100"}}, {"key": "plain", "value": 2}]);
    assert_eq!(sidecar.api.post("/v1.0/state/statestore", item.to_string()).await.status, 204);
    let etag = sidecar.api.etag("plain").await;
    sidecar.stop().await;
    let file = rusqlite::Connection::open(place.database()).unwrap();
    file.execute("UPDATE message SET time = time + ?1", [AHEAD]).unwrap();
    file.execute("UPDATE item SET expires = expires + ?1", [AHEAD]).unwrap();
    drop(file);
    let sidecar = place.start().await;
    for number in 5..10 {
        publish(&sidecar, number).await;
    }
    app.listen().await;
    let delivered = app.wait_for(10).await;
    let numbers: Vec<_> = delivered.iter().map(|event| event.data().as_i64().unwrap()).collect();
    assert_eq!(numbers, (0..10).collect::<Vec<_>>());
    let offsets: Vec<i64> =
        delivered.iter().map(|event| event.headers["__offset"].to_str().unwrap().parse().unwrap()).collect();
    assert_eq!(offsets, (0..10).collect::<Vec<_>>());
    let mut ids: Vec<_> = delivered.iter().map(|event| event.event["id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 10);
    for key in ["lasting", "plain"] {
        assert_eq!(sidecar.api.get(&format!("/v1.0/state/statestore/{key}")).await.status, 200, "{key}");
    }
    let write = json!([{"key": "plain", "value": 3, "etag": etag}]);
    assert_eq!(sidecar.api.post("/v1.0/state/statestore", write.to_string()).await.status, 204);
    sidecar.stop().await;
    let sidecar = place.start().await;
    publish(&sidecar, 10).await;
    let delivered = app.wait_for(11).await;
    assert_eq!((delivered.len(), delivered[10].data().as_i64()), (11, Some(10)), "nothing came twice");
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_the_next_month_comes_soon_after_the_clock_is_set_forwards() {
    let app = App::start().await;
    let mut place = Place::new(COMPONENTS);
    place.serve(&app);
    let clock = place.path().join("clock");
    std::fs::write(&clock, "+0").unwrap();
    let mut command = Process::command(&place);
    command.env("LD_PRELOAD", faketime()).env("FAKETIME_TIMESTAMP_FILE", &clock);
    // Deadlines run on the clock that only runs forwards, as on every machine.
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("FAKETIME_CACHE_DURATION", "1");
    let process = Process::spawn(&mut command);
    for (name, due) in [("month", "720h"), ("later", "1000h")] {
        let job = json!({ "dueTime": due }).to_string();
        assert_eq!(process.api.post(&format!("/v1.0/jobs/{name}"), job).await.status, 204);
    }
    let begin = std::time::Instant::now();
    std::fs::write(&clock, "+2592001").unwrap();
    assert_eq!(app.wait_for(1).await[0].route, "/job/month");
    // A second for the look at the clock, and one until the library reads its file again.
    assert!(begin.elapsed() < std::time::Duration::from_secs(4), "{:?}", begin.elapsed());
    assert_eq!(process.api.get("/v1.0/jobs/later").await.status, 200);
    assert_eq!(process.terminate().await.code(), Some(0));
}
