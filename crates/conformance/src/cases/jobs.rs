//! Jobs: Dapr's scheduler.

use reqwest::Method;
use serde_json::json;

use crate::case::{Body, Case};

const JOB: &str = "/v1.0/jobs/{case}";

pub(super) fn cases() -> Vec<Case> {
    let case = Case::new;
    let far = || json!({ "dueTime": "24h", "data": { "a": 1 } });
    vec![
        case("jobs/fires", "A job fires with its data")
            .post(JOB, json!({ "dueTime": "1s", "data": { "a": 1 } }))
            .is(204)
            .text("")
            .gets("/job/{case}", json!({ "a": 1 }))
            .by(Method::POST)
            .with_header("content-type", "application/json"),
        case("jobs/alpha-path", "The path of before is served")
            .post("/v1.0-alpha1/jobs/{case}", json!({ "dueTime": "0s", "data": 1 }))
            .is(204)
            .gets("/job/{case}", json!(1)),
        case("jobs/recurs", "A schedule fires again, as often as told")
            .post(JOB, json!({ "schedule": "@every 1s", "repeats": 2, "data": "x" }))
            .is(204)
            .gets("/job/{case}", json!("x"))
            .times("/job/{case}", 2),
        case("jobs/six-fields", "A schedule may have seconds")
            .post(JOB, json!({ "schedule": "*/1 * * * * *", "repeats": 1, "data": 1 }))
            .is(204)
            .gets("/job/{case}", json!(1)),
        case("jobs/retries", "A job that fails comes again")
            .answers("/job/{case}", &[(500, ""), (200, "")])
            .post(JOB, json!({ "dueTime": "0s", "data": 1 }))
            .is(204)
            .times("/job/{case}", 2),
        case("jobs/exists", "A job that exists is refused, unless it may be overwritten")
            .post(JOB, far())
            .is(204)
            .post(JOB, far())
            .is(409)
            .post(JOB, json!({ "dueTime": "24h", "data": 2, "overwrite": true }))
            .is(204)
            .delete(JOB)
            .is(204),
        case("jobs/delete", "A job that is deleted is gone, and deleting it twice is no error")
            .post(JOB, far())
            .is(204)
            .delete(JOB)
            .is(204)
            .delete(JOB)
            .is(204),
        case("jobs/get", "A job is read as it was written")
            .post(JOB, far())
            .is(204)
            .get(JOB)
            .is(200)
            .json(json!({ "name": "{case}", "data": { "a": 1 }, "...": "" }))
            .delete(JOB)
            .is(204),
        case("jobs/get-absent", "Reading a job that is not there is 404").get(JOB).is(404),
        case("jobs/no-time", "A job needs a time")
            .post(JOB, json!({ "data": 1 }))
            .refused(400, "DAPR_SCHEDULER_SCHEDULE_EMPTY"),
        case("jobs/bad-schedule", "A bad schedule is the caller's mistake")
            .post(JOB, json!({ "schedule": "sometimes", "data": 1 }))
            .is(400),
        case("jobs/name-in-body", "The name is in the path alone")
            .post(JOB, json!({ "name": "x", "dueTime": "24h", "data": 1 }))
            .is(400),
        case("jobs/unknown-field", "Unknown fields are nothing")
            .post(JOB, json!({ "dueTime": "24h", "data": 1, "colour": "red" }))
            .is(204)
            .delete(JOB)
            .is(204),
        case("jobs/no-data", "A job without data fires")
            .post(JOB, json!({ "dueTime": "0s" }))
            .is(204)
            .gets_body("/job/{case}", Some(Body::Text("<any>".into()))),
    ]
}
