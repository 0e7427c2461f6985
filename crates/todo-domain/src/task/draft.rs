//! What people give: a whole new task, or a change of one.

use jiff::Timestamp;
use serde_json::Map;

use super::{DueDate, NewSubtask, Priority, Series, Status, Task, TimeZoneName, rules};
use crate::ids::{Ids, SeriesId, TaskId};
use crate::recurrence::Recurrence;
use crate::validation::{Refusals, ValidationError};

/// A task that is to be made; texts are as given, neither trimmed nor checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewTask {
    /// Required: 1 to 255 characters after trimming.
    pub title: String,
    /// Up to 10,000 characters; a blank one is none.
    pub description: Option<String>,
    /// Pending unless given; one that is made completed is completed now.
    pub status: Status,
    /// Medium unless given.
    pub priority: Priority,
    /// Up to 10 of 1 to 50 characters.
    pub tags: Vec<String>,
    /// When it is due; the past is allowed.
    pub due_date: Option<DueDate>,
    /// The user's zone, or the task's own; UTC unless given.
    pub time_zone: TimeZoneName,
    /// How it comes back.
    pub recurrence: Option<Recurrence>,
    /// Up to 5 leads in minutes; only with a due date.
    pub reminders: Vec<u32>,
    /// Up to 50 steps.
    pub subtasks: Vec<NewSubtask>,
    /// The series that it continues; only for an occurrence of a recurring task.
    pub series: Option<Series>,
}

impl NewTask {
    /// Checks every field and makes the task, or says all that is wrong.
    pub fn build(&self, id: TaskId, now: Timestamp, ids: Ids<'_>) -> Result<Task, ValidationError> {
        let mut refusals = Refusals::default();
        let title = rules::title("title", &self.title, &mut refusals);
        let description = self.description.as_deref().and_then(|text| rules::description(text, &mut refusals));
        let tags = rules::tags(&self.tags, &mut refusals);
        let reminders = rules::reminders(&self.reminders, self.due_date.is_some(), &mut refusals);
        let subtasks = rules::subtasks(&self.subtasks, &[], &mut *ids, &mut refusals);
        refusals.finish()?;

        let mut task = Task {
            id,
            title,
            description,
            status: self.status,
            priority: self.priority,
            tags,
            due_date: self.due_date,
            time_zone: self.time_zone.clone(),
            recurrence: self.recurrence.clone(),
            reminders,
            subtasks,
            created_at: now,
            updated_at: now,
            completed_at: (self.status == Status::Completed).then_some(now),
            deleted_at: None,
            version: 1,
            series: self.series.clone(),
            other: Map::new(),
        };
        if task.recurrence.is_some() && task.series.is_none() {
            task.series = Some(task.new_series());
        }
        Ok(task)
    }
}

/// What a change does to one field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// The field was not named.
    #[default]
    Absent,
    /// The field gets this value.
    Set(T),
    /// The field was named with null: it gets its default.
    Clear,
}

impl<T> Patch<T> {
    /// The new value, given the field's default; `None` when the field was not named.
    fn or_default(&self, default: impl FnOnce() -> T) -> Option<T>
    where
        T: Clone,
    {
        match self {
            Self::Absent => None,
            Self::Set(value) => Some(value.clone()),
            Self::Clear => Some(default()),
        }
    }

    /// Whether the field was not named.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// A change of a task: what is absent stays, what is cleared gets its default.
///
/// Moving the due date of a later occurrence moves that one alone; the series keeps its rhythm.
/// A new recurrence, another zone, or another kind of due date begins a rhythm of its own.
/// After a new recurrence, a task that was followed by another already is followed once more when it is completed again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskChange {
    /// Cannot be cleared.
    pub title: Patch<String>,
    /// Cleared: none.
    pub description: Patch<String>,
    /// Cleared: pending. Completing and reopening set and clear `completedAt`.
    pub status: Patch<Status>,
    /// Cleared: medium.
    pub priority: Patch<Priority>,
    /// Cleared: none.
    pub tags: Patch<Vec<String>>,
    /// Cleared: none, and the reminders go with it unless new ones are given.
    pub due_date: Patch<DueDate>,
    /// Cleared: UTC.
    pub time_zone: Patch<TimeZoneName>,
    /// Cleared: the task does not come back.
    pub recurrence: Patch<Recurrence>,
    /// Cleared: none.
    pub reminders: Patch<Vec<u32>>,
    /// Cleared: none. A step without an id is the one of its title that is there already.
    pub subtasks: Patch<Vec<NewSubtask>>,
}

