//! Jobs and cron bindings that replicas share: each tick comes once, whoever made the job and whoever dies.

use std::time::{Duration, Instant};

use serde_json::json;

use super::faults::questions;
use crate::harness::{Api, App, Place, Process, Sidecar, eventually, postgres};

const CRON: &str = "
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: tick}
spec:
  type: bindings.cron
  version: v1
  metadata: [{name: schedule, value: '@every 1s'}, {name: direction, value: input}]
";

fn place(url: &str, app: &App, more: &str) -> Place {
    let mut place = Place::new(&format!("{}{more}", postgres::store("statestore", url, &[])));
    place.serve(app);
    place
}

/// A place whose questions have so long.
fn impatient(url: &str, app: &App, timeout: &str) -> Place {
    let mut place = Place::new(&postgres::store("statestore", url, &[("timeout", timeout)]));
    place.serve(app);
    place
}

/// Jobs of the year 2100, before all others by their names, as another replica might have made them.
fn jobs(count: u32) -> String {
    format!(
        "insert into state_job (app, name, due, terms, data) \
         select 'todo', 'a' || number, 4102444800000, '{{}}', 'null' from generate_series(1, {count}) as number"
    )
}

/// The count of questions to databases.
async fn asked(sidecar: &Sidecar) -> f64 {
    questions(&sidecar.api, &format!("http://{}", sidecar.running.metrics_addr().unwrap())).await
}

