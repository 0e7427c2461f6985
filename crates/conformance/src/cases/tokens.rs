//! Tokens both ways.

use serde_json::json;

use crate::case::Case;
use crate::setup::{API_TOKEN, APP_TOKEN, Setup};

pub(super) fn cases() -> Vec<Case> {
    let case = |id, claim| Case::new(id, claim).with(Setup::Tokens);
    let refused = |case: Case| case.is(401).text("invalid api token\n").has("content-type", "text/plain*");
    vec![
        refused(case("tokens/absent", "A call without the token is refused").get("/v1.0/state/statestore/k")),
        refused(
            case("tokens/wrong", "A wrong token is refused")
                .get("/v1.0/state/statestore/k")
                .header("dapr-api-token", "wrong"),
        ),
        refused(case("tokens/unknown-path", "An unknown path is not told apart").get("/v1.0/nonsense")),
        refused(case("tokens/metadata", "Metadata needs the token").get("/v1.0/metadata")),
        case("tokens/right", "The token lets in")
            .get("/v1.0/state/statestore/k")
            .header("dapr-api-token", API_TOKEN)
            .is(204),
        case("tokens/health", "Health needs no token")
            .get("/v1.0/healthz/outbound")
            .is(204)
            .get("/v1.0/healthz")
            .is(204)
            .eventually(),
        case("tokens/app", "The app is shown its token")
            .subscribes(json!({}))
            .post("/v1.0/publish/pubsub/{case}", "1")
            .header("dapr-api-token", API_TOKEN)
            .is(204)
            .gets_data(json!(1))
            .with_header("dapr-api-token", APP_TOKEN),
        case("tokens/app-subscribe", "So it is when it is asked what it subscribes to")
            .gets_body("/dapr/subscribe", None)
            .with_header("dapr-api-token", APP_TOKEN),
        case("tokens/app-cron", "So it is by a cron binding")
            .gets_body("/cron-often", None)
            .with_header("dapr-api-token", APP_TOKEN),
        case("tokens/app-invoke", "So it is when it is invoked")
            .get("/v1.0/invoke/conformance/method/{case}")
            .header("dapr-api-token", API_TOKEN)
            .is(200)
            .gets_body("/{case}", None)
            .with_header("dapr-api-token", APP_TOKEN),
    ]
}