impl TaskChange {
    /// Changes the task in place and names the fields that now differ, or says all that is wrong and changes nothing.
    ///
    /// `version` and `updatedAt` are left to the caller, who knows whether there is more to the change.
    pub(crate) fn apply_to(
        &self,
        task: &mut Task,
        now: Timestamp,
        ids: Ids<'_>,
    ) -> Result<Vec<&'static str>, ValidationError> {
        let mut refusals = Refusals::default();
        let mut next = task.clone();
        match &self.title {
            Patch::Absent => {}
            Patch::Set(text) => next.title = rules::title("title", text, &mut refusals),
            Patch::Clear => next.title = rules::title("title", "", &mut refusals),
        }
        if let Some(text) = self.description.or_default(String::new) {
            next.description = rules::description(&text, &mut refusals);
        }
        if let Some(status) = self.status.or_default(Status::default) {
            next.set_status(status, now);
        }
        if let Some(priority) = self.priority.or_default(Priority::default) {
            next.priority = priority;
        }
        if let Some(given) = self.tags.or_default(Vec::new) {
            next.tags = rules::tags(&given, &mut refusals);
        }
        match self.due_date {
            Patch::Absent => {}
            Patch::Set(due) => next.due_date = Some(due),
            Patch::Clear => {
                next.due_date = None;
                next.reminders.clear();
            }
        }
        if let Some(zone) = self.time_zone.or_default(TimeZoneName::utc) {
            next.time_zone = zone;
        }
        match &self.recurrence {
            Patch::Absent => {}
            Patch::Set(recurrence) => next.recurrence = Some(recurrence.clone()),
            Patch::Clear => next.recurrence = None,
        }
        if let Some(given) = self.reminders.or_default(Vec::new) {
            next.reminders = rules::reminders(&given, next.due_date.is_some(), &mut refusals);
        }
        if let Some(given) = self.subtasks.or_default(Vec::new) {
            next.subtasks = rules::subtasks(&given, &task.subtasks, &mut *ids, &mut refusals);
        }
        refusals.finish()?;

        next.follow_series(task);
        if task.status != Status::Completed && next.status == Status::Completed {
            next.choose_next(ids);
        }
        let changed = changed_fields(task, &next);
        *task = next;
        Ok(changed)
    }
}

impl Task {
    /// Sets the status, and `completedAt` with it.
    pub(crate) fn set_status(&mut self, status: Status, now: Timestamp) {
        if self.status == status {
            return;
        }
        self.status = status;
        self.completed_at = (status == Status::Completed).then_some(now);
    }

    /// Chooses the id of the occurrence that follows one that is being completed, once.
    pub(crate) fn choose_next(&mut self, ids: Ids<'_>) {
        if self.recurrence.is_none() {
            return;
        }
        if let Some(series) = &mut self.series
            && series.next.is_none()
        {
            series.next = Some(TaskId::new(ids()));
            // The change that this is part of makes it the next version.
            series.next_since = Some(self.version + 1);
        }
    }

    /// A series that begins with this task: at its due date, or on the day it was made.
    fn new_series(&self) -> Series {
        let made_on = || DueDate::On(self.time_zone.zone().to_datetime(self.created_at).date());
        Series {
            id: SeriesId::new(self.id.as_uuid()),
            start: self.due_date.unwrap_or_else(made_on),
            occurrence: 1,
            next: None,
            next_since: None,
        }
    }

    /// Begins the series' rhythm anew where the change asks for it.
    fn follow_series(&mut self, before: &Self) {
        if self.recurrence.is_none() {
            return;
        }
        let Some(series) = &self.series else {
            self.series = Some(self.new_series());
            return;
        };
        let kind_changed = self.due_date.is_some_and(|due| due.is_day() != series.start.is_day());
        let rhythm_changed = self.recurrence != before.recurrence || self.time_zone != before.time_zone;
        let first_moved = series.occurrence == 1 && self.due_date != before.due_date;
        let recurrence_changed = self.recurrence != before.recurrence;
        let start = (kind_changed || rhythm_changed || first_moved).then(|| self.new_series().start);
        if let Some(series) = &mut self.series {
            if let Some(start) = start {
                series.start = start;
            }
            if recurrence_changed {
                (series.next, series.next_since) = (None, None);
            }
        }
    }
}

fn changed_fields(before: &Task, after: &Task) -> Vec<&'static str> {
    let differs = [
        ("title", before.title != after.title),
        ("description", before.description != after.description),
        ("status", before.status != after.status),
        ("priority", before.priority != after.priority),
        ("tags", before.tags != after.tags),
        ("dueDate", before.due_date != after.due_date),
        ("timeZone", before.time_zone != after.time_zone),
        ("recurrence", before.recurrence != after.recurrence),
        ("reminders", before.reminders != after.reminders),
        ("subtasks", before.subtasks != after.subtasks),
    ];
    differs.into_iter().filter_map(|(field, differs)| differs.then_some(field)).collect()
}
