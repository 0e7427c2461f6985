//! Service invocation, and paths that are none of Dapr's.

use reqwest::Method;
use serde_json::json;

use crate::app::ECHO;
use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
    let case = Case::new;
    let echo = |method: &str, query: &str, body: &str| json!({ "method": method, "path": "/{case}", "query": query, "body": body });
    vec![
        case("invoke/post", "Method, path, query and body reach the app, and its answer comes back")
            .answers("/{case}", &[(201, ECHO)])
            .post("/v1.0/invoke/conformance/method/{case}?a=1", "hello")
            .is(201)
            .json(echo("POST", "a=1", "hello")),
        case("invoke/get", "A GET is a GET")
            .answers("/{case}", &[(200, ECHO)])
            .get("/v1.0/invoke/conformance/method/{case}")
            .is(200)
            .json(echo("GET", "", "")),
        case("invoke/status", "The app's status is the answer's")
            .answers("/{case}", &[(418, "{\"a\":1}")])
            .request(Method::DELETE, "/v1.0/invoke/conformance/method/{case}", "")
            .is(418)
            .json(json!({ "a": 1 })),
        case("invoke/header", "A header names the app on any path")
            .answers("/{case}", &[(200, ECHO)])
            .get("/{case}")
            .header("dapr-app-id", "conformance")
            .is(200)
            .json(echo("GET", "", "")),
        case("invoke/unknown", "An app that is not there is an error")
            .get("/v1.0/invoke/absent/method/m")
            .refused(500, "ERR_DIRECT_INVOKE"),
        case("routes/unknown", "An unknown path is service invocation without an app")
            .get("/v1.0/nonsense")
            .refused_with(
                404,
                "ERR_DIRECT_INVOKE",
                "failed getting app id either from the URL path or the header dapr-app-id",
            ),
        case("routes/wrong-method", "So is a wrong method")
            .delete("/v1.0/publish/pubsub/t")
            .refused(404, "ERR_DIRECT_INVOKE"),
        case("routes/traceparent", "Every answer has a Traceparent")
            .get("/v1.0/state/statestore/{case}")
            .is(204)
            .has("traceparent", "00-*"),
    ]
}