async fn schedule(api: &Api, name: &str, job: serde_json::Value) {
    let answer = api.post(&format!("/v1.0/jobs/{name}"), job.to_string()).await;
    assert_eq!(answer.status, 204, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_made_read_replaced_and_deleted_on_any_replica() {
    let (_, url) = postgres::database().await;
    let app = App::start().await;
    let (one, other) = (place(&url, &app, ""), place(&url, &app, ""));
    let (one, other) = (one.start().await, other.start().await);
    schedule(&one.api, "later", json!({"dueTime": "1h", "data": {"a": [1.50]}})).await;
    assert_eq!(other.api.get("/v1.0/jobs/later").await.body, one.api.get("/v1.0/jobs/later").await.body);
    let again = other.api.post("/v1.0/jobs/later", json!({"dueTime": "2h"}).to_string()).await;
    assert_eq!(again.status, 409);
    schedule(&other.api, "later", json!({"dueTime": "100ms", "overwrite": true, "data": 2})).await;
    let called = app.wait_for(1).await;
    assert_eq!((called[0].route.as_str(), &called[0].event), ("/job/later", &json!(2)));
    eventually("the end of the job", async || (one.api.get("/v1.0/jobs/later").await.status == 404).then_some(()))
        .await;
    schedule(&one.api, "gone", json!({"dueTime": "1h"})).await;
    assert_eq!(other.api.send(reqwest::Method::DELETE, "/v1.0/jobs/gone", "").await.status, 204);
    assert_eq!(one.api.get("/v1.0/jobs/gone").await.status, 404);
    one.stop().await;
    other.stop().await;
    assert_eq!(app.delivered().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tick_comes_once_from_two_replicas() {
    let (_, url) = postgres::database().await;
    let app = App::start().await;
    let (one, other) = (place(&url, &app, CRON), place(&url, &app, CRON));
    let (one, other) = (one.start().await, other.start().await);
    for number in 0..40 {
        let api = if number % 2 == 0 { &one.api } else { &other.api };
        schedule(api, &format!("job-{number}"), json!({"schedule": "@every 500ms", "repeats": 4})).await;
    }
    let of =
        |route: &str| app.delivered().iter().filter(|call| call.route == route && call.method != "OPTIONS").count();
    for number in 0..40 {
        eventually("four ticks of a job", async || (of(&format!("/job/job-{number}")) >= 4).then_some(())).await;
    }
    eventually("ticks of the binding", async || (of("/tick") >= 3).then_some(())).await;
    let (ticks, start) = (of("/tick"), Instant::now());
    eventually("five more ticks", async || (of("/tick") >= ticks + 5).then_some(())).await;
    assert!(start.elapsed() > Duration::from_secs(4), "ticks came twice: {:?}", start.elapsed());
    one.stop().await;
    other.stop().await;
    for number in 0..40 {
        assert_eq!(of(&format!("/job/job-{number}")), 4, "job {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_replica_that_was_killed_comes_from_the_other_one() {
    let (_, url) = postgres::database().await;
    let app = App::start().await;
    let (dying, living) = (place(&url, &app, ""), place(&url, &app, ""));
    let (dying, living) = (Process::start(&dying), Process::start(&living));
    schedule(&dying.api, "orphan", json!({"dueTime": "2s"})).await;
    dying.kill();
    let due = Instant::now() + Duration::from_secs(2);
    assert_eq!(app.wait_for(1).await[0].route, "/job/orphan");
    println!("a job of a killed replica came {:.2?} after its time", Instant::now().saturating_duration_since(due));
    eventually("the end of the job", async || (living.api.get("/v1.0/jobs/orphan").await.status == 404).then_some(()))
        .await;
    assert_eq!(living.terminate().await.code(), Some(0));
    assert_eq!(app.delivered().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_creation_was_not_answered_in_time_is_fired_all_the_same() {
    let (server, url) = postgres::database().await;
    let app = App::start().await;
    let sidecar = impatient(&url, &app, "1s").start().await;
    eventually("the ears", async || {
        let listening =
            "select count(*) from pg_stat_activity where datname = current_database() and query like 'LISTEN%'";
        (server.query(&url, listening).await.unwrap() == "1").then_some(())
    })
    .await;
    schedule(&sidecar.api, "other", json!({"dueTime": "1h"})).await;
    let lock = postgres::Lock::hold(server, &url, "lock table state_job in access exclusive mode").await;
    let answer = sidecar.api.post("/v1.0/jobs/late", json!({"dueTime": "2s"}).to_string()).await;
    assert_eq!((answer.status, answer.header("retry-after").as_str()), (503, "1"), "{answer:?}");
    // The database carries out what nobody waits for any more.
    lock.release().await;
    assert_eq!(app.wait_for(1).await[0].route, "/job/late");
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_learnt_some_at_a_time() {
    let (server, url) = postgres::database().await;
    let app = App::start().await;
    let place = place(&url, &app, "");
    place.start().await.stop().await;
    server.query(&url, &jobs(45_000)).await.unwrap();
    let last = "insert into state_job (app, name, due, terms, data) values ('todo', 'last', 1, '{}', 'null')";
    server.query(&url, last).await.unwrap();
    let sidecar = place.start().await;
    assert_eq!(app.wait_for(1).await[0].route, "/job/last");
    // The version of the tables, LISTEN, five pages, the claim, and perhaps the end of the job.
    let asked = asked(&sidecar).await;
    assert!((8.0..12.0).contains(&asked), "{asked}");
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_cannot_be_learnt_are_asked_for_less_and_less_often() {
    let (server, url) = postgres::database().await;
    let app = App::start().await;
    let place = impatient(&url, &app, "200ms");
    place.start().await.stop().await;
    server.query(&url, &jobs(1).replace("4102444800000", "1")).await.unwrap();
    let lock = postgres::Lock::hold(server, &url, "lock table state_job in access exclusive mode").await;
    let sidecar = place.start().await;
    let start = Instant::now();
    let mut questions = asked(&sidecar).await;
    while start.elapsed() < Duration::from_secs(4) {
        questions = asked(&sidecar).await;
    }
    // Each try is two of them.
    assert!(questions < 16.0, "{questions}");
    lock.release().await;
    assert_eq!(app.wait_for(1).await[0].route, "/job/a1");
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_that_a_clock_noted_that_was_ahead_stops_no_binding() {
    let (server, url) = postgres::database().await;
    let app = App::start().await;
    let place = place(&url, &app, CRON);
    let ahead = async || {
        let day = "update state_cron set due = due + 86400000 where claimed_by is null returning binding";
        eventually("a tick that nobody is at work on", async || {
            (server.query(&url, day).await.unwrap() == "tick").then_some(())
        })
        .await;
    };
    let sidecar = place.start().await;
    app.wait_for(1).await;
    // By another replica, whose clock it was.
    ahead().await;
    let before = app.delivered().len();
    app.wait_for(before + 3).await;
    sidecar.stop().await;
    // By this machine, whose clock it was until it was started again.
    ahead().await;
    let before = app.delivered().len();
    let sidecar = place.start().await;
    app.wait_for(before + 2).await;
    sidecar.stop().await;
}
