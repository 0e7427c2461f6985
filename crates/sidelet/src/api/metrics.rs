//! What Prometheus reads, at an address of its own.

use std::{convert::Infallible, sync::Arc};

use http::{HeaderValue, Method, StatusCode, header};
use hyper::{Request, body::Incoming};

use super::answer::{Answer, json, status};
use crate::sidecar::Sidecar;

/// The text format, as it has long been.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Answers `GET /metrics`, and `GET /`, as daprd does.
pub(crate) async fn serve_metrics(sidecar: Arc<Sidecar>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    Ok(match (request.method(), request.uri().path()) {
        (&Method::GET, "/" | "/metrics") => {
            let mut answer = json(StatusCode::OK, sidecar.metrics.text());
            answer.headers_mut().insert(header::CONTENT_TYPE, TEXT);
            answer
        }
        (&Method::GET, _) => status(StatusCode::NOT_FOUND),
        _ => status(StatusCode::METHOD_NOT_ALLOWED),
    })
}
