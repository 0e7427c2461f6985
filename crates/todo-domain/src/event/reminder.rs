//! A reminder, as the topic `reminders` carries it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ReminderId, TaskId, UserId};
use crate::instant;
use crate::task::DueDate;

/// Where a reminder stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ReminderStatus {
    /// Its time has come; the user has not been told yet.
    Pending,
    /// The user has been told.
    Sent,
    /// Its task was moved, completed or deleted before.
    Cancelled,
}

/// A task is to be remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReminderEvent {
    /// What consumers remember to see repeats.
    pub reminder_id: ReminderId,
    /// The task.
    pub task_id: TaskId,
    /// Whose; the partition key.
    pub user_id: UserId,
    /// When the task is due.
    pub due_time: DueDate,
    /// When to remind.
    #[serde(deserialize_with = "instant::read")]
    pub remind_at: Timestamp,
    /// Where the reminder stands.
    pub status: ReminderStatus,
    /// The task's title, so that a message needs no other read.
    pub title: String,
}

impl ReminderEvent {
    /// The CloudEvent's `type`, which tells it from a digest on the same topic.
    pub const TYPE: &str = "todo.reminder";
}
