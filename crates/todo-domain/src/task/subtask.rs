//! The steps of a task.

use serde::{Deserialize, Serialize};

use crate::ids::SubtaskId;

/// One step of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Subtask {
    /// Unique within its task.
    pub id: SubtaskId,
    /// 1 to 255 characters, trimmed.
    pub title: String,
    /// Whether it is done.
    #[serde(default)]
    pub done: bool,
}

/// A step as it is given: one without an id is new and gets one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewSubtask {
    /// The id of a step that is already there.
    pub id: Option<SubtaskId>,
    /// 1 to 255 characters after trimming.
    pub title: String,
    /// Whether it is done.
    pub done: bool,
}

impl From<Subtask> for NewSubtask {
    fn from(subtask: Subtask) -> Self {
        Self { id: Some(subtask.id), title: subtask.title, done: subtask.done }
    }
}
