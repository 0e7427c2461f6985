//! The publish API.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use dapr::{Metadata, code};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    answer::{Answer, Refusal, empty, json},
    request::Call,
};
use crate::{
    envelope::{Draft, Trace},
    log::{NewMessage, Topic},
    pubsub::{self, PubSub},
    sidecar::Sidecar,
    store::{StoreError, now},
};

/// The longest name of a topic; Kafka's own limit is near.
const TOPIC: usize = 255;

/// A component by name.
pub(super) fn pubsub<'sidecar>(sidecar: &'sidecar Sidecar, name: &str) -> Result<&'sidecar Arc<PubSub>, Refusal> {
    sidecar.pubsubs.get(name).ok_or_else(|| {
        Refusal::new(StatusCode::NOT_FOUND, code::PUBSUB_NOT_FOUND, format!("pubsub {name} is not found"))
            .because("DAPR_PUBSUB_NOT_FOUND")
    })
}

/// What turns bytes into messages of one topic.
struct Publisher<'call> {
    sidecar: &'call Sidecar,
    topic: Arc<Topic>,
    trace: Trace,
}

impl Publisher<'_> {
    fn message(&self, content_type: &str, data: Bytes, metadata: &Metadata) -> Result<NewMessage, Refusal> {
        if raw(metadata)? {
            return Ok(pubsub::message(self.topic.clone(), metadata, None, data));
        }
        let envelope = Draft {
            source: &self.sidecar.app_id,
            pubsub: &self.topic.pubsub,
            topic: &self.topic.name,
            content_type,
            data: &data,
            metadata,
            attributes: &Metadata::new(),
            trace: &self.trace,
            now: now(),
        }
        .wrap()
        .map_err(|error| {
            let message = format!("cannot create cloudevent: {error}");
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, code::PUBSUB_CLOUD_EVENTS_SER, message)
        })?;
        Ok(pubsub::message(self.topic.clone(), metadata, envelope.expires, envelope.content))
    }
}

/// Publishes the body: 204 when it is on the disk.
pub(super) async fn publish_one(
    sidecar: &Sidecar,
    pubsub: &PubSub,
    topic: String,
    call: &mut Call,
) -> Result<Answer, Refusal> {
    let (metadata, trace) = (call.metadata(), call.trace());
    let content_type = call.header(header::CONTENT_TYPE).to_owned();
    let body = call.body(sidecar).await?;
    let publisher = Publisher { sidecar, topic: open(pubsub, &topic).await?, trace };
    let message = publisher.message(&content_type, body, &metadata)?;
    let start = Instant::now();
    let done = append(sidecar, pubsub, vec![message]).await;
    sidecar.metrics.published(&pubsub.name, &topic, done.is_ok(), start);
    done.map_err(|error| failed(error, &topic, pubsub))?;
    Ok(empty())
}

