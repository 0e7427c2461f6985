//! State: what is stored, and what is changed.

mod store;

use bytes::Bytes;

pub(crate) use store::{Keeper, Publishes, StateStore};

/// A stored value.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// JSON text, as it was written.
    pub(crate) value: Bytes,
    /// Changes with every write.
    pub(crate) etag: String,
    /// Unix milliseconds.
    pub(crate) expires: Option<i64>,
}

/// What must hold for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Nothing.
    None,
    /// The key is not there.
    Absent,
    /// The item is there with this entity tag.
    Matches(String),
}

/// One write. Keys are whole, with the prefix of the app.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// Stores a value.
    Upsert {
        /// The key.
        key: String,
        /// JSON text.
        value: Bytes,
        /// When it happens.
        condition: Condition,
        /// Seconds until it is gone.
        time_to_live: Option<i64>,
    },
    /// Removes a key, which may be absent.
    Delete {
        /// The key.
        key: String,
        /// When it happens.
        condition: Condition,
    },
}

impl Change {
    /// The key that it is about.
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Upsert { key, .. } | Self::Delete { key, .. } => key,
        }
    }
}
