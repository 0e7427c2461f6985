//! The API over HTTP: from a request to the part that answers it.

mod answer;
mod bindings;
mod health;
mod inspect;
mod invoke;
mod jobs;
mod metadata;
mod metrics;
mod observe;
mod publish;
mod request;
mod route;
mod secrets;
mod server;
mod state;
mod subscribe;

use std::{convert::Infallible, sync::Arc};

use dapr::code;
use http::{HeaderValue, StatusCode};
use hyper::{Request, body::Incoming};

use crate::sidecar::Sidecar;

use answer::{Answer, Refusal};
use observe::Observation;
use request::Call;
use route::Route;

pub(crate) use invoke::Invoker;
pub(crate) use metrics::serve_metrics;
pub(crate) use server::Server;

/// The trace context of an answer when the request brought none, as daprd's without tracing.
const NO_TRACE: HeaderValue = HeaderValue::from_static("00-00000000000000000000000000000000-0000000000000000-00");

/// Answers one request of the API.
pub(crate) async fn serve(sidecar: Arc<Sidecar>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let trace = request.headers().get("traceparent").cloned().unwrap_or(NO_TRACE);
    let mut call = match Call::new(request) {
        Ok(call) => call,
        Err(refusal) => return Ok(refusal.closing().into()),
    };
    let route = Route::of(&call);
    let observation = Observation::begin(&sidecar, &route, &call);
    let health = route.is_health();
    let mut answer = if !has_token(&sidecar, &call) && !health {
        answer::text(StatusCode::UNAUTHORIZED, "invalid api token\n")
    } else if !health && !sidecar.resources.configuration.api.allows(route.group(&call)) {
        Refusal::no_route().into()
    } else {
        act(&sidecar, route, &mut call).await.unwrap_or_else(Answer::from)
    };
    answer.headers_mut().insert("traceparent", trace);
    if !call.discard(&sidecar).await {
        answer::close(&mut answer);
    }
    observation.end(&sidecar, &answer);
    Ok(answer)
}

/// Answers while there is nothing to answer with: another process has the database.
pub(crate) fn not_yet(request: &Request<Incoming>) -> Answer {
    let message = "dapr is not ready: another process has the database";
    if request.uri().path().starts_with(dapr::paths::HEALTH) {
        return Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, code::HEALTH_NOT_READY, message).into();
    }
    // A body is not read.
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, code::HEALTH_NOT_READY, message).closing().into()
}

async fn act(sidecar: &Arc<Sidecar>, route: Route, call: &mut Call) -> Result<Answer, Refusal> {
    match route {
        Route::GetHealth => health::get_health(sidecar, call).await,
        Route::GetOutboundHealth => Ok(answer::empty()),
        Route::GetMetadata => Ok(metadata::get_metadata(sidecar)),
        Route::PutMetadata { label } => metadata::put_label(sidecar, label, call).await,
        Route::Shutdown => {
            sidecar.asked_to_stop.cancel();
            Ok(answer::empty())
        }
        Route::SaveState { store } => state::save_items(sidecar, state::store(sidecar, &store)?, call).await,
        Route::GetBulkState { store } => state::get_items(sidecar, state::store(sidecar, &store)?, call).await,
        Route::ExecuteStateTransaction { store } => {
            state::commit_transaction(sidecar, state::store(sidecar, &store)?, call).await
        }
        Route::GetState { store, key } => state::get_item(sidecar, state::store(sidecar, &store)?, &key).await,
        Route::DeleteState { store, key } => {
            state::delete_item(sidecar, state::store(sidecar, &store)?, &key, call).await
        }
        Route::BulkPublish { pubsub, topic } => {
            publish::publish_many(sidecar, publish::pubsub(sidecar, &pubsub)?, topic, call).await
        }
        Route::Publish { pubsub, topic } => {
            publish::publish_one(sidecar, publish::pubsub(sidecar, &pubsub)?, topic, call).await
        }
        Route::GetSecret { store, key } => secrets::get_secret(sidecar, &store, &key, call).await,
        Route::GetBulkSecret { store } => secrets::get_secrets(sidecar, &store, call).await,
        Route::ScheduleJob { name } => jobs::schedule_job(sidecar, &name, call).await,
        Route::GetJob { name } => jobs::get_job(sidecar, &name, call).await,
        Route::DeleteJob { name } => jobs::delete_job(sidecar, &name, call).await,
        Route::InvokeBinding { name } => bindings::invoke_output_binding(sidecar, &name, call).await,
        Route::Subscribe { pubsub, topic } => {
            subscribe::stream_topic(sidecar, publish::pubsub(sidecar, &pubsub)?, &topic, call).await
        }
        Route::Operate => inspect::operate(sidecar, call).await,
        Route::Invoke(target) => invoke::invoke_service(sidecar, &target, call).await,
        Route::Unknown => Err(Refusal::no_route()),
    }
}

/// Whether the caller may call.
fn has_token(sidecar: &Sidecar, call: &Call) -> bool {
    let Some(token) = &sidecar.api_token else { return true };
    call.headers.get("dapr-api-token").is_some_and(|given| same(given.as_bytes(), token.as_bytes()))
}

/// Compares in a time that tells nothing of where two secrets differ.
fn same(given: &[u8], expected: &[u8]) -> bool {
    given.len() == expected.len()
        && given.iter().zip(expected).fold(0, |difference, (left, right)| difference | (left ^ right)) == 0
}
