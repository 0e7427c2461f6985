//! A clock that was set back: what was written before has times that are yet to come.

use serde_json::json;

use crate::harness::{App, Place};

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
