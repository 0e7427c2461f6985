//! What a guest gets: the request with Spin's headers and a bounded body.
//!
//! Source of the headers: <https://spinframework.dev/http-trigger>.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue};
use http::uri::Authority;
use http::{Request, Uri};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use wasmtime_wasi_http::Error;

use crate::routes::{Match, Pattern};

const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const RAW_COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-raw-component-route");
const BASE_PATH: HeaderName = HeaderName::from_static("spin-base-path");
const CLIENT_ADDRESS: HeaderName = HeaderName::from_static("spin-client-addr");
/// Starts the header of each named segment.
const PATH_MATCH: &str = "spin-path-match-";

/// Makes sure that there is a usable `Host`; an absent one is the server's own address.
///
/// Returns `None` if the client sent one that is no authority.
pub(super) fn host(request: &mut Request<Incoming>, local: SocketAddr) -> Option<String> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.to_string());
    }
    match request.headers().get(HOST) {
        Some(value) => {
            let text = value.to_str().ok()?;
            text.parse::<Authority>().ok()?;
            Some(text.to_owned())
        }
        None => {
            let text = local.to_string();
            let value = HeaderValue::from_str(&text).ok()?;
            request.headers_mut().insert(HOST, value);
            Some(text)
        }
    }
}

/// Adds Spin's headers; what a client sent under these names does not get through.
pub(super) fn add_headers(
    headers: &mut HeaderMap,
    uri: &Uri,
    host: &str,
    client: SocketAddr,
    pattern: &Pattern,
    found: &Match<'_>,
) {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut set = |name: HeaderName, value: &str| {
        // Everything here comes from a URI or the manifest; what no header can carry is left out.
        match HeaderValue::from_str(value) {
            Ok(value) => headers.insert(name, value),
            Err(_) => headers.remove(name),
        };
    };
    set(FULL_URL, &format!("http://{host}{path}"));
    set(PATH_INFO, found.path_info);
    set(MATCHED_ROUTE, &pattern.based());
    set(RAW_COMPONENT_ROUTE, pattern.written());
    set(COMPONENT_ROUTE, pattern.prefix());
    set(BASE_PATH, "/");
    set(CLIENT_ADDRESS, &client.to_string());
    for (name, value) in &found.named {
        let name = format!("{PATH_MATCH}{}", name.to_ascii_lowercase());
        if let Ok(name) = HeaderName::try_from(name) {
            set(name, value);
        }
    }
}

/// The length that the client declares, if it does.
pub(super) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A request's body that ends with an error when it becomes too long.
pub(super) struct BoundedBody {
    incoming: Incoming,
    limit: u64,
    left: u64,
}

impl BoundedBody {
    pub(super) fn new(incoming: Incoming, limit: u64) -> Self {
        Self { incoming, limit, left: limit }
    }
}

impl Body for BoundedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.incoming).poll_frame(context);
        polled.map(|frame| {
            let frame = match frame? {
                Ok(frame) => frame,
                Err(error) => return Some(Err(error.into())),
            };
            let length = frame.data_ref().map_or(0, |data| data.len() as u64);
            match self.left.checked_sub(length) {
                Some(left) => {
                    self.left = left;
                    Some(Ok(frame))
                }
                None => Some(Err(Error::HttpRequestBodySize(Some(self.limit)))),
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
