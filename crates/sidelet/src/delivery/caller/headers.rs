//! The headers of a delivery.

use std::{borrow::Cow, collections::BTreeMap};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserialize;

use crate::log::{Message, Topic};

/// The trace context of a message that has none.
pub(super) const NO_TRACE: HeaderValue =
    HeaderValue::from_static("00-00000000000000000000000000000000-0000000000000000-00");

/// Puts what travels beside a message into the headers of its request.
pub(super) fn describe(headers: &mut HeaderMap, topic: &Topic, partition: usize, message: &Message) {
    for (name, value) in metadata(topic, partition, message) {
        insert(headers, &name, &value);
    }
}

/// The message's own metadata, and where it is in the log, under Kafka's names.
pub(super) fn metadata(topic: &Topic, partition: usize, message: &Message) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = serde_json::from_str(&message.attributes).unwrap_or_default();
    all.insert("pubsubname".into(), topic.pubsub.clone());
    all.insert("__topic".into(), topic.name.clone());
    all.insert("__partition".into(), partition.to_string());
    all.insert("__offset".into(), message.offset.to_string());
    all.insert("__timestamp".into(), message.time.to_string());
    if let Some(key) = message.key.as_deref() {
        all.insert("__key".into(), key.to_owned());
    }
    all
}

/// What no header can hold stays behind, and so does what would change how the request is read.
pub(super) fn insert(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value))
        && !is_framing(&name)
    {
        headers.insert(name, value);
    }
}

/// Metadata comes from whoever publishes.
fn is_framing(name: &HeaderName) -> bool {
    [
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::HOST,
        header::UPGRADE,
        header::EXPECT,
        header::TE,
        header::TRAILER,
    ]
    .contains(name)
        || name == "dapr-api-token"
}

/// The trace context in an envelope.
pub(super) fn trace_parent(content: &[u8]) -> HeaderValue {
    #[derive(Deserialize)]
    struct Traced<'content> {
        #[serde(borrow, default)]
        traceparent: Cow<'content, str>,
    }
    let traced = serde_json::from_slice::<Traced<'_>>(content).ok();
    let value = traced.and_then(|traced| HeaderValue::from_str(&traced.traceparent).ok());
    value.filter(|value| !value.is_empty()).unwrap_or(NO_TRACE)
}
