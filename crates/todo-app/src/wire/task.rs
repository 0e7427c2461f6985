//! A task as it is answered.

use jiff::Timestamp;
use serde::Serialize;
use todo_domain::quick_add::Understood;
use todo_domain::{DueDate, Priority, SeriesId, Status, Subtask, Task, TaskId};

/// A task as it is answered: every field is there, absent ones as null or empty.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Task"))]
#[serde(rename_all = "camelCase")]
pub struct TaskBody<'a> {
    /// A UUIDv7: ids made later sort later.
    id: TaskId,
    /// Trimmed.
    title: &'a str,
    /// `null` for none.
    description: Option<&'a str>,
    /// Where the task stands.
    status: Status,
    /// How much it matters.
    priority: Priority,
    /// Lower-cased, without repeats.
    tags: &'a [String],
    /// An instant in UTC, or a day in `timeZone`.
    due_date: Option<DueDate>,
    /// An IANA name.
    time_zone: &'a str,
    /// `none`, a word, a five-field cron expression, or an RFC 5545 rule.
    recurrence: &'a str,
    /// Minutes before the due date.
    reminders: &'a [u32],
    /// Its steps.
    subtasks: &'a [Subtask],
    /// When it was made.
    created_at: Timestamp,
    /// When it last changed.
    updated_at: Timestamp,
    /// When it was completed; `null` unless it is.
    completed_at: Option<Timestamp>,
    /// When it went to the trash; absent unless it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
    /// Whether the due date has passed and the task is not completed.
    is_overdue: bool,
    /// 1 when made, one more with each change; the entity tag.
    version: u64,
    /// What all occurrences of a recurring task share.
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
            deleted_at: task.deleted_at,
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

/// A task made from a line of text, and what of the line was understood.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "QuickTaskResult"))]
pub struct QuickTaskBody<'a> {
    #[serde(flatten)]
    task: TaskBody<'a>,
    /// Which words became which field, in the order of the line. All others are the title.
    understood: &'a [Understood],
}

impl<'a> QuickTaskBody<'a> {
    /// The task as it is at a moment.
    pub fn new(task: &'a Task, understood: &'a [Understood], now: Timestamp) -> Self {
        Self { task: TaskBody::new(task, now), understood }
    }
}
