//! A task as it is stored and as events carry it.

mod armed;
mod choice;
mod draft;
mod due;
mod rules;
mod subtask;
mod values;
mod zone;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::choice::{Priority, Status, UnknownChoice};
pub use self::draft::{NewTask, Patch, TaskChange};
pub(crate) use self::due::to_millisecond;
pub use self::due::{DueDate, InvalidDueDate};
pub(crate) use self::rules::normal_tag;
pub use self::rules::{MAX_DESCRIPTION, MAX_REMINDER_LEAD, MAX_REMINDERS, MAX_SUBTASKS, MAX_TAG, MAX_TAGS, MAX_TITLE};
pub use self::subtask::{NewSubtask, Subtask};
pub(crate) use self::zone::zone_named;
pub use self::zone::{TimeZoneName, UnknownTimeZone};

use crate::calendar::plus_milliseconds;
use crate::ids::{SeriesId, TaskId};
use crate::instant;
use crate::recurrence::Recurrence;

/// One task, in the form that storage and events share.
///
/// Its JSON is compact: camelCase, what is absent or empty left out, `id` first.
/// Fields that a newer release added are kept, so that one release does not lose what another has written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// The task's id.
    pub id: TaskId,
    /// 1 to 255 characters, trimmed.
    pub title: String,
    /// Up to 10,000 characters; never empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where it stands.
    #[serde(default)]
    pub status: Status,
    /// How much it matters.
    #[serde(default)]
    pub priority: Priority,
    /// Up to 10, lower-cased, without repeats, in the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// When it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<DueDate>,
    /// The zone of its wall-clock times; UTC is left out.
    #[serde(default, skip_serializing_if = "TimeZoneName::is_utc")]
    pub time_zone: TimeZoneName,
    /// How it comes back after it was completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,
    /// Minutes before the due date at which to remind, longest first, without repeats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reminders: Vec<u32>,
    /// Up to 50 steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subtasks: Vec<Subtask>,
    /// When it was made.
    #[serde(deserialize_with = "instant::read")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(deserialize_with = "instant::read")]
    pub updated_at: Timestamp,
    /// When it was completed; present exactly when it is completed.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "instant::read")]
    pub completed_at: Option<Timestamp>,
    /// When it went to the trash; present exactly while it is there.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "instant::read")]
    pub deleted_at: Option<Timestamp>,
    /// 1 when made, one more with each change.
    pub version: u64,
    /// Its place in a series; present once it has had a recurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<Series>,
    /// What a newer release added; kept as it is.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A task's place among the occurrences of one recurring task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Series {
    /// What all occurrences share.
    pub id: SeriesId,
    /// The due date from which occurrences are counted, so that the 31st comes back after a 28th.
    pub start: DueDate,
    /// 1 for the first, one more with each occurrence.
    pub occurrence: u32,
    /// The id that the next occurrence gets, chosen when this one is first completed and kept until its recurrence changes.
    ///
    /// So however often this one is completed again or its event delivered, one task follows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<TaskId>,
    /// The version of this task in which `next` was chosen: the event of that change alone makes the next occurrence.
    ///
    /// Absent in tasks that an older release has completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_since: Option<u64>,
}

impl Task {
    /// Whether its due date has passed and it is not completed.
    ///
    /// A day has passed when it has ended in the task's zone.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.status != Status::Completed && self.deadline().is_some_and(|deadline| deadline < now)
    }

    /// Whether it is in the trash.
    pub const fn is_trashed(&self) -> bool {
        self.deleted_at.is_some()
    }

    /// The series that it belongs to.
    pub fn series_id(&self) -> Option<SeriesId> {
        self.series.as_ref().map(|series| series.id)
    }

    /// The last millisecond at which it is not overdue.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.due_date.map(|due| due.deadline(&self.time_zone.zone()))
    }

    /// The instants at which to remind of it, earliest first, each with its lead in minutes.
    ///
    /// The lead counts back from the due instant, or from the start of the day for a date alone.
    pub fn remind_at(&self) -> Vec<(u32, Timestamp)> {
        let Some(due) = self.due_date else { return Vec::new() };
        let start = due.start(&self.time_zone.zone());
        self.reminders
            .iter()
            .filter_map(|lead| {
                let before = i64::from(*lead) * 60_000;
                Some((*lead, plus_milliseconds(start, -before)?))
            })
            .collect()
    }
}
