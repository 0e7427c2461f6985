//! The names of jobs: they tell what a job is for.

use std::fmt;

use todo_domain::task::MAX_REMINDERS;
use todo_domain::{TaskId, UserId};

use crate::{accounts::Shard, schedule};

/// What a job is for, as its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobName {
    /// A reminder: its task, and its place among the task's leads.
    Reminder(TaskId, usize),
    /// A user's morning.
    Daily(UserId),
    /// The users of a shard of the registry.
    Rearm(Shard),
    /// The events that a user's list holds are published.
    Held(UserId),
    /// A message that is published under this id.
    Later(String),
}

const REMINDER: &str = "reminder-";
const DAILY: &str = "daily-";
const REARM: &str = "rearm-";
const HELD: &str = "held-";

impl JobName {
    /// Reads a name; `None` for one that no job of this release has.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(id) = text.strip_prefix(schedule::PREFIX) {
            return Some(Self::Later(id.to_owned()));
        }
        if let Some(user) = text.strip_prefix(DAILY) {
            return UserId::parse(user).ok().map(Self::Daily);
        }
        if let Some(user) = text.strip_prefix(HELD) {
            return UserId::parse(user).ok().map(Self::Held);
        }
        if let Some(shard) = text.strip_prefix(REARM) {
            return Shard::parse(shard).map(Self::Rearm);
        }
        let (task, slot) = text.strip_prefix(REMINDER)?.rsplit_once('-')?;
        let slot = slot.parse().ok().filter(|slot| *slot < MAX_REMINDERS)?;
        TaskId::parse(task).ok().map(|task| Self::Reminder(task, slot))
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reminder(task, slot) => write!(formatter, "{REMINDER}{task}-{slot}"),
            Self::Daily(user) => write!(formatter, "{DAILY}{user}"),
            Self::Rearm(shard) => write!(formatter, "{REARM}{shard}"),
            Self::Held(user) => write!(formatter, "{HELD}{user}"),
            Self::Later(id) => write!(formatter, "{}{id}", schedule::PREFIX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_others_are_no_job() {
        let id = crate::fresh_id();
        let shard = Shard::of(UserId::new(id));
        for name in [
            JobName::Reminder(TaskId::new(id), 4),
            JobName::Daily(UserId::new(id)),
            JobName::Rearm(shard),
            JobName::Held(UserId::new(id)),
            JobName::Later("a-b".into()),
        ] {
            assert_eq!(JobName::parse(&name.to_string()), Some(name));
        }
        for text in [
            "",
            "reminder-",
            "reminder-x-0",
            &format!("reminder-{id}-5"),
            "daily-x",
            "held-x",
            "rearm-g0",
            "rearm-0",
            "other",
        ] {
            assert_eq!(JobName::parse(text), None, "{text}");
        }
    }
}
