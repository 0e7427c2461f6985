//! Bodies of the jobs API: schedules, times, policies.

use std::time::{Duration, Instant};

use fuzzing::damaged;
use proptest::{prelude::*, sample::select};
use serde_json::Value;

use super::check_on;
use crate::harness::{App, COMPONENTS, Place};

const SCHEDULES: [&str; 14] = [
    "0 30 9 * * 1-5",
    "*/10 0-30/5,45 1,2,3 ? jan-DEC sun",
    "0 0 0 L 2 5#2",
    "0 0 0 15W * 5L",
    "5/20 * * * * *",
    "0 0 0 29 2 1",
    "0 0 0 31 2,4 *",
    "CRON_TZ=Europe/Berlin 0 30 2 * 3,10 *",
    "TZ=America/St_Johns @daily",
    "@every 1h30m1.5s",
    "@every 100ms",
    "@hourly",
    "@annually",
    "* * * * *",
];
const TIMES: [&str; 9] = [
    "1h",
    "-1.5h3ms",
    "0",
    "PT1H30M",
    "P1Y2M3W4DT5H6M7S",
    "2030-01-31T09:00:00.5+05:45",
    "9999-12-31T23:59:59Z",
    "292y",
    "2540400h10m",
];
const REST: [&str; 8] = [
    r#""data":{"a":[1e400,"\ud800"]}"#,
    r#""data":null,"overwrite":true"#,
    r#""repeats":4294967295,"overwrite":true"#,
    r#""repeats":-1"#,
    r#""failurePolicy":{"drop":{}}"#,
    r#""failurePolicy":{"constant":{"interval":"10s","maxRetries":3}}"#,
    r#""failure_policy":{"constant":{"interval":"PT1S"}},"ttl":"P1D""#,
    r#""ttl":"24h","name":"""#,
];
const PARTS: [&str; 12] = [
    "\"schedule\":",
    "\"dueTime\":",
    "null",
    "@every ",
    "CRON_TZ=",
    "L",
    "W",
    "#",
    "9999999999999999999",
    "h",
    "P",
    "T",
];

fn bodies() -> impl Strategy<Value = String> {
    let schedule = select(&SCHEDULES[..]).prop_map(|text| format!(r#"{{"schedule":"{text}","#));
    let time = select(&TIMES[..]).prop_map(|text| format!(r#"{{"dueTime":"{text}","#));
    let both = (select(&SCHEDULES[..]), select(&TIMES[..]))
        .prop_map(|(schedule, time)| format!(r#"{{"schedule":"{schedule}","dueTime":"{time}","#));
    let whole =
        (prop_oneof![schedule, time, both], select(&REST[..])).prop_map(|(begin, rest)| format!("{begin}{rest}}}"));
    damaged(whole, &PARTS)
}

#[test]
fn any_job_is_taken_or_refused_and_what_was_taken_is_read_back() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (sidecar, _app) = runtime.block_on(async {
        // What is due at once stays: nobody is there to take it.
        let app = App::absent(|_| axum::response::IntoResponse::into_response(()));
        let mut place = Place::new(COMPONENTS);
        place.serve(&app);
        (place.start().await, (app, place))
    });
    let api = &sidecar.api.clone();
    check_on(&runtime, 600, &bodies(), async |body| {
        let begin = Instant::now();
        let answer = api.post("/v1.0/jobs/fuzz", body.clone()).await;
        prop_assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
        if answer.status == 400 {
            let refusal = answer.json();
            let code = refusal["errorCode"].as_str().unwrap_or_default();
            prop_assert!(code == "ERR_MALFORMED_REQUEST" || code.starts_with("DAPR_SCHEDULER_"), "{:?}", answer);
            prop_assert!(answer.body.len() < 2_000, "{:?}", answer);
            return Ok(());
        }
        prop_assert_eq!(answer.status, 204, "{:?}", answer);
        let read = api.get("/v1.0/jobs/fuzz").await;
        prop_assert_eq!(read.status, 200);
        if let (Ok(sent), Ok(read)) = (serde_json::from_str::<Value>(&body), serde_json::from_str::<Value>(&read.body))
        {
            for field in ["schedule", "ttl", "repeats", "data"] {
                if sent[field] != "" {
                    prop_assert_eq!(&read[field], &sent[field]);
                }
            }
        }
        prop_assert_eq!(api.send(reqwest::Method::DELETE, "/v1.0/jobs/fuzz", "").await.status, 204);
        Ok(())
    });
    runtime.block_on(sidecar.stop());
}