/// Appends all messages, or none.
async fn append(sidecar: &Sidecar, pubsub: &PubSub, messages: Vec<NewMessage>) -> Result<(), StoreError> {
    match sidecar.guards.of_component(&pubsub.name) {
        None => pubsub.append(messages).await,
        Some(guard) => guard.ask(|| pubsub.append(messages.clone())).await,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryText<'body> {
    // Dapr reads names whatever their case, and its JavaScript SDK relies on that.
    #[serde(default, alias = "entryID", alias = "entryid")]
    entry_id: Option<String>,
    #[serde(borrow, default)]
    event: Option<&'body RawValue>,
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

/// Publishes all entries in order, or none.
pub(super) async fn publish_many(
    sidecar: &Sidecar,
    pubsub: &PubSub,
    topic: String,
    call: &mut Call,
) -> Result<Answer, Refusal> {
    let (query, trace) = (call.metadata(), call.trace());
    let body = call.body(sidecar).await?;
    let entries: Vec<EntryText<'_>> =
        serde_json::from_slice(&body).map_err(|error| unreadable(&topic, &error.to_string()))?;
    let publisher = Publisher { sidecar, topic: open(pubsub, &topic).await?, trace };
    let mut ids = BTreeSet::new();
    let mut messages = Vec::with_capacity(entries.len());
    for entry in &entries {
        let id = entry.entry_id.as_deref().filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| unreadable(&topic, "an entry has no `entryId`"))?;
        if !ids.insert(id) {
            return Err(unreadable(&topic, &format!("the `entryId` `{id}` is there twice")));
        }
        let content_type = entry.content_type.as_deref().filter(|text| !text.is_empty());
        let content_type = content_type.ok_or_else(|| unreadable(&topic, &format!("`{id}` has no `contentType`")))?;
        let data = data(entry.event, content_type, &body)
            .ok_or_else(|| unreadable(&topic, &format!("the event of `{id}` does not fit its `contentType`")))?;
        let mut metadata = query.clone();
        metadata.extend(entry.metadata.clone().unwrap_or_default());
        messages.push(publisher.message(content_type, data, &metadata)?);
    }
    if messages.is_empty() {
        return Ok(empty());
    }
    let (start, count) = (Instant::now(), messages.len());
    let done = append(sidecar, pubsub, messages).await;
    sidecar.metrics.published_in_bulk(&pubsub.name, &topic, done.is_ok(), count, start);
    match done {
        Ok(()) => Ok(empty()),
        Err(error) => Ok(none_published(ids, failed(error, &topic, pubsub))),
    }
}

/// Dapr's answer to a bulk publish of which some entries failed: here it is all of them, since none is published alone.
fn none_published(ids: BTreeSet<&str>, refusal: Refusal) -> Answer {
    let entries: Vec<_> =
        ids.into_iter().map(|id| serde_json::json!({ "entryId": id, "error": refusal.message })).collect();
    let body = serde_json::json!({ "failedEntries": entries, "errorCode": refusal.code });
    json(refusal.status, body.to_string())
}

/// JSON as it is; text from its JSON string; bytes from Base64 in a JSON string.
fn data(event: Option<&RawValue>, content_type: &str, body: &Bytes) -> Option<Bytes> {
    let raw = event?;
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/json" | dapr::CLOUD_EVENT_CONTENT_TYPE => Some(body.slice_ref(raw.get().as_bytes())),
        "application/octet-stream" => {
            let text: String = serde_json::from_str(raw.get()).ok()?;
            Some(STANDARD.decode(text).ok()?.into())
        }
        _ => serde_json::from_str::<String>(raw.get()).ok().map(Bytes::from),
    }
}

/// A topic by name, made on first use.
pub(super) async fn open(pubsub: &PubSub, topic: &str) -> Result<Arc<Topic>, Refusal> {
    if topic.len() > TOPIC {
        return Err(Refusal::malformed(format!("the topic is longer than {TOPIC} bytes")));
    }
    pubsub.topic(topic).await.map_err(|error| failed(error, topic, pubsub))
}

fn raw(metadata: &Metadata) -> Result<bool, Refusal> {
    match metadata.get("rawPayload").map(|text| text.to_ascii_lowercase()).as_deref() {
        None | Some("" | "false" | "0" | "f") => Ok(false),
        Some("true" | "1" | "t") => Ok(true),
        Some(other) => {
            let message = format!("failed deserializing metadata: rawPayload is `{other}`; expected `true` or `false`");
            Err(Refusal::new(StatusCode::BAD_REQUEST, code::PUBSUB_REQUEST_METADATA, message))
        }
    }
}

fn failed(error: StoreError, topic: &str, pubsub: &PubSub) -> Refusal {
    let attempt = format!("error when publish to topic {topic} in pubsub {}", pubsub.name);
    Refusal::store(error, code::PUBSUB_PUBLISH_MESSAGE, &attempt)
}

fn unreadable(topic: &str, reason: &str) -> Refusal {
    let message = format!("error when unmarshaling the request for topic {topic}: {reason}");
    Refusal::new(StatusCode::BAD_REQUEST, code::PUBSUB_EVENTS_SER, message)
}
