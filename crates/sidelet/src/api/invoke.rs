//! Service invocation: a request goes on to an app, and the app's answer comes back, both as streams.
//!
//! Only apps that the sidecar was started with can be reached, each below the address that it was given with.

mod guarded;
mod headers;

use std::time::Duration;

use bytes::Bytes;
use dapr::code;
use http::{HeaderValue, StatusCode, Uri};
use http_body_util::{Either, Full, LengthLimitError, Limited};
use hyper::{
    Request, Response,
    body::{Body as _, Incoming},
};
use hyper_util::client::legacy::{Client, Error, connect::HttpConnector};
use percent_encoding::percent_decode_str;
use tokio::time::timeout;

use self::guarded::Repeated;

use super::{
    answer::{Answer, Refusal},
    request::Call,
};
use crate::{apps, sidecar::Sidecar};

/// How long an app may take until its answer begins.
const ANSWER: Duration = Duration::from_secs(60);
/// The one namespace that there is without Kubernetes, which a caller may write behind an app's id.
const NAMESPACE: &str = ".default";

/// What a request is to be passed on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The id of an app, known or not.
    pub(super) app: String,
    /// The path in the app, as it was sent, without the slash in front.
    path: String,
}

impl Target {
    /// Reads the header `dapr-app-id`, or a path of the form `/v1.0/invoke/{app}/method/{path}`.
    pub(super) fn of(call: &Call) -> Option<Self> {
        let path = call.uri.path().trim_start_matches('/');
        let named = call.header("dapr-app-id");
        let (app, path) = if named.is_empty() {
            let [first, second, app, fourth, _, ..] = call.segments.as_slice() else { return None };
            if (first.as_str(), second.as_str(), fourth.as_str()) != ("v1.0", "invoke", "method") {
                return None;
            }
            (app.as_str(), path.splitn(5, '/').nth(4)?)
        } else {
            (named, path)
        };
        let app = app.strip_suffix(NAMESPACE).unwrap_or(app);
        (!app.is_empty()).then(|| Self { app: app.to_owned(), path: path.to_owned() })
    }
}

/// Whether a path could mean a place outside of where it starts, to an app that decodes it.
fn climbs(path: &str) -> bool {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    decoded.split(['/', '\\']).any(|part| part == "." || part == "..")
}

/// Connections into apps, kept between requests.
#[derive(Debug)]
pub(crate) struct Invoker {
    client: Client<HttpConnector, Body>,
    token: Option<HeaderValue>,
}

/// A body that passes as it comes, or one that is at hand because it may be sent again.
type Body = Either<Limited<Incoming>, Full<Bytes>>;

impl Invoker {
    /// Sends `token` with every request.
    pub(crate) fn new(token: Option<HeaderValue>) -> Self {
        Self { client: apps::client(), token }
    }
}

/// Passes a request on. The app's answer comes back whatever its status.
pub(super) async fn invoke_service(sidecar: &Sidecar, target: &Target, call: &mut Call) -> Result<Answer, Refusal> {
    let app = &target.app;
    let uri = address(sidecar, target, call.uri.query())?;
    let length = call.header(http::header::CONTENT_LENGTH).parse::<u64>().ok();
    if length.is_some_and(|length| length > sidecar.max_body_size as u64) {
        return Err(Refusal::too_large());
    }
    let headers = headers::for_app(call.headers.clone(), &sidecar.app_id, app, sidecar.invoker.token.as_ref());
    let method = call.method.clone();
    let answer = match sidecar.guards.of_app(app) {
        None => {
            let body = call.take_body();
            let passes = !body.is_end_stream();
            let mut request = Request::new(Either::Left(Limited::new(body, sidecar.max_body_size)));
            (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (method, uri, headers);
            let answer = attempt(sidecar, app, request, ANSWER).await;
            // Nobody knows how much of the body was read.
            answer.map_err(|refusal| if passes { refusal.closing() } else { refusal })
        }
        Some(guard) => {
            let request = Repeated { method, uri, headers, body: call.body(sidecar).await? };
            guarded::invoke(sidecar, app, &guard, &request).await
        }
    };
    let (mut parts, body) = answer?.into_parts();
    headers::strip_hop(&mut parts.headers);
    Ok(Answer::from_parts(parts, Either::Right(Either::Left(body))))
}

/// Sends a request once.
async fn attempt(
    sidecar: &Sidecar,
    app: &str,
    request: Request<Body>,
    limit: Duration,
) -> Result<Response<Incoming>, Refusal> {
    match timeout(limit, sidecar.invoker.client.request(request)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) if is_too_long(&error) => Err(Refusal::too_large()),
        Ok(Err(error)) if error.is_connect() => Err(failed(app, "the app is not there")),
        Ok(Err(_)) => Err(failed(app, "the app closed the connection")),
        Err(_) => Err(failed(app, "the app did not answer in time")),
    }
}

/// Where a target is. An app that nobody named at the start is an error, and so is a path that climbs.
fn address(sidecar: &Sidecar, target: &Target, query: Option<&str>) -> Result<Uri, Refusal> {
    let address = sidecar.apps.get(&target.app).ok_or_else(|| failed(&target.app, "no app has this id"))?;
    let refused = || {
        let message = format!("failed to invoke, id: {}, err: the path is not one inside the app", target.app);
        Refusal::new(StatusCode::BAD_REQUEST, code::DIRECT_INVOKE, message)
    };
    if climbs(&target.path) {
        return Err(refused());
    }
    let mut url = address.url(&target.path);
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        url.push('?');
        url.push_str(query);
    }
    url.parse().map_err(|_| refused())
}

fn failed(app: &str, reason: &str) -> Refusal {
    let message = format!("failed to invoke, id: {app}, err: {reason}");
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, code::DIRECT_INVOKE, message)
}

fn is_too_long(error: &Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_climbs_is_seen_however_it_is_written() {
        for path in ["..", "a/../b", "%2e%2e/b", "a%2f..%2fb", "a%2F.%2e", "a\\..\\b", "a/%2e", "a%5c..%5cb"] {
            assert!(climbs(path), "{path}");
        }
        for path in ["", "a//b", "a%2fb", "...", "a..b", ".well-known/x", "%252e%252e"] {
            assert!(!climbs(path), "{path}");
        }
    }
}
