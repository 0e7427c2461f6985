//! What of a transaction is published.
//!
//! Each upsert publishes one event, in the order of the operations: its value, or that of the projection with the same
//! key. A projection (`outbox.projection: "true"`) is not stored; one whose key no upsert stores publishes its own value.
//! `outbox.skip: "true"`, our one addition to Dapr's rules, stores without publishing.

mod relay;
mod source;

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use dapr::{Metadata, metadata_key};

use crate::{
    envelope::{Draft, InvalidEvent, Trace},
    log::{NewMessage, Topic},
    pubsub,
    resources::Target,
    store::now,
};

pub(crate) use relay::{LEASE, Relay, Way};
pub(crate) use source::{BATCH_BYTES, Source, Turn};

/// What a transaction publishes.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// The pub/sub component.
    pub(crate) pubsub: Arc<str>,
    /// The topic.
    pub(crate) topic: Arc<str>,
    /// Messages with the same key keep their order; those without have none.
    pub(crate) key: Option<String>,
    /// A JSON object of text: what travels beside the content.
    pub(crate) attributes: String,
    /// Unix milliseconds after which it is not delivered any more.
    pub(crate) expires: Option<i64>,
    /// The bytes that are delivered.
    pub(crate) content: Bytes,
}

impl Message {
    /// The message on its way into its topic.
    pub(crate) fn to(self, topic: Arc<Topic>) -> NewMessage {
        let Self { key, attributes, expires, content, .. } = self;
        NewMessage { topic, key, attributes, expires, content }
    }
}

/// A message that is stored with its transaction, and not yet published.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Its place among the others.
    pub(crate) id: i64,
    /// The message.
    pub(crate) message: Message,
}

/// One upsert of a transaction, as the outbox sees it.
#[derive(Debug)]
pub(crate) struct Upsert {
    /// The key as the caller wrote it.
    pub(crate) key: String,
    /// JSON text.
    pub(crate) value: Bytes,
    /// The operation's metadata.
    pub(crate) metadata: Metadata,
}

impl Upsert {
    /// Whether the operation only says what is published.
    pub(crate) fn is_projection(&self) -> bool {
        is_true(&self.metadata, metadata_key::OUTBOX_PROJECTION)
    }

    fn is_skipped(&self) -> bool {
        is_true(&self.metadata, metadata_key::OUTBOX_SKIP)
    }
}

fn is_true(metadata: &Metadata, key: &str) -> bool {
    metadata.get(key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// The messages of a transaction, in order.
pub(crate) fn messages(
    target: &Target,
    source: &str,
    upserts: &[Upsert],
    transaction: &Metadata,
    trace: &Trace,
) -> Result<Vec<Message>, InvalidEvent> {
    let mut projections: HashMap<&str, Vec<&Upsert>> = HashMap::new();
    for projection in upserts.iter().filter(|upsert| upsert.is_projection()) {
        projections.entry(&projection.key).or_default().push(projection);
    }
    let stored: HashMap<&str, ()> =
        upserts.iter().filter(|upsert| publishes_itself(upsert)).map(|upsert| (upsert.key.as_str(), ())).collect();
    let mut messages = Vec::new();
    for upsert in upserts {
        let supplies = if upsert.is_projection() {
            // The stored upsert of the same key publishes it, at its own place.
            if stored.contains_key(upsert.key.as_str()) { None } else { Some(upsert) }
        } else if upsert.is_skipped() {
            None
        } else {
            Some(projections.get(upsert.key.as_str()).and_then(|all| all.last().copied()).unwrap_or(upsert))
        };
        if let Some(supplies) = supplies {
            messages.push(message(target, source, supplies, transaction, trace)?);
        }
    }
    Ok(messages)
}

fn publishes_itself(upsert: &Upsert) -> bool {
    !upsert.is_projection() && !upsert.is_skipped()
}

fn message(
    target: &Target,
    source: &str,
    upsert: &Upsert,
    transaction: &Metadata,
    trace: &Trace,
) -> Result<Message, InvalidEvent> {
    let (mut metadata, attributes) = sort_out(&upsert.metadata);
    if !metadata.contains_key(metadata_key::PARTITION_KEY)
        && let Some(key) = transaction.get(metadata_key::PARTITION_KEY)
    {
        metadata.insert(metadata_key::PARTITION_KEY.into(), key.clone());
    }
    let content_type = upsert.metadata.get(metadata_key::CONTENT_TYPE).map_or("application/json", String::as_str);
    // A value is JSON; published as anything else, a JSON text is its letters.
    let letters: Option<String> =
        if content_type.starts_with("application/json") { None } else { serde_json::from_slice(&upsert.value).ok() };
    let envelope = Draft {
        source,
        pubsub: &target.pubsub,
        topic: &target.topic,
        content_type,
        data: letters.as_deref().map_or(&upsert.value[..], str::as_bytes),
        metadata: &metadata,
        attributes: &attributes,
        trace,
        now: now(),
    }
    .wrap()?;
    Ok(Message {
        pubsub: target.pubsub.clone(),
        topic: target.topic.clone(),
        key: pubsub::key(&metadata),
        attributes: pubsub::attributes(&metadata),
        expires: envelope.expires,
        content: envelope.content,
    })
}

/// An operation's metadata as what travels beside the message, and what becomes an attribute of the envelope.
///
/// As in Dapr, every key without a meaning of its own is an attribute.
/// What frames the data cannot be set this way: it would no longer fit the data.
fn sort_out(metadata: &Metadata) -> (Metadata, Metadata) {
    let for_the_item = [
        metadata_key::OUTBOX_PROJECTION,
        metadata_key::OUTBOX_SKIP,
        metadata_key::CONTENT_TYPE,
        metadata_key::TTL_IN_SECONDS,
        "rawPayload",
        "data",
        "data_base64",
        "datacontenttype",
        "specversion",
    ];
    metadata
        .iter()
        .filter(|(key, _)| !for_the_item.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .partition(|(key, _)| key == metadata_key::PARTITION_KEY || key.starts_with("cloudevent."))
}
