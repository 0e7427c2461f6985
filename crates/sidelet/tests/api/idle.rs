//! Nothing is asked of the database while nothing is due.

use std::{process::Command, time::Instant};

use serde_json::json;
use sidelet::AppAddress;

use crate::harness::{Api, App, COMPONENTS, Place, Process, eventually, faketime, subscription};

/// The count of questions to databases.
async fn queries(api: &Api, metrics: &str) -> f64 {
    let text = api.client.get(format!("{metrics}/metrics")).send().await.unwrap().text().await.unwrap();
    let counts = text.lines().filter(|line| line.starts_with("sidelet_database_queries_total{"));
    counts.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_minute_asks_nothing_of_the_database() {
    let app = App::start().await;
    let cron = "\n---\napiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: tick}\nspec:\n  type: bindings.cron\n  version: v1\n  metadata: [{name: schedule, value: '@every 1000h'}, {name: direction, value: input}]\n";
    let mut place = Place::new(&format!("{COMPONENTS}{}{cron}", subscription("s", "t", "/t", "t-dlq")));
    place.serve(&app);
    place.apps.insert("gone".into(), AppAddress::parse("http://127.0.0.1:1").unwrap());
    // Every clock of the process, and every wait, is sixty times as fast: its minute is a second.
    let mut command: Command = Process::command(&place);
    command.env("LD_PRELOAD", faketime()).env("FAKETIME", "+0 x60");
    let process = Process::spawn(&mut command);
    let (api, metrics) = (&process.api, process.metrics());
    // Some of everything that waits: a subscriber, an item that expires, jobs, a binding.
    api.publish("t", "k", 1).await;
    let item = r#"[{"key":"k","value":1,"metadata":{"ttlInSeconds":"36000"}}]"#;
    assert_eq!(api.post("/v1.0/state/statestore", item).await.status, 204);
    for (name, due) in [("hour", "1h"), ("days", "720h")] {
        let job = json!({ "dueTime": due }).to_string();
        assert_eq!(api.post(&format!("/v1.0/jobs/{name}"), job).await.status, 204);
    }
    // And what cannot end: a job that is due of an app that is not there.
    let job = api.client.post(format!("{}/v1.0/jobs/due", api.address)).header("dapr-caller-app-id", "gone");
    assert_eq!(job.body(json!({ "dueTime": "0s" }).to_string()).send().await.unwrap().status(), 204);
    app.wait_for(1).await;
    let job = json!({ "dueTime": "150s" }).to_string();
    assert_eq!(api.post("/v1.0/jobs/minutes", job).await.status, 204);
    // What was noted of the event is written, and what the start left to do is done.
    let settled = eventually("the end of what was to do", async || {
        let before = queries(api, &metrics).await;
        let quiet = Instant::now();
        while quiet.elapsed().as_millis() < 300 {
            if queries(api, &metrics).await > before {
                return None;
            }
        }
        Some(before)
    })
    .await;
    // The job says when the time is over: the process' own two and a half minutes.
    app.wait_for(2).await;
    eventually("the one read and the one note of the job", async || {
        (queries(api, &metrics).await == settled + 2.0).then_some(())
    })
    .await;
    assert_eq!(process.terminate().await.code(), Some(0));
}
