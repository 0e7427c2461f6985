//! Answers that the host itself gives: `application/problem+json` (RFC 9457).
//!
//! They say what the client can do and nothing of what went on inside.

use http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::response::Body;

/// A reason for an answer that no component gave.
#[derive(Clone, Copy, Debug)]
pub(super) enum Problem {
    NoRoute,
    BadHost,
    BodyTooLong,
    SlowBody,
    GuestFailed,
    NoResponse,
    TooSlow,
    Full,
}

impl Problem {
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NoRoute => (StatusCode::NOT_FOUND, "no-route", "No component answers this path."),
            Self::BadHost => {
                (StatusCode::BAD_REQUEST, "bad-host", "Send one Host header: a host with an optional port.")
            }
            Self::BodyTooLong => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-long",
                "The request's body is longer than this server accepts.",
            ),
            Self::SlowBody => (
                StatusCode::REQUEST_TIMEOUT,
                "body-too-slow",
                "The request's body did not come in time. Send it again.",
            ),
            Self::GuestFailed => {
                (StatusCode::INTERNAL_SERVER_ERROR, "component-failed", "The component failed before it had answered.")
            }
            Self::NoResponse => {
                (StatusCode::INTERNAL_SERVER_ERROR, "no-response", "The component ended without an answer.")
            }
            Self::TooSlow => {
                (StatusCode::GATEWAY_TIMEOUT, "component-too-slow", "The component took too long and was stopped.")
            }
            Self::Full => (
                StatusCode::SERVICE_UNAVAILABLE,
                "too-many-requests-in-flight",
                "Every instance is busy. Try again shortly.",
            ),
        }
    }

    /// The whole response.
    pub(super) fn response(self) -> Response<Body> {
        let (status, code, detail) = self.parts();
        let title = status.canonical_reason().unwrap_or_default();
        let body = serde_json::json!({
            "type": "about:blank",
            "title": title,
            "status": status.as_u16(),
            "code": code,
            "detail": detail,
        });
        let mut response = Response::new(Body::full(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self {
            Self::Full => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            // What is left of the body would be read as the next request.
            Self::SlowBody | Self::BodyTooLong => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}
