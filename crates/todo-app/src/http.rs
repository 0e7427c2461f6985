//! The HTTP surface that all components share.

pub mod body;
pub mod conditional;
pub mod cors;
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

/// Where a request comes from: the address that the host saw or, behind proxies, the one that the outermost of them
/// saw. Empty when that is not told.
pub fn client_address(request: &Request, proxies: u32) -> String {
    let Some(behind) = (proxies as usize).checked_sub(1) else {
        // `address:port`, the address of IPv6 in brackets.
        let peer = header_text(request, "spin-client-addr").unwrap_or_default();
        return peer.rsplit_once(':').map_or(peer, |(address, _)| address).to_owned();
    };
    // Every proxy adds the address that it saw; what stands before those of ours is the client's own word.
    let seen: Vec<&str> = request
        .headers()
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    seen.iter().rev().nth(behind).map(|address| address.trim().to_owned()).unwrap_or_default()
}

/// A header's text; `None` when it is absent or not text.
pub fn header_text(request: &Request, name: impl header::AsHeaderName) -> Option<&str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

/// The value of one of a request's cookies; empty when it carries none of this name.
pub fn cookie(request: &Request, name: &str) -> String {
    let cookies = header_text(request, header::COOKIE).unwrap_or_default();
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_our_own_proxies_say_of_the_client_is_believed() {
        let request = ::http::Request::builder()
            .header("spin-client-addr", "[::1]:4000")
            .header("x-forwarded-for", "6.6.6.6, 1.1.1.1")
            .header("x-forwarded-for", "2.2.2.2")
            .body(Vec::new())
            .unwrap();
        let found = [0, 1, 2, 3, 4].map(|proxies| client_address(&request, proxies));
        assert_eq!(found, ["[::1]", "2.2.2.2", "1.1.1.1", "6.6.6.6", ""]);
        assert_eq!(client_address(&Request::new(Vec::new()), 0), "");
    }
}
