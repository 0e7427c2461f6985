//! What goes wrong with a database.

use std::{error::Error as StdError, fmt::Display, sync::Arc};

/// Why a read or a write was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum StoreError {
    /// The item is not as the writer believed. Nothing was written.
    #[error("possible etag mismatch. error from state store")]
    Conflict,
    /// The disk is full, the file cannot be written, or the database is closing. Nothing was written.
    #[error("the database failed: {source}")]
    Failed {
        /// The driver's reason.
        source: Arc<dyn StdError + Send + Sync>,
    },
}

impl StoreError {
    /// A failure told in words.
    pub(crate) fn failed(reason: &'static str) -> Self {
        let source: Box<dyn StdError + Send + Sync> = reason.into();
        Self::Failed { source: source.into() }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed { source: Arc::new(error) }
    }
}

/// Why a database could not be opened: one sentence that names the file.
#[derive(Debug, thiserror::Error)]
#[error("could not open the database `{place}`: {reason}")]
pub(crate) struct OpenError {
    place: String,
    reason: String,
}

impl OpenError {
    pub(crate) fn new(place: impl Display, reason: impl Display) -> Self {
        Self { place: place.to_string(), reason: reason.to_string() }
    }
}
