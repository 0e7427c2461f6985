//! What every store has in common, wherever it keeps what it is given: its errors and its clock.

use std::{error::Error as StdError, fmt::Display, sync::Arc};

use crate::resiliency::Fault;

/// Why a read or a write was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum StoreError {
    /// The item is not as the writer believed. Nothing was written.
    #[error("possible etag mismatch. error from state store")]
    Conflict,
    /// The store is away for now, or is closing: trying again can help. What was written is not known.
    #[error("the database is away: {source}")]
    Unavailable {
        /// The driver's reason.
        source: Arc<dyn StdError + Send + Sync>,
    },
    /// What was to be written can never be, however often it is tried. Nothing was written.
    #[error("it is refused: {source}")]
    Rejected {
        /// The driver's reason.
        source: Arc<dyn StdError + Send + Sync>,
    },
    /// The store is full, or refuses what it was asked. Nothing was written.
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

    /// A refusal told in words.
    pub(crate) fn rejected(reason: &'static str) -> Self {
        let source: Box<dyn StdError + Send + Sync> = reason.into();
        Self::Rejected { source: source.into() }
    }

    /// An absence told in words.
    pub(crate) fn unavailable(reason: &'static str) -> Self {
        let source: Box<dyn StdError + Send + Sync> = reason.into();
        Self::Unavailable { source: source.into() }
    }
}

impl Fault for StoreError {
    fn is_failure(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Failed { .. })
    }

    fn not_waited(reason: &'static str) -> Self {
        Self::unavailable(reason)
    }
}

/// Why a store could not be opened: one sentence that names it.
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

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
