//! Requests to servers that are not ours.

use std::time::Duration;

use dapr::Transport;
use spin_sdk::wit::wasi::http0_2_0::outgoing_handler;
use spin_sdk::wit::wasi::http0_2_0::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};

use crate::http::Response;

/// How long the other side has to accept a connection, and then again to begin its answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that the host takes in one call.
const PIECE: usize = 4096;
/// Bytes of a header's value that are read.
const MAX_VALUE: usize = 1024;

/// Calls servers that are not ours: with bounded waits, without following redirects, and without reading what they
/// answer beyond status and headers.
#[derive(Debug, Clone, Copy)]
pub struct Outside;

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// The request is none.
    #[error("the request cannot be sent")]
    Request,
    /// The host did not send it, or the other side did not answer in time.
    #[error("no answer: {0:?}")]
    NoAnswer(ErrorCode),
}

impl Transport for Outside {
    type Error = OutsideError;

    /// Waits here and now: one call sends one request, and has nothing else to do.
    async fn send(&self, request: ::http::Request<Vec<u8>>) -> Result<Response, Self::Error> {
        let (outgoing, body) = outgoing(&request)?;
        let nanoseconds = u64::try_from(PATIENCE.as_nanos()).unwrap_or(u64::MAX);
        let options = RequestOptions::new();
        for set in [
            RequestOptions::set_connect_timeout,
            RequestOptions::set_first_byte_timeout,
            RequestOptions::set_between_bytes_timeout,
        ] {
            set(&options, Some(nanoseconds)).map_err(|()| OutsideError::Request)?;
        }
        let answer = outgoing_handler::handle(outgoing, Some(options)).map_err(OutsideError::NoAnswer)?;
        // An error here comes with the answer, or with why there is none.
        let _broken = write(body, request.body());
        answer.subscribe().block();
        let answer = answer.get().and_then(Result::ok).ok_or(OutsideError::Request)?;
        incoming(&answer.map_err(OutsideError::NoAnswer)?)
    }
}

fn outgoing(request: &::http::Request<Vec<u8>>) -> Result<(OutgoingRequest, OutgoingBody), OutsideError> {
    let headers: Vec<(String, Vec<u8>)> =
        request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    let outgoing = OutgoingRequest::new(Fields::from_list(&headers).map_err(|_| OutsideError::Request)?);
    let uri = request.uri();
    let scheme = if uri.scheme_str() == Some("http") { Scheme::Http } else { Scheme::Https };
    let refused = |()| OutsideError::Request;
    outgoing.set_method(&Method::Post).map_err(refused)?;
    outgoing.set_scheme(Some(&scheme)).map_err(refused)?;
    outgoing.set_authority(uri.authority().map(|authority| authority.as_str())).map_err(refused)?;
    outgoing.set_path_with_query(uri.path_and_query().map(|path| path.as_str())).map_err(refused)?;
    let body = outgoing.body().map_err(refused)?;
    Ok((outgoing, body))
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), ()> {
    let stream = body.write()?;
    for piece in bytes.chunks(PIECE) {
        stream.blocking_write_and_flush(piece).map_err(drop)?;
    }
    // The stream belongs to the body, and goes before it.
    drop(stream);
    OutgoingBody::finish(body, None).map_err(drop)
}

fn incoming(answer: &IncomingResponse) -> Result<Response, OutsideError> {
    let mut response = ::http::Response::builder().status(answer.status());
    for (name, value) in answer.headers().entries().into_iter().filter(|(_, value)| value.len() <= MAX_VALUE) {
        response = response.header(name, value);
    }
    response.body(Vec::new()).map_err(|_| OutsideError::Request)
}
