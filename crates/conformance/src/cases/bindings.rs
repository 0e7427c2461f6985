//! Cron and output bindings.

use serde_json::json;

use crate::app::ECHO;
use crate::case::{Body, Case};

const HTTP: &str = "/v1.0/bindings/http";

pub(super) fn cases() -> Vec<Case> {
    let case = Case::new;
    let ticks = |case: Case, path: &str| {
        let empty = || Some(Body::Text(String::new()));
        case.gets_body(path, empty())
            .by(reqwest::Method::POST)
            .with_header("content-type", "application/json")
            .with_header("readtimeutc", "<any>")
    };
    vec![
        ticks(case("cron/every", "A cron binding calls the app"), "/cron-often"),
        ticks(case("cron/six-fields", "A schedule may have seconds"), "/cron-six"),
        ticks(case("cron/route", "A cron binding may have a route"), "/cron-elsewhere"),
        case("binding/http", "An HTTP binding calls, and answers with status and body")
            .answers("/{case}", &[(200, ECHO)])
            .post(HTTP, json!({ "operation": "post", "data": { "a": 1 }, "metadata": { "path": "/{case}?x=1" } }))
            .is(200)
            .json(json!({ "method": "POST", "path": "/{case}", "query": "x=1", "body": "{\"a\":1}" }))
            .has("metadata.statuscode", "200"),
        case("binding/http-get", "The operation is the method")
            .answers("/{case}", &[(200, ECHO)])
            .post(HTTP, json!({ "operation": "get", "metadata": { "path": "/{case}" } }))
            .is(200)
            .json(json!({ "method": "GET", "path": "/{case}", "query": "", "body": "" })),
        case("binding/http-fails", "An answer that is an error is one")
            .answers("/{case}", &[(418, "{}")])
            .post(HTTP, json!({ "operation": "get", "metadata": { "path": "/{case}" } }))
            .refused(500, "ERR_INVOKE_OUTPUT_BINDING"),
        case("binding/bad-operation", "An unknown operation is refused")
            .post(HTTP, json!({ "operation": "dance" }))
            .refused(500, "ERR_INVOKE_OUTPUT_BINDING"),
        case("binding/unknown", "A binding that is not there is refused")
            .post("/v1.0/bindings/absent", json!({ "operation": "get" }))
            .refused(500, "ERR_INVOKE_OUTPUT_BINDING"),
        case("binding/bad-json", "A body that is no JSON is refused")
            .post(HTTP, "x")
            .refused(400, "ERR_MALFORMED_REQUEST"),
    ]
}
