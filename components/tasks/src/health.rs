//! Whether the service can serve.

use http::StatusCode;
use serde_json::json;
use todo_app::http::{Answer, json};

use crate::App;

/// Asks the sidecar and, through it, the store.
pub(crate) async fn get_health(app: &App) -> Answer {
    let sidecar = app.dapr.healthy().await.is_ok();
    let store = sidecar && app.dapr.get(&app.settings.state_store, "health").await.is_ok();
    let word = |up: bool| if up { "up" } else { "down" };
    let status = if store { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "status": word(store),
        "dependencies": { "sidecar": word(sidecar), "store": word(store) },
    });
    let mut response = json(status, &body);
    if !store {
        response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("1"));
    }
    Ok(response)
}
