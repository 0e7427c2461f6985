//! What consumers are told: what happened to tasks, as the topic `task-events` carries it, and what is made of that.

mod actor;
mod digest;
mod farewell;
mod reminder;
mod update;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::actor::{Actor, ActorKind};
pub use self::digest::{DigestEvent, DigestSection, DigestTask};
pub use self::farewell::{AccountDeleted, FarewellType};
pub use self::reminder::{ReminderEvent, ReminderStatus};
pub use self::update::{TaskUpdate, TaskUpdates};
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
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Created, Self::Updated, Self::Completed, Self::Deleted];

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
    /// Who made the change; absent in events of the first release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
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
    /// What the changed fields held before, as [`Task::values`] gives it; absent in events of the first release.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub previous: Map<String, Value>,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// As the first release wrote it.
    const OLD: &str = r#"{"eventId":"0190163d-8694-739b-aea5-966c26f8ad91","eventType":"updated",
        "taskId":"0190163d-8694-739b-aea5-966c26f8ad92","userId":"0190163d-8694-739b-aea5-966c26f8ad93","sequence":7,
        "timestamp":"2026-03-01T09:00:00Z","schemaVersion":1,"payload":{"changed":["title"],"task":{
        "id":"0190163d-8694-739b-aea5-966c26f8ad92","title":"milk","createdAt":"2026-03-01T09:00:00Z",
        "updatedAt":"2026-03-01T09:00:00Z","version":2}}}"#;

    #[test]
    fn an_event_that_does_not_tell_who_and_what_was_before_is_read() {
        let event: TaskEvent = serde_json::from_str(OLD).unwrap();
        assert!(event.actor.is_none() && event.payload.previous.is_empty());
        let newer = OLD.replacen('{', r#"{"actor":{"kind":"spirit","name":"x"},"#, 1);
        let event: TaskEvent = serde_json::from_str(&newer).unwrap();
        assert_eq!(event.actor.unwrap().kind, ActorKind::Other);
    }
}
