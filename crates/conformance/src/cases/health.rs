//! Health and metadata.

use reqwest::Method;
use serde_json::json;

use crate::case::Case;
use crate::setup::Setup;

pub(super) fn cases() -> Vec<Case> {
    let case = Case::new;
    vec![
        case("health/ready", "A sidecar with its app is healthy").get("/v1.0/healthz").is(204).text("").eventually()
            .get("/v1.0/healthz/outbound").is(204).text(""),
        case("health/app-id", "The app's id may be asked for").get("/v1.0/healthz?appid=conformance").is(204)
            .get("/v1.0/healthz?appid=other").refused(500, "ERR_HEALTH_APPID_NOT_MATCH"),
        case("health/app-away", "A sidecar whose app does not listen yet is not ready, and serves").with(Setup::NoApp)
            .get("/v1.0/healthz").refused(500, "ERR_HEALTH_NOT_READY").get("/v1.0/healthz/outbound").is(204)
            .post("/v1.0/state/statestore", json!([{ "key": "{case}", "value": 1 }])).is(204)
            .post("/v1.0/publish/pubsub/{case}", "1").is(204),
        case("metadata/get", "The sidecar tells its id, components and app").get("/v1.0/metadata").is(200).json(json!({
            "id": "conformance", "runtimeVersion": "<text>", "components": "<any>", "extended": { "daprRuntimeVersion": "<text>", "...": "" },
            "subscriptions": "<any>", "appConnectionProperties": { "port": "<any>", "protocol": "http", "channelAddress": "127.0.0.1" }, "...": "",
        })).eventually(),
        case("metadata/set", "A caller's word is told").request(Method::PUT, "/v1.0/metadata/{case}", "word").is(204)
            .get("/v1.0/metadata").is(200).json(json!({ "extended": { "{case}": "word", "...": "" }, "...": "" })),
    ]
}
