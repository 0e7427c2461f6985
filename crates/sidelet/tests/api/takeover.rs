//! Two processes on one file: the second waits, and takes over when the first has ended.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{App, COMPONENTS, Place, Process, eventually};

fn place(app: &App) -> Place {
    let mut place = Place::new(COMPONENTS);
    place.serve(app);
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_comes_once_and_in_time_when_one_of_two_processes_is_killed() {
    let app = App::start().await;
    let place = place(&app);
    let first = Process::start(&place);
    let second = Process::start_waiting(&place);
    for path in ["/v1.0/healthz", "/v1.0/healthz/outbound"] {
        let answer = second.api.get(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (500, "ERR_HEALTH_NOT_READY"), "{path}");
    }
    let refused = second.api.get("/v1.0/state/statestore/k").await;
    assert_eq!((refused.status, refused.header("retry-after").as_str()), (503, "1"));
    let begin = Instant::now();
    for (name, due) in [("early", "0s"), ("reminder", "3s")] {
        let answer = first.api.post(&format!("/v1.0/jobs/{name}"), json!({ "dueTime": due }).to_string()).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }
    app.wait_for(1).await;
    eventually("the note of the first job", async || {
        (first.api.get("/v1.0/jobs/early").await.status == 404).then_some(())
    })
    .await;
    first.kill();
    app.wait_for(2).await;
    let took = begin.elapsed();
    assert!((Duration::from_secs(3)..Duration::from_secs(4)).contains(&took), "{took:?}");
    eventually("the note of the second job", async || {
        (second.api.get("/v1.0/jobs/reminder").await.status == 404).then_some(())
    })
    .await;
    assert_eq!(second.api.get("/v1.0/healthz/outbound").await.status, 204);
    assert_eq!(second.terminate().await.code(), Some(0));
    let routes: Vec<_> = app.delivered().into_iter().map(|fired| fired.route).collect();
    assert_eq!(routes, ["/job/early", "/job/reminder"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_waits_can_be_ended() {
    let app = App::start().await;
    let place = place(&app);
    let first = Process::start(&place);
    let second = Process::start_waiting(&place);
    let (status, log) = second.terminate_with_log().await;
    assert_eq!(status.code(), Some(0));
    assert_eq!(log.matches("another process has the database").count(), 1, "{log}");
    assert_eq!(first.terminate().await.code(), Some(0));
}
