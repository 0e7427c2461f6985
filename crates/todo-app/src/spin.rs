//! The Wasm host: requests in, calls to the sidecar out, variables. The one module that names spin-sdk.

mod outside;
mod streaming;

use dapr::{Client, Transport};
use futures::StreamExt;
use spin_sdk::http::{IncomingRequest, Response as SpinResponse};
use spin_sdk::variables;

pub use self::outside::Outside;
pub use self::streaming::{Incoming, Reply, Silent, now, serve_to, subscribe};
use crate::{
    App,
    access::{SIGNING_KEY_MIN, SigningKey},
    http::{
        Answer, REQUEST_ID, Request, Response, TRACE_PARENT,
        cors::Cors,
        header_text,
        problem::{Problem, kind},
        request_id,
        router::{Found, Route, find},
    },
    notifications::{Channels, target::Targets},
    settings::{Events, Settings, variable},
};

/// Calls out through the host.
#[derive(Debug, Clone, Copy)]
pub struct SpinTransport;

impl Transport for SpinTransport {
    type Error = spin_sdk::http::SendError;

    async fn send(&self, request: ::http::Request<Vec<u8>>) -> Result<Response, Self::Error> {
        spin_sdk::http::send(request).await
    }
}

/// One request of a component: its operation, the texts of its path, and itself.
#[derive(Debug)]
pub struct Call<O> {
    /// What the route does.
    pub operation: O,
    /// The text of each segment in braces.
    pub path: Vec<String>,
    /// The request, its body read.
    pub request: Request,
}

/// Answers one request: finds its route, reads its body within the route's bound, runs the handler, and gives every
/// answer its request id.
pub async fn serve<O: Copy>(
    incoming: IncomingRequest,
    routes: &[Route<O>],
    handler: impl AsyncFnOnce(App<SpinTransport>, Call<O>) -> Answer,
) -> SpinResponse {
    serve_alone(incoming, routes, async |call: Call<O>| handler(app(&call.request)?, call).await).await
}

/// As [`serve`], for a component that needs neither the sidecar nor variables.
pub async fn serve_alone<O: Copy>(
    incoming: IncomingRequest,
    routes: &[Route<O>],
    handler: impl AsyncFnOnce(Call<O>) -> Answer,
) -> SpinResponse {
    let (parts, head_only) = match parts(&incoming) {
        Ok(parts) => {
            let head_only = parts.method == ::http::Method::HEAD;
            (parts, head_only)
        }
        Err(problem) => return finish(problem.into_response(), &request_id(&::http::HeaderMap::new()), false),
    };
    let id = request_id(&parts.headers);
    let origins = optional(variable::CORS_ORIGINS);
    let cors = Cors::of(&origins, &parts.headers);
    let mut answer: Response = answer(incoming, parts, routes, handler).await.unwrap_or_else(Problem::into_response);
    cors.mark(&mut answer, &origins);
    finish(answer, &id, head_only)
}

async fn answer<O: Copy, A: From<Response>>(
    incoming: IncomingRequest,
    parts: ::http::request::Parts,
    routes: &[Route<O>],
    handler: impl AsyncFnOnce(Call<O>) -> Result<A, Problem>,
) -> Result<A, Problem> {
    let (operation, path, body_limit) = match find(routes, &parts.method, parts.uri.path())? {
        Found::Operation(operation, path, body_limit) => (operation, path, body_limit),
        Found::Options(response) => return Ok(response.into()),
    };
    let body = read_body(incoming, &parts, body_limit).await?;
    let request = Request::from_parts(parts, body);
    handler(Call { operation, path, request }).await
}

fn parts(incoming: &IncomingRequest) -> Result<::http::request::Parts, Problem> {
    let method = ::http::Method::from(incoming.method());
    let target = incoming.path_with_query().unwrap_or_else(|| "/".to_owned());
    let mut request = ::http::Request::builder().method(method).uri(target);
    for (name, value) in incoming.headers().entries() {
        request = request.header(name, value);
    }
    let request = request.body(()).map_err(|_| Problem::malformed("The request's path or a header is not valid."))?;
    Ok(request.into_parts().0)
}

/// Bytes of a refused body that are read and thrown away, so that the client can finish sending and read the answer.
const DISCARDED_BYTES: usize = 32 * 1024 * 1024;

/// Reads a body up to its bound; what is longer is refused and never held in memory.
async fn read_body(
    incoming: IncomingRequest,
    parts: &::http::request::Parts,
    limit: usize,
) -> Result<Vec<u8>, Problem> {
    let announced =
        parts.headers.get(::http::header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    // A chunked body announces no length, and the host takes its header away; the methods without a body have neither.
    if announced == Some(0) || (announced.is_none() && parts.method.is_safe()) {
        return Ok(Vec::new());
    }
    let mut body = Vec::with_capacity(announced.unwrap_or_default().min(limit));
    let mut discarded = 0;
    let mut chunks = std::pin::pin!(incoming.into_body_stream());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Problem::malformed("The body ended before it was complete."))?;
        if discarded == 0 && body.len() + chunk.len() <= limit {
            body.extend_from_slice(&chunk);
            continue;
        }
        discarded += chunk.len();
        if discarded > DISCARDED_BYTES {
            break;
        }
    }
    if discarded > 0 {
        return Err(Problem::new(413, kind::TOO_LARGE)
            .detail(format!("The body has more than {limit} bytes, the most for this path.")));
    }
    Ok(body)
}

