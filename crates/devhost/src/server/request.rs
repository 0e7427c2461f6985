//! What a guest gets: the request with Spin's headers and a bounded body.
//!
//! Source of the headers: <https://spinframework.dev/http-trigger>.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue};
use http::uri::Authority;
use http::{Request, Uri, Version};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Sleep;
use wasmtime_wasi_http::Error;

use crate::config::Limits;
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

/// Makes sure that there is one usable `Host`, which is the one of the request's target where that has one (RFC 9112, 3.2).
///
/// HTTP/1.0 may leave it out: then it is the server's own address. `None` if there is none, more than one, or one that is
/// no host with an optional port.
pub(super) fn host<B>(request: &mut Request<B>, local: SocketAddr) -> Option<String> {
    let mut given = request.headers().get_all(HOST).iter();
    let text = match (request.uri().authority(), given.next()) {
        _ if given.next().is_some() => return None,
        (Some(authority), _) => authority.to_string(),
        (None, Some(value)) => value.to_str().ok()?.to_owned(),
        (None, None) if request.version() < Version::HTTP_11 => local.to_string(),
        (None, None) => return None,
    };
    let authority: Authority = text.parse().ok()?;
    // A port that is no number, and names of users, are part of an authority and not of a host.
    let rest = authority.as_str().strip_prefix(authority.host())?;
    let has_port = rest.strip_prefix(':').is_some_and(|port| port.is_empty() || port.parse::<u16>().is_ok());
    if authority.host().is_empty() || !(rest.is_empty() || has_port) {
        return None;
    }
    request.headers_mut().insert(HOST, HeaderValue::from_str(&text).ok()?);
    Some(text)
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

/// What is known of the client that sends a body.
#[derive(Debug, Default)]
pub(super) struct Sending {
    waited_for: AtomicBool,
    stalled: AtomicBool,
}

impl Sending {
    /// Whether the guest waits for more of the body at this moment.
    pub(super) fn is_waited_for(&self) -> bool {
        self.waited_for.load(Ordering::Relaxed)
    }

    /// Whether nothing came for too long.
    pub(super) fn has_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }
}

/// A request's body that ends with an error when it becomes too long, or pauses for too long.
pub(super) struct BoundedBody {
    incoming: Incoming,
    limit: u64,
    left: u64,
    pause: Duration,
    /// Set while more is waited for.
    deadline: Option<Pin<Box<Sleep>>>,
    sending: Arc<Sending>,
}

impl BoundedBody {
    pub(super) fn new(incoming: Incoming, limits: &Limits) -> (Self, Arc<Sending>) {
        let (limit, pause) = (limits.request_body_bytes, limits.body_read_time);
        let sending = Arc::new(Sending::default());
        (Self { incoming, limit, left: limit, pause, deadline: None, sending: Arc::clone(&sending) }, sending)
    }

    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let pause = self.pause;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
        deadline.as_mut().poll(context).map(|()| {
            self.sending.stalled.store(true, Ordering::Relaxed);
            Some(Err(Error::ConnectionReadTimeout))
        })
    }
}

impl Body for BoundedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.incoming).poll_frame(context);
        self.sending.waited_for.store(polled.is_pending(), Ordering::Relaxed);
        let Poll::Ready(frame) = polled else {
            return self.poll_deadline(context);
        };
        self.deadline = None;
        Poll::Ready(frame.map(|frame| {
            let frame = frame?;
            let length = frame.data_ref().map_or(0, |data| data.len() as u64);
            match self.left.checked_sub(length) {
                Some(left) => {
                    self.left = left;
                    Ok(frame)
                }
                None => Err(Error::HttpRequestBodySize(Some(self.limit))),
            }
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

#[cfg(test)]
mod tests;
