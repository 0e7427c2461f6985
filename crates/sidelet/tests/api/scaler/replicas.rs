//! KEDA listens to one replica, and another one is at work.

use std::time::Duration;

use serde_json::json;

use super::{
    absent,
    client::{Keda, Pushes},
};
use crate::harness::{App, Place, postgres};

const BINDING: &str = "
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: nightly}
spec:
  type: bindings.cron
  version: v1
  metadata: [{name: schedule, value: '@yearly'}, {name: direction, value: input}]
";

fn place(url: &str, app: &App) -> Place {
    let mut place = Place::new(&format!("{}{BINDING}", postgres::store("statestore", url, &[])));
    place.serve(app);
    place
}

/// Waits until a stream says it.
async fn says(stream: &mut Pushes, active: bool) {
    while stream.next().await != Some(active) {}
}

#[tokio::test]
async fn a_tick_that_another_replica_has_taken_keeps_its_app_active() {
    let (server, url) = postgres::database().await;
    let mut app = absent();
    place(&url, &app).start().await.stop().await;
    // Both replicas find it due when they start, and one of them takes it.
    let due = "insert into state_cron (binding, app, schedule, due) values ('nightly', 'todo', '@yearly', 1) \
               on conflict (binding, app) do update set due = 1";
    server.query(&url, due).await.unwrap();
    let (one, other) = (place(&url, &app), place(&url, &app));
    let sidecars = [one.start().await, other.start().await];
    for sidecar in &sidecars {
        let keda = Keda::of(sidecar);
        let mut stream = keda.stream(&[("app", "todo")]).await;
        says(&mut stream, true).await;
        assert!(stream.says_nothing_for(Duration::from_secs(2)).await);
        assert!(keda.is_active(&[("app", "todo")]).await);
        assert_eq!(keda.metric(&[("app", "todo")]).await.1, 1);
    }
    app.listen().await;
    assert_eq!(app.wait_for(1).await[0].route, "/nightly");
    for sidecar in &sidecars {
        says(&mut Keda::of(sidecar).stream(&[("app", "todo")]).await, false).await;
    }
    for sidecar in sidecars {
        sidecar.stop().await;
    }
    assert_eq!(app.delivered().len(), 1);
}

#[tokio::test]
async fn a_job_that_another_replica_has_taken_keeps_its_app_active() {
    let (_, url) = postgres::database().await;
    let mut app = absent();
    let (one, other) = (place(&url, &app), place(&url, &app));
    let sidecars = [one.start().await, other.start().await];
    let job = json!({"dueTime": "300ms"}).to_string();
    assert_eq!(sidecars[0].api.post("/v1.0/jobs/wake", job).await.status, 204);
    let mut streams = Vec::new();
    for sidecar in &sidecars {
        let mut stream = Keda::of(sidecar).stream(&[("app", "todo")]).await;
        says(&mut stream, true).await;
        streams.push(stream);
    }
    for stream in &mut streams {
        assert!(stream.says_nothing_for(Duration::from_secs(2)).await);
    }
    app.listen().await;
    assert_eq!(app.wait_for(1).await[0].route, "/job/wake");
    for stream in &mut streams {
        says(stream, false).await;
    }
    for sidecar in sidecars {
        sidecar.stop().await;
    }
    assert_eq!(app.delivered().len(), 1);
}
