//! One request: its route, a place, the call, the answer.

use std::net::SocketAddr;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

use super::Application;
use super::problem::Problem;
use super::request::{BoundedBody, add_headers, declared_length, host};
use super::response::{Body, GuestBody, Rest, log_failure};
use crate::component::Prepared;
use crate::guest::{Call, Failure, GuestResponse};

/// Paths that Spin keeps for itself.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// Answers one request.
pub(super) async fn respond(
    application: Arc<Application>,
    client: SocketAddr,
    request: Request<Incoming>,
) -> Response<Body> {
    if let Some(name) = request.uri().path().strip_prefix(WELL_KNOWN) {
        return match name {
            "health" => health(),
            _ => Problem::NoRoute.response(),
        };
    }
    match call(&application, client, request).await {
        Ok(response) => response,
        Err(problem) => {
            tracing::debug!(problem = ?problem, "the host answered in a component's place");
            problem.response()
        }
    }
}

fn health() -> Response<Body> {
    let mut response = Response::new(Body::full("OK"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

async fn call(
    application: &Application,
    client: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Problem> {
    let limits = &application.host.limits;
    let uri = request.uri().clone();
    let (pattern, found, component) = application.router.find(uri.path()).ok_or(Problem::NoRoute)?;
    if declared_length(request.headers()).is_some_and(|length| length > limits.request_body_bytes) {
        return Err(Problem::BodyTooLong);
    }
    let host = host(&mut request, application.local).ok_or(Problem::BadHost)?;
    add_headers(request.headers_mut(), &uri, &host, client, pattern, &found);
    let without_body = request.method() == Method::HEAD;
    let (parts, body) = request.into_parts();
    let (body, sending) = BoundedBody::new(body, limits);
    let request = Request::from_parts(parts, body.boxed_unsync());
    let place = application.places.take().await.ok_or(Problem::Full)?;
    let (sender, receiver) = oneshot::channel();
    let call = Call::new(&application.host, component, request, sender, place);
    let answer = answer(component, call, receiver);
    let answered = tokio::time::timeout(limits.response_time, answer).await;
    if sending.has_stalled() || (answered.is_err() && sending.is_waited_for()) {
        // Whatever the component made of half a body: it is the client that did not keep up.
        return Err(Problem::SlowBody);
    }
    let (response, call) = answered.map_err(|_| {
        tracing::error!(
            component.id = %component.permissions.id,
            "a component did not answer in time and was stopped"
        );
        Problem::TooSlow
    })??;
    tracing::debug!(
        component.id = %component.permissions.id,
        http.route = pattern.written(),
        http.response.status_code = response.status().as_u16(),
        "a component answered"
    );
    Ok(finish(application, component, response, call, without_body))
}

type Answer = (Response<HyperOutgoingBody>, Option<Call>);

/// Runs the guest until it has set its response; it may go on afterwards.
async fn answer(
    component: &Prepared,
    mut call: Call,
    mut receiver: oneshot::Receiver<GuestResponse>,
) -> Result<Answer, Problem> {
    let id = &component.permissions.id;
    let (answer, call) = tokio::select! {
        biased;
        outcome = &mut call => {
            match outcome {
                Err(failure) => {
                    log_failure(id, &failure);
                    return Err(match failure {
                        Failure::Time => Problem::TooSlow,
                        Failure::Memory(_) | Failure::Trap(_) => Problem::GuestFailed,
                    });
                }
                Ok(()) => match receiver.try_recv() {
                    Ok(answer) => (answer, None),
                    Err(TryRecvError::Empty | TryRecvError::Closed) => {
                        tracing::error!(component.id = %id, "a component returned without a response");
                        return Err(Problem::NoResponse);
                    }
                },
            }
        }
        Ok(answer) = &mut receiver => (answer, Some(call)),
    };
    match answer {
        Ok(response) => Ok((response, call)),
        Err(code) => {
            tracing::error!(component.id = %id, error = ?code, "a component answered with an error");
            Err(Problem::GuestFailed)
        }
    }
}

fn finish(
    application: &Application,
    component: &Prepared,
    response: Response<HyperOutgoingBody>,
    call: Option<Call>,
    head: bool,
) -> Response<Body> {
    let without_body = head || matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let left = if without_body { Some(0) } else { declared_length(response.headers()) };
    let rest = Rest {
        component: Arc::clone(&component.permissions.id),
        tasks: application.tasks.clone(),
        time: application.host.limits.response_time,
    };
    response.map(|body| Body::Guest(Box::new(GuestBody::new(body, call, left, rest))))
}
