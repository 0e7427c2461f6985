//! Requests, read as far as every route needs it.

use bytes::Bytes;
use dapr::{Metadata, code};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use hyper::{
    Request,
    body::{Body as _, Incoming},
};
use percent_encoding::percent_decode_str;
use tokio::time::timeout;

use super::answer::Refusal;
use crate::{envelope::Trace, sidecar::Sidecar};

/// A request whose body has not been read.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    /// As it was sent.
    pub(super) uri: Uri,
    /// The parts of the path, decoded.
    pub(super) segments: Vec<String>,
    pub(super) headers: HeaderMap,
    query: Vec<(String, String)>,
    /// None: somebody has it.
    body: Option<Incoming>,
}

impl Call {
    /// Takes a request apart. A path that is not UTF-8 names nothing.
    pub(super) fn new(request: Request<Incoming>) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let segments: Option<Vec<String>> = path.trim_start_matches('/').split('/').map(decode).collect();
        let query = parts.uri.query().unwrap_or_default();
        let query = query.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(&name.replace('+', " "))?, decode(&value.replace('+', " "))?))
        });
        Ok(Self {
            method: parts.method,
            segments: segments.ok_or_else(Refusal::no_route)?,
            headers: parts.headers,
            query: query.collect(),
            uri: parts.uri,
            body: Some(body),
        })
    }

    /// A parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The parameters named `metadata.<key>`.
    pub(super) fn metadata(&self) -> Metadata {
        let named = |(key, value): &(String, String)| Some((key.strip_prefix("metadata.")?.to_owned(), value.clone()));
        self.query.iter().filter_map(named).collect()
    }

    /// A header's text; empty when there is none.
    pub(super) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Where the request comes from.
    pub(super) fn trace(&self) -> Trace {
        Trace { parent: self.header("traceparent").to_owned(), state: self.header("tracestate").to_owned() }
    }

    /// The length of a body that has one, before it is read.
    pub(super) fn length(&self) -> Option<u64> {
        self.body.as_ref().and_then(|body| body.size_hint().exact())
    }

    /// Hands the body out, once.
    pub(super) fn take_body(&mut self) -> Incoming {
        self.body.take().expect("a body is asked for once")
    }

    /// Reads the body, within the limits of its length and of the time that it may take.
    pub(super) async fn body(&mut self, sidecar: &Sidecar) -> Result<Bytes, Refusal> {
        let arrived = timeout(sidecar.body_timeout, Limited::new(self.take_body(), sidecar.max_body_size).collect());
        let Ok(arrived) = arrived.await else {
            let message = format!("the body did not arrive within {} s", sidecar.body_timeout.as_secs_f64());
            return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, code::MALFORMED_REQUEST, message).closing());
        };
        match arrived {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Refusal::too_large()),
            Err(_) => Err(Refusal::malformed("the body ended early")),
        }
    }

    /// Reads a body that nobody wants, within the same limits, and forgets it: only then does the answer surely arrive,
    /// and may another request follow on the connection. False: there may be more of it.
    pub(super) async fn discard(&mut self, sidecar: &Sidecar) -> bool {
        let Some(mut body) = self.body.take() else { return true };
        if body.is_end_stream() {
            return true;
        }
        // Who waits for leave to send it gets none.
        let most = sidecar.max_body_size as u64;
        if self.headers.contains_key(header::EXPECT) || body.size_hint().lower() > most {
            return false;
        }
        let read = async {
            let mut length = 0;
            while let Some(frame) = body.frame().await {
                let Ok(frame) = frame else { return false };
                length += frame.data_ref().map_or(0, |data| data.len() as u64);
                if length > most {
                    return false;
                }
            }
            true
        };
        timeout(sidecar.body_timeout, read).await.unwrap_or(false)
    }
}

fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
