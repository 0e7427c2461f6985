//! Many messages in one body, as Dapr's bulk subscribe brings them.

use bytes::Bytes;
use serde_json::{Value, json, value::RawValue};

use super::caller;
use crate::log::{Message, Topic};

/// The type of the body.
const TYPE: &str = "com.dapr.event.sent.bulk";

/// A body, and the id of each of its entries.
#[derive(Debug)]
pub(super) struct Entries {
    pub(super) ids: Vec<String>,
    pub(super) body: Bytes,
}

/// One message on its way into a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'message> {
    pub(super) partition: usize,
    pub(super) message: &'message Message,
    /// Bytes that are no envelope, which go as Base64.
    pub(super) raw: bool,
}

/// Puts messages into one body, in their order.
///
/// An entry's id is where it is in the log: the same on every try.
pub(super) fn entries(topic: &Topic, messages: &[Entry<'_>]) -> Entries {
    let mut ids = Vec::with_capacity(messages.len());
    let mut rendered = Vec::with_capacity(messages.len());
    for Entry { partition, message, raw } in messages {
        let id = format!("{partition}-{}", message.offset);
        let (event, content_type) = event(&message.content, *raw);
        rendered.push(RenderedEntry {
            entry_id: id.clone(),
            event,
            metadata: caller::metadata(topic, *partition, message),
            content_type,
        });
        ids.push(id);
    }
    let body = Body {
        entries: rendered,
        id: uuid::Uuid::new_v4().to_string(),
        metadata: json!({ "pubsubName": topic.pubsub }),
        pubsub: &topic.pubsub,
        topic: &topic.name,
        kind: TYPE,
    };
    Entries { ids, body: serde_json::to_vec(&body).expect("text and JSON are JSON").into() }
}

/// An envelope as it is; what is none, as text or Base64.
fn event(content: &Bytes, raw: bool) -> (Box<RawValue>, &'static str) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let text = |text: &str| serde_json::value::to_raw_value(text).expect("text is JSON");
    if raw {
        return (text(&STANDARD.encode(content)), "application/octet-stream");
    }
    let event = std::str::from_utf8(content).ok().and_then(|text| RawValue::from_string(text.to_owned()).ok());
    (event.unwrap_or_else(|| text(&String::from_utf8_lossy(content))), dapr::CLOUD_EVENT_CONTENT_TYPE)
}

#[derive(serde::Serialize)]
struct Body<'topic> {
    entries: Vec<RenderedEntry>,
    id: String,
    metadata: Value,
    #[serde(rename = "pubsubname")]
    pubsub: &'topic str,
    topic: &'topic str,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct RenderedEntry {
    entry_id: String,
    event: Box<RawValue>,
    metadata: std::collections::BTreeMap<String, String>,
    content_type: &'static str,
}
