//! Answers that are written as they come, and calls that are answered so.

use std::pin::Pin;
use std::time::SystemTime;

use futures::{SinkExt, Stream, StreamExt};
use jiff::Timestamp;
use spin_sdk::http::{Fields, IncomingRequest, IncomingResponse, OutgoingResponse, ResponseOutparam, SendError, send};

use super::{Call, SpinTransport, answer, app, complete, optional, parts, required};
use crate::{
    App,
    http::{Response, cors::Cors, problem::Problem, request_id, router::Route},
    settings::variable,
    updates::{Pieces, away, full},
};

/// An answer, whole or in pieces.
#[derive(Debug)]
pub enum Reply<P> {
    /// All there.
    Whole(Response),
    /// The head alone, and what is written behind it as it comes.
    InPieces(Response, P),
}

impl<P> From<Response> for Reply<P> {
    fn from(response: Response) -> Self {
        Self::Whole(response)
    }
}

/// The pieces of components that answer as a whole.
#[derive(Debug)]
pub enum Silent {}

impl Pieces for Silent {
    async fn next(&mut self) -> Option<Vec<u8>> {
        match *self {}
    }
}

/// As [`super::serve`], for answers in pieces, and for those with two headers of one name.
///
/// A client that has gone ends the pieces.
pub async fn serve_to<O: Copy, P: Pieces>(
    incoming: IncomingRequest,
    out: ResponseOutparam,
    routes: &[Route<O>],
    handler: impl AsyncFnOnce(App<SpinTransport>, Call<O>) -> Result<Reply<P>, Problem>,
) {
    let parts = match parts(&incoming) {
        Ok(parts) => parts,
        Err(problem) => {
            let mut response = problem.into_response();
            complete(&mut response, &request_id(&::http::HeaderMap::new()));
            return whole(out, response, false).await;
        }
    };
    let head_only = parts.method == ::http::Method::HEAD;
    let id = request_id(&parts.headers);
    let origins = optional(variable::CORS_ORIGINS);
    let cors = Cors::of(&origins, &parts.headers);
    let handler = async |call: Call<O>| handler(app(&call.request)?, call).await;
    let reply = answer(incoming, parts, routes, handler).await;
    let (mut response, pieces) = match reply {
        Ok(Reply::Whole(response)) => (response, None),
        Ok(Reply::InPieces(response, pieces)) => (response, Some(pieces)),
        Err(problem) => (problem.into_response(), None),
    };
    cors.mark(&mut response, &origins);
    complete(&mut response, &id);
    match pieces {
        None => whole(out, response, head_only).await,
        Some(_) if head_only => out.set(head(&response, None)),
        Some(pieces) => in_pieces(out, &response, pieces).await,
    }
}

async fn whole(out: ResponseOutparam, response: Response, head_only: bool) {
    let status = response.status();
    let has_body = status != ::http::StatusCode::NO_CONTENT && status != ::http::StatusCode::NOT_MODIFIED;
    let length = has_body.then(|| response.body().len());
    let head = head(&response, length);
    let body = if has_body && !head_only { response.into_body() } else { Vec::new() };
    if out.set_with_body(head, body).await.is_err() {
        eprintln!("the client has gone before its answer");
    }
}

async fn in_pieces(out: ResponseOutparam, response: &Response, mut pieces: impl Pieces) {
    let head = head(response, None);
    let mut body = std::pin::pin!(head.take_body());
    out.set(head);
    while let Some(piece) = pieces.next().await {
        if body.send(piece).await.is_err() {
            return;
        }
    }
}

fn head(response: &Response, length: Option<usize>) -> OutgoingResponse {
    let headers = response.headers().iter();
    let mut headers: Vec<(String, Vec<u8>)> =
        headers.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    headers.extend(length.map(|length| ("content-length".to_owned(), length.to_string().into_bytes())));
    let head = OutgoingResponse::new(Fields::from_list(&headers).expect("headers were checked when they were made"));
    head.set_status_code(response.status().as_u16()).expect("a status has three digits");
    head
}

/// The body of the sidecar's answer, as it comes.
pub struct Incoming {
    /// Dropping it would end the call.
    _response: IncomingResponse,
    pieces: Pin<Box<dyn Stream<Item = Option<Vec<u8>>>>>,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Incoming")
    }
}

impl Pieces for Incoming {
    async fn next(&mut self) -> Option<Vec<u8>> {
        self.pieces.next().await.flatten()
    }
}

/// Opens the sidecar's stream of a topic's messages with a key.
///
/// # Errors
/// 503 when there is none.
pub async fn subscribe(pubsub: &str, topic: &str, key: &str) -> Result<Incoming, Problem> {
    // Names of components and topics, and ids: nothing in them needs an escape.
    let address = required(variable::DAPR_URL)?;
    let url = format!("{}/sidelet/v1/subscribe/{pubsub}/{topic}?key={key}", address.trim_end_matches('/'));
    let mut request = spin_sdk::http::Request::get(url);
    let token = optional(variable::DAPR_API_TOKEN);
    if !token.is_empty() {
        request.header("dapr-api-token", token);
    }
    let response: Result<IncomingResponse, SendError> = send(request.build()).await;
    match response {
        Ok(response) if response.status() == 200 => {
            let pieces = Box::pin(response.take_body_stream().map(Result::ok));
            Ok(Incoming { _response: response, pieces })
        }
        Ok(response) if response.status() == 429 => Err(full()),
        Ok(response) => {
            eprintln!("the sidecar answered {} to a stream of `{topic}`", response.status());
            Err(away())
        }
        Err(error) => {
            eprintln!("the sidecar has no stream of `{topic}`: {error}");
            Err(away())
        }
    }
}

/// The present, to the millisecond.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    i64::try_from(since).ok().and_then(|since| Timestamp::from_millisecond(since).ok()).unwrap_or(Timestamp::MAX)
}
