//! Start, health and end.

use std::sync::Arc;

use axum::response::IntoResponse;
use reqwest::Method;
use tokio::sync::Notify;

use crate::harness::{App, COMPONENTS, Place, Process};

#[tokio::test]
async fn health_waits_for_the_app_and_stays_well_when_it_leaves() {
    let mut app = App::absent(|_| ().into_response());
    let mut place = Place::with_app(&app);
    place.awaited = true;
    let sidecar = place.start().await;
    let answer = sidecar.api.get("/v1.0/healthz").await;
    assert_eq!((answer.status, answer.code().as_str()), (500, "ERR_HEALTH_NOT_READY"));
    assert_eq!(answer.json()["message"], "dapr is not ready: [runtime]");
    assert_eq!(sidecar.api.get("/v1.0/healthz/outbound").await.status, 204);
    app.listen().await;
    assert_eq!(sidecar.api.get("/v1.0/healthz").await.status, 204);
    app.leave().await;
    assert_eq!(sidecar.api.get("/v1.0/healthz").await.status, 204);
    assert_eq!(sidecar.api.get("/v1.0/healthz?appid=todo").await.status, 204);
    assert_eq!(sidecar.api.get("/v1.0/healthz?appid=other").await.code(), "ERR_HEALTH_APPID_NOT_MATCH");
    sidecar.stop().await;
}

#[tokio::test]
async fn metadata_tells_components_subscriptions_and_labels() {
    let app = App::start().await;
    let sidecar = Place::with_app(&app).start().await;
    assert_eq!(sidecar.api.send(Method::PUT, "/v1.0/metadata/label", "text").await.status, 204);
    let metadata = sidecar.api.get("/v1.0/metadata").await.json();
    assert_eq!((&metadata["id"], &metadata["extended"]["label"]), (&"todo".into(), &"text".into()));
    assert_eq!(metadata["components"][0]["name"], "statestore");
    assert_eq!(metadata["components"][0]["capabilities"][0], "ETAG");
    assert_eq!(metadata["subscriptions"][0]["rules"][0]["path"], "/events/task");
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_waits_for_the_delivery_in_flight() {
    let (begun, goes_on) = (Arc::new(Notify::new()), Arc::new(std::sync::Barrier::new(2)));
    let app = App::answering({
        let (begun, goes_on) = (begun.clone(), goes_on.clone());
        move |_| {
            begun.notify_one();
            tokio::task::block_in_place(|| goes_on.wait());
            ().into_response()
        }
    });
    let app = app.await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    sidecar.api.post("/v1.0/publish/pubsub/task-events", "1").await;
    begun.notified().await;
    let api = sidecar.api.clone();
    let end = tokio::spawn(sidecar.stop());
    // The API is there for the handler that is still at work.
    assert_eq!(api.get("/v1.0/healthz/outbound").await.status, 204);
    tokio::task::spawn_blocking(move || goes_on.wait()).await.unwrap();
    end.await.unwrap();
    place.start().await.stop().await;
    assert_eq!(app.delivered().len(), 1, "what was answered in time does not come again");
}

#[tokio::test]
async fn the_command_ends_well_when_asked_over_the_api() {
    let place = Place::new(COMPONENTS);
    let process = Process::start(&place);
    process.api.save("k", "1").await;
    assert_eq!(process.api.post("/v1.0/shutdown", "").await.status, 204);
    assert_eq!(process.wait().await.code(), Some(0));
    assert!(!place.path().join("data/todo.db-wal").exists(), "the log of writes is folded into the file");
    assert!(Process::start(&place).terminate().await.success());
}

#[test]
fn the_command_tells_what_is_wrong_by_line_and_exit_code() {
    let place = Place::new("kind: Component");
    let run = |arguments: &[&str]| {
        let output = Process::command(&place).args(arguments).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, line) = run(&["--nonsense"]);
    assert_eq!((code, line.as_str()), (2, "sidelet: `--nonsense` is not a flag of daprd's or of ours; see --help\n"));
    let (code, line) = run(&[]);
    assert!(code == 3 && line.contains("all.yaml") && line.lines().count() == 1, "{line}");
}
