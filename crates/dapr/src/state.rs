//! Bodies of the state API.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Text keys and values that travel with an item, an operation or a message.
pub type Metadata = BTreeMap<String, String>;

/// Keys of [`Metadata`] that mean something to a sidecar.
pub mod metadata_key {
    /// Seconds until the item is gone.
    pub const TTL_IN_SECONDS: &str = "ttlInSeconds";
    /// The media type of the value when it is published by the outbox.
    pub const CONTENT_TYPE: &str = "contentType";
    /// `true`: the operation is what the outbox publishes, and is not stored.
    pub const OUTBOX_PROJECTION: &str = "outbox.projection";
    /// `true`: the operation is stored and not published. An extension of sidelet's; daprd publishes every upsert.
    pub const OUTBOX_SKIP: &str = "outbox.skip";
    /// Messages with the same key keep their order.
    pub const PARTITION_KEY: &str = "partitionKey";
}

/// One key with its value, as it is saved.
///
/// A missing `value` is JSON's `null`. An empty `etag` is none.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct StateItem {
    /// The key, without the app's prefix.
    pub key: String,
    /// Any JSON, kept as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Box<RawValue>>,
    /// Set: the write is refused unless the stored item still has this entity tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// TTL and what the outbox needs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: Metadata,
    /// How writers at the same time are told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<StateOptions>,
}

impl StateItem {
    /// An item whose value is `value` as JSON.
    ///
    /// # Errors
    /// When `value` has no JSON form, such as a map whose keys are not text.
    pub fn new<T: Serialize + ?Sized>(key: impl Into<String>, value: &T) -> Result<Self, serde_json::Error> {
        Ok(Self { key: key.into(), value: Some(serde_json::value::to_raw_value(value)?), ..Self::default() })
    }

    /// An item with a key alone, as a delete needs it.
    pub fn key(key: impl Into<String>) -> Self {
        Self { key: key.into(), ..Self::default() }
    }

    /// Refuses the write unless the stored item still has `etag`.
    #[must_use]
    pub fn with_etag(mut self, etag: impl Into<String>) -> Self {
        self.etag = Some(etag.into());
        self
    }

    /// Refuses the write when the key is there already.
    #[must_use]
    pub fn first_write(mut self) -> Self {
        self.options = Some(StateOptions { concurrency: Some(Concurrency::FirstWrite), consistency: None });
        self
    }

    /// Adds one entry to the metadata.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }
}

/// How a write meets other writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateOptions {
    /// Who wins when two write at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// Accepted and, on a single store, without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consistency: Option<Consistency>,
}

/// Who wins when two write at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Concurrency {
    /// The first: a write without an entity tag is refused when the key exists.
    FirstWrite,
    /// The last.
    LastWrite,
}

/// Accepted for compatibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consistency {
    /// Reads may be old.
    Eventual,
    /// Reads are of the last write.
    Strong,
}

/// Operations that happen together, or not at all.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Transaction {
    /// Carried out in order. None: nothing happens, and that is no error.
    pub operations: Vec<Operation>,
    /// Applies to the transaction as a whole.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: Metadata,
}

impl Transaction {
    /// A transaction of `operations`, without metadata.
    pub fn new(operations: Vec<Operation>) -> Self {
        Self { operations, metadata: Metadata::new() }
    }

    /// The bytes that its JSON has, about.
    pub(crate) fn size_hint(&self) -> usize {
        /// An operation's own words, and its metadata.
        const ENVELOPE: usize = 512;

        let value = |operation: &Operation| operation.request.value.as_ref().map_or(0, |value| value.get().len());
        self.operations.iter().map(|operation| value(operation) + operation.request.key.len() + ENVELOPE).sum()
    }
}

/// One step of a [`Transaction`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Operation {
    /// [`Operation::UPSERT`] or [`Operation::DELETE`]; a server refuses anything else.
    pub operation: String,
    /// What it is done to. A delete reads `key` and `etag`.
    pub request: StateItem,
}

impl Operation {
    /// Stores an item.
    pub const UPSERT: &str = "upsert";
    /// Removes an item.
    pub const DELETE: &str = "delete";

    /// Stores `item`.
    pub fn upsert(item: StateItem) -> Self {
        Self { operation: Self::UPSERT.into(), request: item }
    }

    /// Removes `item`'s key.
    pub fn delete(item: StateItem) -> Self {
        Self { operation: Self::DELETE.into(), request: item }
    }

    /// The message that the outbox publishes in place of the stored value of the same key.
    #[must_use]
    pub fn projection(item: StateItem) -> Self {
        Self::upsert(
            item.with_metadata(metadata_key::OUTBOX_PROJECTION, "true")
                .with_metadata(metadata_key::CONTENT_TYPE, "application/json"),
        )
    }
}

/// Keys to read at once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BulkGetRequest {
    /// The keys, without the app's prefix.
    pub keys: Vec<String>,
    /// How many the sidecar reads at a time; a hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<u32>,
}

/// One answer of a bulk read. **The answers are not in the order of the keys.**
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BulkGetEntry {
    /// The key that was asked for.
    pub key: String,
    /// The value; absent when the key is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
    /// The entity tag of the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Why this key could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// `ttlExpireTime` where the item has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}
