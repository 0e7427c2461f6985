//! `GET /sidelet/v1/subscribe/{pubsub}/{topic}`: a topic as server-sent events.

use std::sync::Arc;

use futures::StreamExt;
use http::{HeaderValue, StatusCode, header};
use http_body_util::{Either, StreamBody};
use hyper::body::Frame;

use super::{
    answer::{Answer, Refusal},
    publish,
    request::Call,
};
use crate::{
    pubsub::PubSub,
    sidecar::Sidecar,
    streams::{OpenError, Start},
};

/// Streams what is appended from now on, or what `from` or `Last-Event-ID` say: with `key` the messages of that key,
/// else all.
pub(super) async fn stream_topic(
    sidecar: &Sidecar,
    pubsub: &Arc<PubSub>,
    topic: &str,
    call: &Call,
) -> Result<Answer, Refusal> {
    let start = match (call.header("last-event-id"), call.parameter("from")) {
        ("", None | Some("" | "latest")) => Start::Now,
        ("", Some("earliest")) => Start::Earliest,
        ("", Some(other)) => {
            return Err(Refusal::malformed(format!("`from` is `{other}`; expected `earliest` or `latest`")));
        }
        // A client that comes back says where it was, whatever its address says.
        (id, _) => Start::After(id.to_owned()),
    };
    let key = call.parameter("key").filter(|key| !key.is_empty());
    let topic = publish::open(pubsub, topic).await?;
    let open = sidecar.metrics.streams(&pubsub.name);
    let reader = match sidecar.streams.open(pubsub, topic, key, &start, open).await {
        Ok(reader) => reader,
        Err(OpenError::Store(error)) => {
            return Err(Refusal::store(error, "ERR_STREAM_UNAVAILABLE", "cannot read the topic"));
        }
        Err(error) => return Ok(refused(&error)),
    };
    let frames = reader.into_stream().map(|bytes| Ok(Frame::data(bytes))).boxed();
    let mut answer = Answer::new(Either::Right(Either::Right(StreamBody::new(frames))));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

fn refused(error: &OpenError) -> Answer {
    let status = match error {
        OpenError::Position { .. } => return Refusal::malformed(error.to_string()).into(),
        OpenError::KeyFull => StatusCode::TOO_MANY_REQUESTS,
        OpenError::Full | OpenError::Absent | OpenError::Ending | OpenError::Store(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    Refusal::new(status, "ERR_STREAM_UNAVAILABLE", error.to_string()).into()
}
