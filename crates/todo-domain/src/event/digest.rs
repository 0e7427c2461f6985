//! A digest, as the topic `reminders` carries it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{DigestId, TaskId, UserId};
use crate::instant;
use crate::task::{DueDate, TimeZoneName};

/// What a user's day brings; sent as the day begins, unless it brings nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DigestEvent {
    /// What consumers remember to see repeats: a user's day has one.
    pub digest_id: DigestId,
    /// Whose; the partition key.
    pub user_id: UserId,
    /// The day, in the user's zone.
    pub day: DueDate,
    /// The user's zone.
    #[serde(default)]
    pub time_zone: TimeZoneName,
    /// When it was made.
    #[serde(deserialize_with = "instant::read")]
    pub timestamp: Timestamp,
    /// The open tasks that are due on this day, past ones of it too.
    pub today: DigestSection,
    /// The open tasks that were due before.
    pub overdue: DigestSection,
}

impl DigestEvent {
    /// The CloudEvent's `type`, which tells it from a reminder on the same topic.
    pub const TYPE: &str = "todo.digest";
}

/// Some tasks of a digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DigestSection {
    /// How many there are.
    pub total: u32,
    /// The first 20 of them, by when they are due.
    #[serde(default)]
    pub tasks: Vec<DigestTask>,
}

/// A task of a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DigestTask {
    /// The task.
    pub task_id: TaskId,
    /// Its title.
    pub title: String,
    /// When it is due.
    pub due_date: DueDate,
}
