//! The bounds of a task's fields, and their normal form.

use crate::ids::{Ids, SubtaskId};
use crate::sorting::order_of;
use crate::validation::Refusals;

use super::{NewSubtask, Subtask};

/// The longest title, in characters: what fits a list's line and a calendar's summary.
pub const MAX_TITLE: usize = 255;
/// The longest description, in characters.
pub const MAX_DESCRIPTION: usize = 10_000;
/// The most tags of one task.
pub const MAX_TAGS: usize = 10;
/// The longest tag, in characters.
pub const MAX_TAG: usize = 50;
/// The most reminders of one task.
pub const MAX_REMINDERS: usize = 5;
/// The longest lead of a reminder, in minutes: one week.
pub const MAX_REMINDER_LEAD: u32 = 10_080;
/// The most subtasks of one task.
pub const MAX_SUBTASKS: usize = 50;

pub(super) fn title(field: &str, text: &str, refusals: &mut Refusals) -> String {
    let trimmed = text.trim();
    let length = trimmed.chars().count();
    if length == 0 {
        refusals.add(field, format!("give a title of 1 to {MAX_TITLE} characters"));
    } else if length > MAX_TITLE {
        refusals.add(field, format!("has {length} characters: shorten it to {MAX_TITLE}"));
    }
    refuse_nul(field, trimmed, refusals);
    trimmed.to_owned()
}

/// An empty description is none.
pub(super) fn description(text: &str, refusals: &mut Refusals) -> Option<String> {
    let length = text.chars().count();
    if length > MAX_DESCRIPTION {
        refusals.add("description", format!("has {length} characters: shorten it to {MAX_DESCRIPTION}"));
    }
    refuse_nul("description", text, refusals);
    if text.trim().is_empty() { None } else { Some(text.to_owned()) }
}

pub(super) fn tags(given: &[String], refusals: &mut Refusals) -> Vec<String> {
    let mut tags: Vec<String> = Vec::with_capacity(given.len().min(MAX_TAGS));
    for (index, text) in given.iter().enumerate().take(10 * MAX_TAGS) {
        let tag = normal_tag(text);
        let length = tag.chars().count();
        if length == 0 || length > MAX_TAG {
            refusals.add(format!("tags[{index}]"), format!("give a tag of 1 to {MAX_TAG} characters"));
        }
        refuse_nul(&format!("tags[{index}]"), &tag, refusals);
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.len() > MAX_TAGS || given.len() > 10 * MAX_TAGS {
        refusals.add("tags", format!("give at most {MAX_TAGS} tags"));
    }
    tags
}

/// The form in which a tag is stored and asked for.
pub(crate) fn normal_tag(text: &str) -> String {
    text.trim().to_lowercase()
}

pub(super) fn reminders(given: &[u32], has_due_date: bool, refusals: &mut Refusals) -> Vec<u32> {
    let longest_first = order_of(given.len(), &mut |one, other| given[other].cmp(&given[one]));
    let mut leads: Vec<u32> = longest_first.into_iter().map(|index| given[index]).collect();
    leads.dedup();
    if leads.len() > MAX_REMINDERS {
        refusals.add("reminders", format!("give at most {MAX_REMINDERS} reminders"));
    }
    if leads.first().is_some_and(|longest| *longest > MAX_REMINDER_LEAD) {
        refusals.add("reminders", format!("give leads of 0 to {MAX_REMINDER_LEAD} minutes (one week)"));
    }
    if !leads.is_empty() && !has_due_date {
        refusals.add("reminders", "give a dueDate, since reminders count back from it");
    }
    leads
}

/// A step without an id is the one of the same title that is there already, else a new one.
pub(super) fn subtasks(
    given: &[NewSubtask],
    present: &[Subtask],
    ids: Ids<'_>,
    refusals: &mut Refusals,
) -> Vec<Subtask> {
    if given.len() > MAX_SUBTASKS {
        refusals.add("subtasks", format!("give at most {MAX_SUBTASKS} subtasks"));
        return Vec::new();
    }
    let mut subtasks: Vec<Subtask> = Vec::with_capacity(given.len());
    for (index, step) in given.iter().enumerate() {
        let title = title(&format!("subtasks[{index}].title"), &step.title, refusals);
        let is_free = |id: &SubtaskId| {
            let named = |other: &NewSubtask| other.id == Some(*id);
            !subtasks.iter().any(|other| other.id == *id) && (step.id == Some(*id) || !given.iter().any(named))
        };
        let mut alike = present.iter().filter(|other| other.title == title).map(|other| other.id);
        let known = match step.id {
            Some(id) => Some(id).filter(is_free),
            None => alike.find(is_free),
        };
        let id = known.unwrap_or_else(|| SubtaskId::new(ids()));
        subtasks.push(Subtask { id, title, done: step.done });
    }
    subtasks
}

/// PostgreSQL's JSON cannot hold this character, so no store has to.
fn refuse_nul(field: &str, text: &str, refusals: &mut Refusals) {
    if text.contains('\0') {
        refusals.add(field, "remove the NUL character (U+0000)");
    }
}
