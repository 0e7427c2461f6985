//! The API over HTTP: from a request to the part that answers it.

mod answer;
mod health;
mod metadata;
mod publish;
mod request;
mod server;
mod state;

use std::{convert::Infallible, sync::Arc};

use http::{HeaderValue, Method};
use hyper::{Request, body::Incoming};

use crate::sidecar::Sidecar;

use answer::{Answer, Refusal};
use request::Call;

pub(crate) use server::Server;

/// The trace context of an answer when the request brought none, as daprd's without tracing.
const NO_TRACE: HeaderValue = HeaderValue::from_static("00-00000000000000000000000000000000-0000000000000000-00");

/// Answers one request.
async fn serve(sidecar: Arc<Sidecar>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let trace = request.headers().get("traceparent").cloned().unwrap_or(NO_TRACE);
    let call = match Call::new(request) {
        Ok(call) => call,
        Err(refusal) => return Ok(refusal.into()),
    };
    let mut answer = if allowed(&sidecar, &call) {
        route(&sidecar, call).await.unwrap_or_else(Answer::from)
    } else {
        answer::text(http::StatusCode::UNAUTHORIZED, "invalid api token\n")
    };
    answer.headers_mut().insert("traceparent", trace);
    Ok(answer)
}

async fn route(sidecar: &Arc<Sidecar>, call: Call) -> Result<Answer, Refusal> {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    let post = call.method == Method::POST || call.method == Method::PUT;
    match (call.method.as_str(), segments.as_slice()) {
        ("GET", ["v1.0", "healthz"]) => health::get_health(sidecar, &call).await,
        ("GET", ["v1.0", "healthz", "outbound"]) => Ok(answer::empty()),
        ("GET", ["v1.0", "metadata"]) => Ok(metadata::get_metadata(sidecar)),
        ("PUT", ["v1.0", "metadata", label]) => {
            let label = (*label).to_owned();
            metadata::put_label(sidecar, label, call).await
        }
        ("POST", ["v1.0", "shutdown"]) => {
            sidecar.asked_to_stop.cancel();
            Ok(answer::empty())
        }
        (_, ["v1.0", "state", store]) if post => {
            let store = state::store(sidecar, store)?;
            state::save_items(sidecar, store, call).await
        }
        (_, ["v1.0", "state", store, "bulk"]) if post => {
            let store = state::store(sidecar, store)?;
            state::get_items(sidecar, store, call).await
        }
        (_, ["v1.0", "state", store, "transaction"]) if post => {
            let store = state::store(sidecar, store)?;
            state::commit_transaction(sidecar, store, call).await
        }
        ("GET", ["v1.0", "state", store, key]) => state::get_item(state::store(sidecar, store)?, key).await,
        ("DELETE", ["v1.0", "state", store, key]) => {
            state::delete_item(state::store(sidecar, store)?, key, &call).await
        }
        (_, ["v1.0" | "v1.0-alpha1", "publish", "bulk", pubsub, topic @ ..]) if post && !topic.is_empty() => {
            let (pubsub, topic) = (publish::pubsub(sidecar, pubsub)?, topic.join("/"));
            publish::publish_many(sidecar, pubsub, topic, call).await
        }
        (_, ["v1.0", "publish", pubsub, topic @ ..]) if post && topic.iter().any(|part| !part.is_empty()) => {
            let (pubsub, topic) = (publish::pubsub(sidecar, pubsub)?, topic.join("/"));
            publish::publish_one(sidecar, pubsub, topic, call).await
        }
        _ => Err(Refusal::no_route()),
    }
}

/// Whether the caller may call. Health is for everyone.
fn allowed(sidecar: &Sidecar, call: &Call) -> bool {
    let Some(token) = &sidecar.api_token else { return true };
    let health = matches!(
        call.segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice(),
        ["v1.0", "healthz"] | ["v1.0", "healthz", "outbound"]
    );
    health || call.headers.get("dapr-api-token").is_some_and(|given| same(given.as_bytes(), token.as_bytes()))
}

/// Compares in a time that tells nothing of where two secrets differ.
fn same(given: &[u8], expected: &[u8]) -> bool {
    given.len() == expected.len()
        && given.iter().zip(expected).fold(0, |difference, (left, right)| difference | (left ^ right)) == 0
}
