//! A task as it is answered.

use jiff::Timestamp;
use serde::Serialize;
use todo_domain::{DueDate, Priority, SeriesId, Status, Subtask, Task, TaskId};

/// A task as it is answered: every field is there, absent ones as null or empty.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskBody<'a> {
    id: TaskId,
    title: &'a str,
    description: Option<&'a str>,
    status: Status,
    priority: Priority,
    tags: &'a [String],
    due_date: Option<DueDate>,
    time_zone: &'a str,
    recurrence: &'a str,
    reminders: &'a [u32],
    subtasks: &'a [Subtask],
    created_at: Timestamp,
    updated_at: Timestamp,
    completed_at: Option<Timestamp>,
    is_overdue: bool,
    version: u64,
    series_id: Option<SeriesId>,
}

impl<'a> TaskBody<'a> {
    /// The task as it is at a moment, which decides whether it is overdue.
    pub fn new(task: &'a Task, now: Timestamp) -> Self {
        Self {
            id: task.id,
            title: &task.title,
            description: task.description.as_deref(),
            status: task.status,
            priority: task.priority,
            tags: &task.tags,
            due_date: task.due_date,
            time_zone: task.time_zone.as_str(),
            recurrence: task.recurrence.as_ref().map_or("none", |recurrence| recurrence.as_str()),
            reminders: &task.reminders,
            subtasks: &task.subtasks,
            created_at: task.created_at,
            updated_at: task.updated_at,
            completed_at: task.completed_at,
            is_overdue: task.is_overdue(now),
            version: task.version,
            series_id: task.series_id(),
        }
    }

    /// Many tasks at a moment.
    pub fn all(tasks: &'a [Task], now: Timestamp) -> Vec<Self> {
        tasks.iter().map(|task| Self::new(task, now)).collect()
    }
}
