//! Answers, and the one place where an error becomes a status and a code.

use std::convert::Infallible;

use bytes::Bytes;
use dapr::{ApiError, code};
use futures::stream::BoxStream;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};

use crate::store::StoreError;

/// An answer of ours, whose length is known, or one that is passed on as it comes: an app's, or a stream.
pub(crate) type Answer = Response<Either<Full<Bytes>, Either<Incoming, Streamed>>>;

/// Bytes without an end of their own.
pub(crate) type Streamed = StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// 204.
pub(super) fn empty() -> Answer {
    status(StatusCode::NO_CONTENT)
}

/// A status alone.
pub(super) fn status(status: StatusCode) -> Answer {
    whole(status, Bytes::new())
}

fn whole(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = Answer::new(Either::Left(Full::new(body)));
    *answer.status_mut() = status;
    answer
}

/// JSON.
pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = whole(status, body.into());
    answer.headers_mut().insert(header::CONTENT_TYPE, JSON);
    answer
}

/// Plain text.
pub(super) fn text(status: StatusCode, body: &'static str) -> Answer {
    let mut answer = whole(status, Bytes::from_static(body.as_bytes()));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// Ends the connection with the answer.
pub(super) fn close(answer: &mut Answer) {
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
}

/// A request that is not served.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// A reason of Dapr's richer error model, such as `DAPR_STATE_ILLEGAL_KEY`.
    pub(super) reason: Option<&'static str>,
    /// What follows on the connection cannot be relied on.
    closes: bool,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), reason: None, closes: false }
    }

    /// Ends the connection with the answer.
    pub(super) fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    pub(super) fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Dapr takes every unknown path for a service invocation.
    pub(super) fn no_route() -> Self {
        let message = "failed getting app id either from the URL path or the header dapr-app-id";
        Self::new(StatusCode::NOT_FOUND, code::DIRECT_INVOKE, message)
    }

    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::MALFORMED_REQUEST, message)
    }

    /// What is left of the body is not read, so that nothing can follow it on the connection.
    pub(super) fn too_large() -> Self {
        Self::malformed("stream too large").closing()
    }

    /// What a store's error means to a caller. The private detail is logged here, once.
    pub(super) fn store(error: StoreError, code: &'static str, attempt: &str) -> Self {
        match error {
            StoreError::Conflict => Self::new(StatusCode::CONFLICT, code, format!("{attempt}: {error}")),
            StoreError::Unavailable { .. } => {
                tracing::warn!(error = %error, attempt, "a request found its store away");
                let message = format!("{attempt}: the store is not available; try again");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
            }
            StoreError::Rejected { source } => Self::new(StatusCode::BAD_REQUEST, code, format!("{attempt}: {source}")),
            StoreError::Failed { .. } => {
                tracing::error!(error = %error, attempt, "a request failed on the database");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, format!("{attempt}: the database is not available"))
            }
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let details = refusal.reason.map(|reason| {
            serde_json::json!([{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "domain": "dapr.io",
                "reason": reason,
            }])
        });
        let error = ApiError { error_code: refusal.code.into(), message: refusal.message, details };
        let mut answer = json(refusal.status, serde_json::to_vec(&error).expect("an error is JSON"));
        if refusal.status == StatusCode::SERVICE_UNAVAILABLE {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if refusal.closes {
            close(&mut answer);
        }
        answer
    }
}
