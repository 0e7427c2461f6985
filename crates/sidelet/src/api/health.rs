//! Health.

use dapr::code;
use http::StatusCode;

use super::{
    answer::{Answer, Refusal, empty},
    request::Call,
};
use crate::sidecar::Sidecar;

/// 204 once the app's port has accepted, and from then on whatever the app does.
pub(super) async fn get_health(sidecar: &Sidecar, call: &Call) -> Result<Answer, Refusal> {
    let refuse = |code, message: &str| Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, code, message));
    if call.parameter("appid").is_some_and(|app| app != sidecar.app_id) {
        return refuse(code::HEALTH_APP_ID_NOT_MATCH, "dapr app-id does not match");
    }
    if !sidecar.readiness.is_ready().await {
        return refuse(code::HEALTH_NOT_READY, "dapr is not ready: [runtime]");
    }
    Ok(empty())
}
