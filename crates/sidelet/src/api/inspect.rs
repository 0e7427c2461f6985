//! What operators ask for, under `/sidelet/v1`: no path of Dapr's begins like this.

use dapr::code;
use http::{Method, StatusCode};
use serde::Serialize;

use super::{
    answer::{Answer, Refusal, json},
    publish,
    request::Call,
};
use crate::{inspect, log::Topic, replay, sidecar::Sidecar, store::StoreError};

/// Dead letters told of unless asked otherwise, and at most.
const LETTERS: usize = 100;
const LETTERS_MAX: usize = 10_000;

/// Answers what is below `/sidelet/v1`.
pub(super) async fn operate(sidecar: &Sidecar, call: &Call) -> Result<Answer, Refusal> {
    let path: Vec<&str> = call.segments[2..].iter().map(String::as_str).collect();
    match (call.method.as_str(), path.as_slice()) {
        ("GET", ["groups"]) => view(inspect::groups(sidecar).await, "read the consumer groups"),
        ("GET", ["jobs"]) => view(inspect::jobs(sidecar).await, "read the jobs"),
        ("GET", ["events", id]) => view(inspect::event(sidecar, id).await, "look for an event"),
        ("GET", ["dead-letters"]) => view(inspect::dead_letter_topics(sidecar).await, "look for dead letters"),
        ("GET", ["dead-letters", pubsub, topic]) => {
            let pubsub = publish::pubsub(sidecar, pubsub)?;
            let topic = known(pubsub, topic).await?;
            let count = call.parameter("limit").map_or(Ok(LETTERS), str::parse);
            let count = count.map_err(|_| Refusal::malformed("`limit` is no number; expected one up to 10000"))?;
            view(inspect::dead_letters(pubsub, &topic, count.min(LETTERS_MAX)).await, "read dead letters")
        }
        (_, ["dead-letters", pubsub, topic, "replay"]) if call.method == Method::POST => {
            let pubsub = publish::pubsub(sidecar, pubsub)?;
            let topic = known(pubsub, topic).await?;
            let id = call.parameter("id").filter(|id| !id.is_empty());
            view(replay::replay(pubsub, &topic, id).await, "put dead letters back")
        }
        _ => Err(Refusal::no_route()),
    }
}

/// A topic that is there: looking for one makes none.
async fn known(pubsub: &crate::pubsub::PubSub, name: &str) -> Result<std::sync::Arc<Topic>, Refusal> {
    match pubsub.existing_topic(name).await {
        Ok(Some(topic)) => Ok(topic),
        Ok(None) => {
            let message = format!("the pub/sub component `{}` has no topic `{name}`", pubsub.name);
            Err(Refusal::new(StatusCode::NOT_FOUND, "ERR_TOPIC_NOT_FOUND", message))
        }
        Err(error) => Err(Refusal::store(error, code::PUBSUB_PUBLISH_MESSAGE, "look for a topic")),
    }
}

fn view<T: Serialize>(result: Result<T, StoreError>, attempt: &str) -> Result<Answer, Refusal> {
    let view = result.map_err(|error| Refusal::store(error, code::PUBSUB_PUBLISH_MESSAGE, attempt))?;
    Ok(json(StatusCode::OK, serde_json::to_vec(&view).expect("a view is JSON")))
}
