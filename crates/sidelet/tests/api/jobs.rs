//! Jobs: made, fired, failed on, and caught up with.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::response::IntoResponse;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Api, App, COMPONENTS, Place, Process, app::answer, eventually};

/// With a file, and the app `todo`.
fn place(app: &App) -> Place {
    let mut place = Place::new(COMPONENTS);
    place.serve(app);
    place
}

async fn schedule(api: &Api, name: &str, job: Value) {
    let answer = api.post(&format!("/v1.0/jobs/{name}"), job.to_string()).await;
    assert_eq!(answer.status, 204, "{answer:?}");
}

async fn get(api: &Api, name: &str) -> Answer {
    api.get(&format!("/v1.0/jobs/{name}")).await
}

async fn is_gone(api: &Api, name: &str) {
    eventually("the end of the job", async || (get(api, name).await.status == 404).then_some(())).await;
}

#[tokio::test]
async fn a_job_comes_once_at_its_time_with_its_data_and_is_gone() {
    let app = App::start().await;
    let mut place = place(&app);
    place.app_token = Some("secret".into());
    let sidecar = place.start().await;
    let begin = Instant::now();
    schedule(&sidecar.api, "call%20ada%2F1", json!({ "dueTime": "300ms", "data": { "b": 1, "a": [1.0] } })).await;
    let fired = app.wait_for(1).await;
    assert!(begin.elapsed() >= Duration::from_millis(300));
    assert_eq!(fired[0].route, "/job/call%20ada%2F1");
    assert_eq!(fired[0].event, json!({ "b": 1, "a": [1.0] }));
    assert_eq!(fired[0].headers["content-type"], "application/json");
    assert_eq!(fired[0].headers["dapr-api-token"], "secret");
    is_gone(&sidecar.api, "call%20ada%2F1").await;
    assert_eq!(app.delivered().len(), 1);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_job_without_data_comes_with_null() {
    let app = App::start().await;
    let place = place(&app);
    let sidecar = place.start().await;
    schedule(&sidecar.api, "bare", json!({ "dueTime": "0s" })).await;
    let fired = app.wait_for(1).await;
    assert_eq!((fired[0].event.clone(), &fired[0].headers["content-length"]), (Value::Null, &"4".parse().unwrap()));
    sidecar.stop().await;
}

#[tokio::test]
async fn a_job_is_read_as_it_was_written_and_removed() {
    let app = App::start().await;
    let place = place(&app);
    let sidecar = place.start().await;
    let api = &sidecar.api;
    let body = r#"{"schedule":"@every 1h","repeats":3,"dueTime":"2h","ttl":"24h","data":{"z":1e400,"a":"x"},"failurePolicy":{"constant":{"interval":"3s","maxRetries":5}}}"#;
    for path in ["/v1.0/jobs/j", "/v1.0-alpha1/jobs/k"] {
        assert_eq!(api.send(Method::PUT, path, body).await.status, 204);
        let answer = api.get(path).await;
        assert_eq!((answer.status, answer.header("content-type").as_str()), (200, "application/json"));
        assert!(answer.body.ends_with(r#""data":{"z":1e400,"a":"x"}}"#), "{answer:?}");
        let job: Value = serde_json::from_str(&answer.body.replace("1e400", "1")).unwrap();
        assert_eq!(
            (&job["schedule"], &job["repeats"], &job["dueTime"]),
            (&json!("@every 1h"), &json!(3), &json!("2h"))
        );
        assert_eq!(job["failurePolicy"], json!({ "constant": { "interval": "3s", "maxRetries": 5 } }));
        for status in [204, 204] {
            assert_eq!(api.send(Method::DELETE, path, "").await.status, status);
        }
        let gone = api.get(path).await;
        assert_eq!((gone.status, gone.code().as_str()), (404, "DAPR_SCHEDULER_GET_JOB"));
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn a_name_is_taken_until_it_is_overwritten() {
    let app = App::start().await;
    let place = place(&app);
    let sidecar = place.start().await;
    let api = &sidecar.api;
    schedule(api, "j", json!({ "dueTime": "1h", "data": 1 })).await;
    let taken = api.post("/v1.0/jobs/j", json!({ "dueTime": "0s", "data": 2 }).to_string()).await;
    assert_eq!((taken.status, taken.code().as_str()), (409, "DAPR_SCHEDULER_SCHEDULE_JOB"), "{taken:?}");
    schedule(api, "j", json!({ "dueTime": "0s", "data": 3, "overwrite": true })).await;
    assert_eq!(app.wait_for(1).await[0].event, 3);
    is_gone(api, "j").await;
    schedule(api, "j", json!({ "dueTime": "0s", "data": 4 })).await;
    assert_eq!(app.wait_for(2).await[1].event, 4);
    sidecar.stop().await;
}

#[tokio::test]
async fn what_is_no_job_is_refused_under_daprs_codes() {
    let app = App::start().await;
    let place = place(&app);
    let sidecar = place.start().await;
    for (path, body, code, message) in [
        ("j", "{}", "DAPR_SCHEDULER_SCHEDULE_EMPTY", "Schedule is empty"),
        ("%20", r#"{"schedule":"@daily"}"#, "DAPR_SCHEDULER_JOB_NAME_EMPTY", "Name is empty"),
        ("a%7Cb", r#"{"schedule":"@daily"}"#, "DAPR_SCHEDULER_JOB_NAME", "a job's name has 512 bytes at most"),
        ("j", r#"{"name":"k","schedule":"@daily"}"#, "DAPR_SCHEDULER_JOB_NAME", "Set the job name in the url only"),
        ("j", r#"{"schedule":"30 9 * * *"}"#, "DAPR_SCHEDULER_SCHEDULE_JOB", "expected cron with seconds"),
        ("j", r#"{"dueTime":"soon"}"#, "DAPR_SCHEDULER_SCHEDULE_JOB", "`dueTime` is `soon`"),
        ("j", "no json", "ERR_MALFORMED_REQUEST", "failed to unmarshal"),
    ] {
        let answer = sidecar.api.post(&format!("/v1.0/jobs/{path}"), body).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{path} {body}: {answer:?}");
        assert!(answer.body.contains(message), "{body}: {answer:?}");
        if code.starts_with("DAPR") {
            assert_eq!(answer.json()["details"][0]["reason"], code);
        }
    }
    let long = json!({ "dueTime": "1h", "data": "x".repeat(2 << 20) });
    assert_eq!(sidecar.api.post("/v1.0/jobs/j", long.to_string()).await.status, 400);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_job_repeats_as_often_as_it_says() {
    let app = App::start().await;
    let place = place(&app);
    let sidecar = place.start().await;
    let api = &sidecar.api;
    schedule(api, "thrice", json!({ "schedule": "@every 100ms", "repeats": 3 })).await;
    schedule(api, "while", json!({ "schedule": "@every 100ms", "dueTime": "0s", "ttl": "250ms" })).await;
    is_gone(api, "thrice").await;
    is_gone(api, "while").await;
    let count = |route: &str| app.delivered().iter().filter(|fired| fired.route == route).count();
    assert_eq!(count("/job/thrice"), 3);
    assert!((1..=3).contains(&count("/job/while")), "{}", count("/job/while"));
    sidecar.stop().await;
}

#[tokio::test]
async fn a_failing_app_is_asked_again_as_the_policy_says() {
    let app = App::answering(|fired| answer(if fired.route == "/job/unknown" { 404 } else { 500 }, "")).await;
    let place = place(&app);
    let sidecar = place.start().await;
    let constant = json!({ "constant": { "interval": "20ms", "maxRetries": 2 } });
    schedule(&sidecar.api, "constant", json!({ "dueTime": "0s", "failurePolicy": constant })).await;
    schedule(&sidecar.api, "drop", json!({ "dueTime": "0s", "failurePolicy": { "drop": {} } })).await;
    schedule(&sidecar.api, "unknown", json!({ "dueTime": "0s" })).await;
    schedule(&sidecar.api, "default", json!({ "dueTime": "0s" })).await;
    let begin = Instant::now();
    for (name, tries) in [("constant", 3), ("drop", 1), ("unknown", 1), ("default", 4)] {
        is_gone(&sidecar.api, name).await;
        let count = app.delivered().iter().filter(|fired| fired.route == format!("/job/{name}")).count();
        assert_eq!(count, tries, "{name}");
    }
    assert!(begin.elapsed() >= Duration::from_millis(2900), "a second between tries");
    sidecar.stop().await;
}

#[tokio::test]
async fn a_job_without_end_is_tried_until_the_app_takes_it() {
    let tries = Arc::new(AtomicUsize::new(0));
    let count = tries.clone();
    let app =
        App::answering(move |_| answer(if count.fetch_add(1, Ordering::SeqCst) < 10 { 500 } else { 200 }, "")).await;
    let place = place(&app);
    let sidecar = place.start().await;
    let policy = json!({ "constant": { "interval": "5ms" } });
    schedule(&sidecar.api, "j", json!({ "dueTime": "0s", "failurePolicy": policy })).await;
    is_gone(&sidecar.api, "j").await;
    assert_eq!(tries.load(Ordering::SeqCst), 11);
    sidecar.stop().await;
}

#[tokio::test]
async fn an_app_that_is_not_there_is_waited_for() {
    let mut app = App::absent(|_| ().into_response());
    let place = place(&app);
    let sidecar = place.start().await;
    for number in 0..40 {
        let policy = json!({ "drop": {} });
        schedule(
            &sidecar.api,
            &format!("j{number}"),
            json!({ "dueTime": "0s", "data": number, "failurePolicy": policy }),
        )
        .await;
    }
    app.listen().await;
    let mut fired: Vec<_> = app.wait_for(40).await.iter().map(|fired| fired.event.as_i64().unwrap()).collect();
    fired.sort_unstable();
    assert_eq!(fired, (0..40).collect::<Vec<_>>());
    sidecar.stop().await;
}

#[tokio::test]
async fn what_fell_due_while_the_sidecar_was_down_comes_once() {
    let mut app = App::absent(|_| ().into_response());
    let place = place(&app);
    let sidecar = place.start().await;
    schedule(&sidecar.api, "once", json!({ "dueTime": "0s" })).await;
    schedule(&sidecar.api, "often", json!({ "schedule": "@every 1h", "dueTime": "0s" })).await;
    schedule(&sidecar.api, "later", json!({ "dueTime": "1h" })).await;
    sidecar.stop().await;
    // Five ticks ago.
    let file = rusqlite::Connection::open(place.database()).unwrap();
    file.execute("UPDATE job SET due = due - 5 * 3600000 WHERE name = 'often'", []).unwrap();
    drop(file);
    app.listen().await;
    let sidecar = place.start().await;
    is_gone(&sidecar.api, "once").await;
    eventually("the note of the tick", async || {
        let file = rusqlite::Connection::open(place.database()).unwrap();
        let fired: i64 = file.query_row("SELECT fired FROM job WHERE name = 'often'", [], |row| row.get(0)).unwrap();
        (fired == 1).then_some(())
    })
    .await;
    sidecar.stop().await;
    let sidecar = place.start().await;
    schedule(&sidecar.api, "mark", json!({ "dueTime": "0s" })).await;
    is_gone(&sidecar.api, "mark").await;
    let mut routes: Vec<_> = app.delivered().into_iter().map(|fired| fired.route).collect();
    routes.sort();
    assert_eq!(routes, ["/job/mark", "/job/often", "/job/once"]);
    assert_eq!(get(&sidecar.api, "later").await.status, 200);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_slow_app_gets_the_next_tick_when_it_has_answered() {
    let (at_once, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (at_once.clone(), most.clone());
    let app = App::answering(move |_| {
        let (at_once, most) = &counts;
        most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        // It is the work that is slow.
        std::thread::sleep(Duration::from_millis(250));
        at_once.fetch_sub(1, Ordering::SeqCst);
        ().into_response()
    })
    .await;
    let place = place(&app);
    let sidecar = place.start().await;
    schedule(&sidecar.api, "slow", json!({ "schedule": "@every 100ms", "repeats": 4 })).await;
    is_gone(&sidecar.api, "slow").await;
    assert_eq!((app.delivered().len(), most.load(Ordering::SeqCst)), (4, 1));
    sidecar.stop().await;
}

#[tokio::test]
async fn jobs_belong_to_an_app() {
    let (todo, other) = (App::start().await, App::start().await);
    let mut place = place(&todo);
    place.apps.insert("another".into(), sidelet::AppAddress::parse(&other.address()).unwrap());
    let sidecar = place.start().await;
    let send = async |method: Method, app: &str, body: &str| {
        let request = sidecar.api.client.request(method, format!("{}/v1.0/jobs/same", sidecar.api.address));
        Answer::read(request.header("dapr-caller-app-id", app).body(body.to_owned()).send().await.unwrap()).await
    };
    schedule(&sidecar.api, "same", json!({ "dueTime": "1h", "data": "todo" })).await;
    assert_eq!(send(Method::POST, "another", r#"{"dueTime":"0s","data":"another"}"#).await.status, 204);
    assert_eq!(other.wait_for(1).await[0].event, "another");
    eventually("the end of the job", async || (send(Method::GET, "another", "").await.status == 404).then_some(()))
        .await;
    assert_eq!(send(Method::GET, "todo", "").await.json()["data"], "todo");
    let unknown = send(Method::GET, "nobody", "").await;
    assert_eq!(unknown.status, 400);
    assert!(unknown.body.contains("expected `another`, `todo`"), "{unknown:?}");
    assert_eq!(todo.delivered().len(), 0);
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_survives_a_kill_and_comes_within_a_second_of_its_time() {
    let app = App::start().await;
    let place = place(&app);
    let process = Process::start(&place);
    let begin = Instant::now();
    schedule(&process.api, "reminder", json!({ "dueTime": "2s" })).await;
    process.kill();
    let process = Process::start(&place);
    app.wait_for(1).await;
    let took = begin.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(3)).contains(&took), "{took:?}");
    is_gone(&process.api, "reminder").await;
    assert_eq!(process.terminate().await.code(), Some(0));
    assert_eq!(app.delivered().len(), 1);
}

#[tokio::test]
async fn operators_see_what_waits_and_what_is_late() {
    let mut app = App::absent(|_| ().into_response());
    let place = place(&app);
    let sidecar = place.start().await;
    schedule(&sidecar.api, "next", json!({ "dueTime": "2030-01-01T00:00:00Z" })).await;
    schedule(&sidecar.api, "late", json!({ "dueTime": "2020-01-01T00:00:00Z" })).await;
    let view = sidecar.api.get("/sidelet/v1/jobs").await.json();
    let late = json!([{ "name": "late", "due": "2020-01-01T00:00:00Z" }]);
    assert_eq!(view["apps"], json!([{ "app": "todo", "jobs": 2, "nextDue": "2020-01-01T00:00:00Z", "late": late }]));
    app.listen().await;
    is_gone(&sidecar.api, "late").await;
    let view = sidecar.api.get("/sidelet/v1/jobs").await.json();
    assert_eq!(view["apps"], json!([{ "app": "todo", "jobs": 1, "nextDue": "2030-01-01T00:00:00Z", "late": [] }]));
    let address = sidecar.running.metrics_addr().unwrap();
    let metrics =
        sidecar.api.client.get(format!("http://{address}/metrics")).send().await.unwrap().text().await.unwrap();
    for line in [
        r#"dapr_component_job_success_count{app_id="todo",operation="job_trigger_op"} 1"#,
        r#"dapr_component_job_latencies_count{app_id="todo",operation="job_trigger_op"} 1"#,
        r#"sidelet_jobs_late_total{app_id="todo"} 1"#,
    ] {
        assert!(metrics.lines().any(|given| given == line), "`{line}` is not in:\n{metrics}");
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn a_file_of_the_release_before_is_brought_up_to_date() {
    let app = App::start().await;
    let place = place(&app);
    let sidecar = place.start().await;
    sidecar.api.save("k", "1").await;
    sidecar.stop().await;
    let file = rusqlite::Connection::open(place.database()).unwrap();
    file.execute_batch("DROP TABLE outbox; DROP TABLE job; DROP TABLE cron_tick; PRAGMA user_version = 1").unwrap();
    drop(file);
    let sidecar = place.start().await;
    assert_eq!(sidecar.api.get("/v1.0/state/statestore/k").await.body, "1");
    schedule(&sidecar.api, "j", json!({ "dueTime": "0s" })).await;
    app.wait_for(1).await;
    sidecar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_waits_for_the_job_in_flight() {
    let (begun, goes_on) = (Arc::new(tokio::sync::Notify::new()), Arc::new(std::sync::Barrier::new(2)));
    let (begins, waits) = (begun.clone(), goes_on.clone());
    let app = App::answering(move |_| {
        begins.notify_one();
        tokio::task::block_in_place(|| waits.wait());
        ().into_response()
    });
    let app = app.await;
    let place = place(&app);
    let sidecar = place.start().await;
    schedule(&sidecar.api, "slow", json!({ "dueTime": "0s" })).await;
    begun.notified().await;
    let end = tokio::spawn(sidecar.stop());
    tokio::task::spawn_blocking(move || goes_on.wait()).await.unwrap();
    end.await.unwrap();
    let sidecar = place.start().await;
    assert_eq!(get(&sidecar.api, "slow").await.status, 404, "what was answered in time is over");
    sidecar.stop().await;
    assert_eq!(app.delivered().len(), 1);
}

#[tokio::test]
async fn without_a_file_jobs_are_kept_in_memory() {
    let app = App::start().await;
    let mut place = Place::new("");
    place.serve(&app);
    let sidecar = place.start().await;
    schedule(&sidecar.api, "j", json!({ "schedule": "@every 100ms", "repeats": 2, "data": 1 })).await;
    is_gone(&sidecar.api, "j").await;
    assert_eq!(app.delivered().len(), 2);
    sidecar.stop().await;
}
