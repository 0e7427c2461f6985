//! The HTTP surface that all components share.

pub mod body;
pub mod conditional;
pub mod problem;
pub mod router;

use ::http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use self::problem::Problem;

/// A request whose body has been read.
pub type Request = ::http::Request<Vec<u8>>;
/// An answer.
pub type Response = ::http::Response<Vec<u8>>;
/// What every handler gives.
pub type Answer = Result<Response, Problem>;

/// The header that names a request in logs, echoed or made.
pub const REQUEST_ID: &str = "x-request-id";
/// W3C trace context.
pub const TRACE_PARENT: &str = "traceparent";

/// An answer with a JSON body.
pub fn json<B: Serialize + ?Sized>(status: StatusCode, body: &B) -> Response {
    let text = serde_json::to_vec(body).expect("wire types have text keys and finite numbers");
    raw_json(status, text)
}

/// An answer whose body is JSON text already.
pub fn raw_json(status: StatusCode, text: Vec<u8>) -> Response {
    let mut response = Response::new(text);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = status;
    response
}

/// The request's own id where it is 1 to 128 visible ASCII characters, else a fresh one.
pub fn request_id(headers: &::http::HeaderMap) -> String {
    headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|text| (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()))
        .map_or_else(|| crate::fresh_id().to_string(), str::to_owned)
}

/// A header's text; `None` when it is absent or not text.
pub fn header_text(request: &Request, name: impl header::AsHeaderName) -> Option<&str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}
