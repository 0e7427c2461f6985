//! The last event of a user.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::EVENT_SCHEMA_VERSION;
use crate::ids::{EventId, UserId};
use crate::instant;

/// The word that tells this event from those of tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum FarewellType {
    /// The account was deleted.
    #[default]
    AccountDeleted,
}

impl FarewellType {
    /// The word on the wire.
    pub const ACCOUNT_DELETED: &str = "accountDeleted";
}

/// A user has gone: consumers remove what they hold of them.
///
/// It is the last event of its user on `task-events`, behind those that tell that each task is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AccountDeleted {
    /// What consumers remember to see repeats.
    pub event_id: EventId,
    /// Tells it from the events of tasks.
    pub event_type: FarewellType,
    /// Who has gone; the partition key.
    pub user_id: UserId,
    /// The number of the user's last event.
    pub sequence: u64,
    /// When it happened.
    #[serde(deserialize_with = "instant::read")]
    pub timestamp: Timestamp,
    /// The version of this form.
    pub schema_version: u32,
}

impl AccountDeleted {
    /// The event of a user that goes now.
    pub const fn new(event_id: EventId, user_id: UserId, sequence: u64, timestamp: Timestamp) -> Self {
        let event_type = FarewellType::AccountDeleted;
        Self { event_id, event_type, user_id, sequence, timestamp, schema_version: EVENT_SCHEMA_VERSION }
    }
}
