//! What consumers are told: what happened to tasks, as the topic `task-events` carries it, and what is made of that.

mod reminder;
mod update;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::reminder::{ReminderEvent, ReminderStatus};
pub use self::update::TaskUpdate;
use crate::ids::{EventId, TaskId, UserId};
use crate::instant;
use crate::task::Task;

/// The schema version that this release writes into events.
pub const EVENT_SCHEMA_VERSION: u32 = 1;

/// What kind of change an event tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum EventType {
    /// A task was made.
    Created,
    /// A task changed in another way, reopening and restoring included.
    Updated,
    /// A task was completed.
    Completed,
    /// A task went to the trash.
    Deleted,
}

impl EventType {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Completed => "completed",
            Self::Deleted => "deleted",
        }
    }
}

/// One change of one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TaskEvent {
    /// What consumers remember to see repeats.
    pub event_id: EventId,
    /// What kind of change.
    pub event_type: EventType,
    /// The task.
    pub task_id: TaskId,
    /// Whose list it is on; the partition key.
    pub user_id: UserId,
    /// Counts the user's events from 1 without gaps.
    pub sequence: u64,
    /// When it happened.
    #[serde(deserialize_with = "instant::read")]
    pub timestamp: Timestamp,
    /// The version of this form.
    pub schema_version: u32,
    /// The task after the change, and what changed.
    pub payload: EventPayload,
}

/// The task after the change, and what changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventPayload {
    /// The whole task as it is now.
    pub task: Task,
    /// The fields that differ, by canonical name; empty for created, `deletedAt` for deleted and restored.
    #[serde(default)]
    pub changed: Vec<String>,
}

/// Folds events, in their order, into the tasks that are not in the trash.
///
/// Events that repeat or are older than what was seen of their task are skipped, so that a log may overlap itself.
pub fn replay<'a>(events: impl IntoIterator<Item = &'a TaskEvent>) -> BTreeMap<TaskId, Task> {
    let mut tasks: BTreeMap<TaskId, Task> = BTreeMap::new();
    for event in events {
        let task = &event.payload.task;
        if tasks.get(&task.id).is_none_or(|seen| seen.version < task.version) {
            tasks.insert(task.id, task.clone());
        }
    }
    tasks.retain(|_, task| !task.is_trashed());
    tasks
}
