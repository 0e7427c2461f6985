//! The OpenAPI document over HTTP, as it was when this component was built.
//!
//! A component of its own, so that no other carries the document's text into its instances. It needs no sidecar.

#![expect(unsafe_code, reason = "the export that `http_component` writes is unsafe code of spin-sdk")]

use http::{HeaderValue, StatusCode, header};
use spin_sdk::http::{IncomingRequest, IntoResponse};
use spin_sdk::http_component;
use todo_app::http::{Answer, raw_json};
use todo_app::routes::openapi::{Operation, ROUTES};
use todo_app::spin::{Call, serve_alone};

/// Written by `cargo xtask contracts`.
const DOCUMENT: &str = include_str!("../../../contracts/openapi.json");

#[http_component]
async fn handle(request: IncomingRequest) -> impl IntoResponse {
    serve_alone(request, ROUTES, answer).await
}

async fn answer(call: Call<Operation>) -> Answer {
    match call.operation {
        Operation::GetDocument => Ok(get_document()),
    }
}

/// The same for everyone until the next release.
fn get_document() -> todo_app::http::Response {
    let mut response = raw_json(StatusCode::OK, DOCUMENT.into());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
