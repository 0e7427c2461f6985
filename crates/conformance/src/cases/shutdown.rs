//! How a sidecar ends.

use serde_json::json;

use crate::case::Case;
use crate::setup::Setup;

pub(super) fn cases() -> Vec<Case> {
    let case = |id, claim| Case::new(id, claim).with(Setup::Ends);
    vec![
        case("shutdown/call", "A call ends the sidecar").post("/v1.0/shutdown", "").is(204).ends(0),
        case("shutdown/signal", "SIGTERM ends the sidecar well")
            .subscribes(json!({}))
            .publish("", "1")
            .gets_data(json!(1))
            .terminate()
            .ends(0),
    ]
}
