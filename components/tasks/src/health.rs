//! Whether the service can serve.

use http::StatusCode;
use todo_app::http::{Answer, json};
use todo_app::wire::{Dependencies, HealthBody};

use crate::App;

/// Asks the sidecar and, through it, the store.
pub(crate) async fn get_health(app: &App) -> Answer {
    let sidecar = app.dapr.healthy().await.is_ok();
    let store = sidecar && app.dapr.get(&app.settings.state_store, "health").await.is_ok();
    let status = if store { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let dependencies = Dependencies { sidecar: sidecar.into(), store: store.into() };
    let body = HealthBody { status: store.into(), dependencies };
    let mut response = json(status, &body);
    if !store {
        response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("1"));
    }
    Ok(response)
}
