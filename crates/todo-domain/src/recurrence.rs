//! How a task comes back after it was completed.

mod clock;
mod cron;
mod expand;
mod rule;
mod step;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use self::clock::SeriesClock;
use self::cron::Cron;
use self::rule::Rule;
use self::step::Step;
use crate::ids::TaskId;
use crate::task::{DueDate, NewSubtask, NewTask, Series, Status, Subtask, Task, TimeZoneName};

/// How a task comes back, in its canonical text.
///
/// - `daily`, `weekly`, `monthly`, `yearly`: the step from the series' start, so that what began on a 31st falls on shorter months' last day and comes back to the 31st;
/// - five-field cron, such as `0 9 * * 1-5`: when its clock strikes next, whatever the start;
/// - an RFC 5545 rule, such as `FREQ=MONTHLY;BYDAY=-1FR;COUNT=12`: from daily to yearly, with the time of day of the series' start.
///
/// All hold the wall-clock time of the task's zone: a time that a day does not have moves behind the gap, one that it has twice is the first.
/// Days stay days. What was parsed can occur; what was read from storage and is not understood never does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Five fields that are no cron expression.
    #[error("`{text}` is not a cron expression: {reason}")]
    Cron {
        /// The text, cut to 64 characters.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A part of a rule.
    #[error("`{part}` of the recurrence rule is not accepted: {accepted}")]
    Rule {
        /// The part, cut to 64 characters.
        part: String,
        /// What would be.
        accepted: &'static str,
    },
    /// It asks for a day that no calendar has.
    #[error("`{text}` never occurs: give a day that exists")]
    Never {
        /// The text, cut to 64 characters.
        text: String,
    },
}

/// A recurrence that was read.
enum Kind {
    Step(Step),
    Cron(Box<Cron>),
    Rule(Box<Rule>),
}

impl Recurrence {
    /// The longest text that is read, in bytes.
    pub const MAX_TEXT: usize = 512;

    /// Reads a recurrence, whatever its case; `none` and a blank text are `None`.
    pub fn parse(text: &str) -> Result<Option<Self>, InvalidRecurrence> {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.eq_ignore_ascii_case("none") {
            return Ok(None);
        }
        if trimmed.len() > Self::MAX_TEXT {
            return Err(InvalidRecurrence::Unknown { text: cut(trimmed) });
        }
        let (canonical, kind) = Self::read(trimmed)?;
        let occurs = match &kind {
            Kind::Step(_) => true,
            Kind::Cron(cron) => cron.can_occur(),
            Kind::Rule(rule) => rule.can_occur(),
        };
        if occurs { Ok(Some(Self(canonical))) } else { Err(InvalidRecurrence::Never { text: cut(trimmed) }) }
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first occurrence strictly after `after` of the series that began at `start`; `None` when there is no more.
    ///
    /// The answer is of `start`'s kind, an instant or a day. The work is bounded, whatever the rule.
    pub fn next_occurrence(&self, start: DueDate, after: DueDate, zone: &TimeZoneName) -> Option<DueDate> {
        let (_, kind) = Self::read(&self.0).ok()?;
        let series = SeriesClock::new(start, zone.zone());
        match kind {
            Kind::Step(step) => step.next(&series, after),
            Kind::Cron(cron) => cron.next(&series, after),
            Kind::Rule(rule) => rule.next(&series, after),
        }
    }

    fn read(text: &str) -> Result<(String, Kind), InvalidRecurrence> {
        if let Some(step) = Step::parse(text) {
            return Ok((step.as_str().to_owned(), Kind::Step(step)));
        }
        let upper = text.to_ascii_uppercase();
        let rule = upper.strip_prefix("RRULE:").unwrap_or(&upper).trim();
        if rule.contains('=') {
            return Ok((rule.to_owned(), Kind::Rule(Box::new(Rule::parse(rule)?))));
        }
        let fields: Vec<&str> = upper.split_ascii_whitespace().collect();
        if fields.len() == 5 {
            let canonical = fields.join(" ");
            let cron = Cron::parse(&canonical)?;
            return Ok((canonical, Kind::Cron(Box::new(cron))));
        }
        Err(InvalidRecurrence::Unknown { text: cut(text) })
    }
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
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
    /// The task that follows a recurring one, with the id to make it under, asked of the task as it was in the moment of
    /// its first completion; `None` at any other version of it, so that one event alone makes the next occurrence, and
    /// behind the series' end.
    ///
    /// Make it with [`crate::list::Command::CreateOnce`], so that it is made once.
    /// It keeps everything but status and due date, and its subtasks are to be done again.
    pub fn next_occurrence(&self) -> Option<(TaskId, NewTask)> {
        let recurrence = self.recurrence.as_ref()?;
        let series = self.series.as_ref()?;
        let id = series.next?;
        if self.status != Status::Completed || series.next_since.is_some_and(|version| version != self.version) {
            return None;
        }
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
            series: Some(Series {
                occurrence: series.occurrence.saturating_add(1),
                next: None,
                next_since: None,
                ..series.clone()
            }),
        };
        Some((id, task))
    }
}
