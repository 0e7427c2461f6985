//! One changed field, as the topic `task-updates` carries it to the user's open pages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{TaskId, UpdateId, UserId};
use crate::instant;

/// One field of one task has another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TaskUpdate {
    /// What consumers remember to see repeats.
    pub update_id: UpdateId,
    /// The task.
    pub task_id: TaskId,
    /// Whose; the partition key.
    pub user_id: UserId,
    /// The number of the event that it comes from; the updates of one event share it.
    pub sequence: u64,
    /// The field's canonical name, or `created` or `deleted`.
    pub update_type: String,
    /// The field's value as answers give it; the whole task for `created`, null for `deleted`.
    #[serde(default)]
    pub new_value: Value,
    /// When it happened.
    #[serde(deserialize_with = "instant::read")]
    pub timestamp: Timestamp,
}
