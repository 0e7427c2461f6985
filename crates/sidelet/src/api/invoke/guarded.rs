//! Invocations of an app that a resiliency document has a policy for.
//!
//! As in Dapr, a try has failed when the app did not answer, or answered with a status from 400 on; whoever does not want
//! his refusals repeated names the statuses that are (`matching.httpStatusCodes`). What is sent again is held in memory,
//! within the bound of every body. The last answer is the caller's, whatever it is.

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use http_body_util::{Either, Full};
use hyper::{Request, Response, body::Incoming};
use tokio::time::{Instant, sleep};

use super::{ANSWER, attempt, failed};
use crate::{api::answer::Refusal, resiliency::Guard, sidecar::Sidecar};

/// A request that may be sent more than once.
pub(super) struct Repeated {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Sends a request until it succeeds or the policy ends.
pub(super) async fn invoke(
    sidecar: &Sidecar,
    app: &str,
    guard: &Guard,
    request: &Repeated,
) -> Result<Response<Incoming>, Refusal> {
    let mut failures = 0;
    loop {
        let Some(one) = guard.enter(Instant::now()) else { return Err(failed(app, "circuit breaker is open")) };
        let outcome = attempt(sidecar, app, request.copy(), guard.timeout().unwrap_or(ANSWER)).await;
        let status = outcome.as_ref().ok().map(|answer| answer.status().as_u16());
        let well = status.is_some_and(|status| status < 400);
        one.ended(well, Instant::now());
        failures += 1;
        match guard.retry().filter(|retry| !well && retry.goes_on(failures, status)) {
            Some(retry) => sleep(retry.wait(failures)).await,
            None => return outcome,
        }
    }
}

impl Repeated {
    fn copy(&self) -> Request<super::Body> {
        let mut request = Request::new(Either::Right(Full::new(self.body.clone())));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}