/// What a use case works with, from the application's variables.
fn app(request: &Request) -> Result<App<SpinTransport>, Problem> {
    let client = Client::new(SpinTransport, required(variable::DAPR_URL)?)
        .with_token(optional(variable::DAPR_API_TOKEN))
        .with_app_id(optional(variable::APP_ID))
        .with_trace_parent(header_text(request, TRACE_PARENT).unwrap_or_default());
    let signing_key = SigningKey::parse(&required(variable::SIGNING_KEY)?).ok_or_else(|| {
        misconfigured(&format!("the variable `{}` has fewer than {SIGNING_KEY_MIN} characters", variable::SIGNING_KEY))
    })?;
    let events = Events::parse(&optional(variable::EVENTS)).ok_or_else(|| {
        misconfigured(&format!("the variable `{}` is neither `outbox` nor `publish`", variable::EVENTS))
    })?;
    let settings = Settings {
        events,
        state_store: required(variable::STATE_STORE)?,
        pubsub: Some(optional(variable::PUBSUB)).filter(|name| !name.is_empty()).unwrap_or("pubsub".to_owned()),
        signing_key,
        writes_per_minute: number(variable::WRITES_PER_MINUTE)?,
        sign_ups_per_hour: number(variable::SIGN_UPS_PER_HOUR)?,
        proxies: number(variable::PROXIES)?,
    };
    Ok(App { dapr: client, settings, now: now() })
}

/// The ways out that the application's variables open.
///
/// # Errors
/// 500 for a variable that has no accepted form.
pub fn channels() -> Result<Channels, Problem> {
    let targets = match optional(variable::WEBHOOK_PRIVATE_TARGETS).trim() {
        "" => Targets::Public,
        "allow" => Targets::Any,
        _ => {
            let name = variable::WEBHOOK_PRIVATE_TARGETS;
            return Err(misconfigured(&format!("the variable `{name}` is neither empty nor `allow`")));
        }
    };
    let key = Some(optional(variable::VAPID_PRIVATE_KEY)).filter(|text| !text.trim().is_empty());
    let sender_key = key.map(|text| web_push::SenderKey::parse(&text)).transpose().map_err(|error| {
        misconfigured(&format!("the variable `{}` is not understood: {error}", variable::VAPID_PRIVATE_KEY))
    })?;
    let email_binding = Some(optional(variable::EMAIL_BINDING)).filter(|name| !name.is_empty());
    Ok(Channels { targets, email_binding, sender_key, contact: optional(variable::VAPID_SUBJECT).trim().to_owned() })
}

/// Whether pages are told their updates by looking at the store.
///
/// # Errors
/// 500 for a variable that has no accepted form.
pub fn polls_updates() -> Result<bool, Problem> {
    match optional(variable::UPDATES_FROM).trim() {
        "" | "stream" => Ok(false),
        "poll" => Ok(true),
        _ => {
            let name = variable::UPDATES_FROM;
            Err(misconfigured(&format!("the variable `{name}` is neither `stream` nor `poll`")))
        }
    }
}

/// Refuses a call that does not carry the token that the sidecar sends.
///
/// # Errors
/// 401. Where the variable is empty every caller is taken for the sidecar.
pub fn only_the_sidecar(request: &Request) -> Result<(), Problem> {
    let expected = optional(variable::APP_API_TOKEN);
    let shown = header_text(request, "dapr-api-token").unwrap_or_default();
    if expected.is_empty() || same(expected.as_bytes(), shown.as_bytes()) {
        return Ok(());
    }
    Err(Problem::new(401, kind::NOT_THE_SIDECAR).detail("Events come from the sidecar, which sends its token."))
}

/// Compares without telling by its time where the texts part.
fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |differ, (left, right)| differ | (left ^ right)) == 0
}

fn required(name: &str) -> Result<String, Problem> {
    match optional(name) {
        text if text.is_empty() => Err(misconfigured(&format!("the variable `{name}` is not set"))),
        text => Ok(text),
    }
}

/// A whole number; 0 where the variable is empty or not declared.
fn number(name: &str) -> Result<u32, Problem> {
    match optional(name).trim() {
        "" => Ok(0),
        text => text.parse().map_err(|_| {
            misconfigured(&format!("the variable `{name}` is `{text}`: use a whole number, 0 for no bound"))
        }),
    }
}

fn optional(name: &str) -> String {
    variables::get(name).unwrap_or_default()
}

fn misconfigured(detail: &str) -> Problem {
    eprintln!("the component cannot serve: {detail}");
    Problem::new(500, kind::INTERNAL).detail("The service is not configured rightly. It has been logged.")
}

/// The headers of every answer.
fn complete(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    if let Ok(value) = id.parse() {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert("x-content-type-options", ::http::HeaderValue::from_static("nosniff"));
    headers.entry(::http::header::CACHE_CONTROL).or_insert(::http::HeaderValue::from_static("no-store"));
}

fn finish(mut response: Response, id: &str, head_only: bool) -> SpinResponse {
    complete(&mut response, id);
    let (parts, mut body) = response.into_parts();
    if parts.status != ::http::StatusCode::NO_CONTENT && parts.status != ::http::StatusCode::NOT_MODIFIED {
        // Set before the body of a HEAD goes, so that it tells the length that GET would have.
        let mut built = SpinResponse::builder();
        built.status(parts.status.as_u16()).header("content-length", body.len().to_string());
        if head_only {
            body.clear();
        }
        return with_headers(built, &parts.headers, body);
    }
    let mut built = SpinResponse::builder();
    built.status(parts.status.as_u16());
    with_headers(built, &parts.headers, Vec::new())
}

fn with_headers(
    mut built: spin_sdk::http::ResponseBuilder,
    headers: &::http::HeaderMap,
    body: Vec<u8>,
) -> SpinResponse {
    for (name, value) in headers {
        if let Ok(value) = value.to_str() {
            built.header(name.as_str(), value);
        }
    }
    built.body(body).build()
}
