//! Tasks as people write them.

use std::fmt::Display;

use jiff::Timestamp;
use serde_json::{Map, Value};
use todo_domain::{
    DueDate, NewSubtask, NewTask, Patch, Priority, Recurrence, Refusals, Status, SubtaskId, TaskChange, TaskId,
    TimeZoneName, ValidationError,
};

use super::{Fields, folded};
use crate::{fresh_id, http::body::kind_of};

/// Fields of a task that only the service writes; a client that sends a task back need not take them out.
const READ_ONLY: [&str; 9] =
    ["id", "createdat", "updatedat", "completedat", "deletedat", "isoverdue", "version", "seriesid", "userid"];
/// The fields that can be written, for the message to who writes another.
const ACCEPTED: &str = "title, description, status, priority, tags, dueDate, timeZone, recurrence, reminders, subtasks";

/// The most characters of a task in one line.
pub const MAX_LINE: usize = 1000;

/// Reads a new task. Its zone is the user's unless it names one.
///
/// # Errors
/// Every refused field at once.
pub fn new_task(object: &Map<String, Value>, zone: &TimeZoneName, now: Timestamp) -> Result<NewTask, ValidationError> {
    let mut refusals = Refusals::default();
    let change = fields(object, zone, &mut refusals);
    let draft = draft_of(change, zone);
    let read = refusals.finish();
    // A trial build, so that what cannot be read and what breaks a rule are told together.
    let built = draft.build(TaskId::new(fresh_id()), now, &mut fresh_id);
    match (read, built) {
        (Ok(()), Ok(_)) => Ok(draft),
        (Ok(()), Err(error)) | (Err(error), Ok(_)) => Err(error),
        (Err(mut error), Err(more)) => {
            let known: Vec<String> = error.errors.iter().map(|error| error.field.clone()).collect();
            error.errors.extend(more.errors.into_iter().filter(|error| !known.contains(&error.field)));
            Err(error)
        }
    }
}

/// Reads a change: what is absent stays, null clears. A cleared zone is the user's.
///
/// # Errors
/// Every field that cannot be read; the rules are checked when the change is applied.
pub fn task_change(object: &Map<String, Value>, zone: &TimeZoneName) -> Result<TaskChange, ValidationError> {
    let mut refusals = Refusals::default();
    let change = fields(object, zone, &mut refusals);
    refusals.finish()?;
    Ok(change)
}

/// Reads `{"text": ".."}`, a task in one line.
///
/// # Errors
/// Every refused field; a line of more than [`MAX_LINE`] characters.
pub fn quick_line(object: &Map<String, Value>) -> Result<String, ValidationError> {
    let mut fields = Fields::new(object);
    let line = fields.required_text("text");
    if line.chars().count() > MAX_LINE {
        fields.refuse("text", "use at most 1000 characters");
    }
    fields.finish()?;
    Ok(line)
}

/// The task that a change of nothing would make.
pub(crate) fn draft_of(change: TaskChange, zone: &TimeZoneName) -> NewTask {
    NewTask {
        title: given(change.title).unwrap_or_default(),
        description: given(change.description),
        status: given(change.status).unwrap_or_default(),
        priority: given(change.priority).unwrap_or_default(),
        tags: given(change.tags).unwrap_or_default(),
        due_date: given(change.due_date),
        time_zone: given(change.time_zone).unwrap_or_else(|| zone.clone()),
        recurrence: given(change.recurrence),
        reminders: given(change.reminders).unwrap_or_default(),
        subtasks: given(change.subtasks).unwrap_or_default(),
        series: None,
    }
}

/// Reads a zone's name.
pub(crate) fn zone_field(field: &str, value: &Value, refusals: &mut Refusals) -> Option<TimeZoneName> {
    let text = text(field, value, refusals)?;
    refusals.keep(field, TimeZoneName::parse(text))
}

fn given<V>(patch: Patch<V>) -> Option<V> {
    match patch {
        Patch::Set(value) => Some(value),
        Patch::Absent | Patch::Clear => None,
    }
}

fn fields(object: &Map<String, Value>, zone: &TimeZoneName, refusals: &mut Refusals) -> TaskChange {
    let mut change = TaskChange::default();
    let mut completed = None;
    for (name, value) in object {
        match folded(name).as_str() {
            "title" => set(&mut change.title, value, |value| text("title", value, refusals).map(str::to_owned)),
            "description" => {
                set(&mut change.description, value, |value| text("description", value, refusals).map(str::to_owned));
            }
            "status" => set(&mut change.status, value, |value| word("status", value, Status::parse, refusals)),
            "priority" => set(&mut change.priority, value, |value| word("priority", value, Priority::parse, refusals)),
            "tags" => set(&mut change.tags, value, |value| texts("tags", value, refusals)),
            "duedate" | "due" => {
                set(&mut change.due_date, value, |value| word("dueDate", value, DueDate::parse, refusals))
            }
            "timezone" => match value {
                Value::Null => change.time_zone = Patch::Set(zone.clone()),
                value => set(&mut change.time_zone, value, |value| zone_field("timeZone", value, refusals)),
            },
            "recurrence" => change.recurrence = recurrence(value, refusals),
            "reminders" => set(&mut change.reminders, value, |value| minutes(value, refusals)),
            "subtasks" => set(&mut change.subtasks, value, |value| subtasks(value, refusals)),
            "completed" | "iscompleted" => match value {
                Value::Bool(done) => completed = Some(*done),
                Value::Null => {}
                other => refusals.add("completed", format!("expected true or false, found {}", kind_of(other))),
            },
            folded if READ_ONLY.contains(&folded) => {}
            _ => refusals
                .add(name.chars().take(64).collect::<String>(), format!("is not a field of a task: use {ACCEPTED}")),
        }
    }
    if let (Patch::Absent, Some(completed)) = (&change.status, completed) {
        change.status = Patch::Set(if completed { Status::Completed } else { Status::Pending });
    }
    change
}

fn set<V>(patch: &mut Patch<V>, value: &Value, read: impl FnOnce(&Value) -> Option<V>) {
    *patch = match value {
        Value::Null => Patch::Clear,
        value => read(value).map_or(Patch::Absent, Patch::Set),
    };
}

fn text<'a>(field: &str, value: &'a Value, refusals: &mut Refusals) -> Option<&'a str> {
    let found = value.as_str();
    if found.is_none() {
        refusals.add(field, format!("expected text, found {}", kind_of(value)));
    }
    found
}

fn word<V, E: Display>(
    field: &str,
    value: &Value,
    parse: impl FnOnce(&str) -> Result<V, E>,
    refusals: &mut Refusals,
) -> Option<V> {
    let text = text(field, value, refusals)?;
    refusals.keep(field, parse(text))
}

fn items<'a>(field: &str, value: &'a Value, refusals: &mut Refusals) -> Option<&'a [Value]> {
    let found = value.as_array().map(Vec::as_slice);
    if found.is_none() {
        refusals.add(field, format!("expected an array, found {}", kind_of(value)));
    }
    found
}

pub(super) fn texts(field: &str, value: &Value, refusals: &mut Refusals) -> Option<Vec<String>> {
    let read = |(index, item)| text(&format!("{field}[{index}]"), item, refusals).map(str::to_owned);
    let found = value.as_array().map(|items| items.iter().enumerate().map(read).collect());
    found.unwrap_or_else(|| items(field, value, refusals).map(|_| Vec::new()))
}

fn minutes(value: &Value, refusals: &mut Refusals) -> Option<Vec<u32>> {
    let mut leads = Vec::new();
    for (index, item) in items("reminders", value, refusals)?.iter().enumerate() {
        match whole(item).and_then(|lead| u32::try_from(lead).ok()) {
            Some(lead) => leads.push(lead),
            None => {
                refusals.add(format!("reminders[{index}]"), "expected whole minutes before the due date, 0 to 10080");
                return None;
            }
        }
    }
    Some(leads)
}

/// A whole number, however it is written: `30.0` is 30.
fn whole(value: &Value) -> Option<u64> {
    let float =
        || value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number));
    value.as_u64().or_else(|| float().map(|number| number as u64))
}

fn recurrence(value: &Value, refusals: &mut Refusals) -> Patch<Recurrence> {
    if value.is_null() {
        return Patch::Clear;
    }
    match word("recurrence", value, Recurrence::parse, refusals) {
        None => Patch::Absent,
        Some(None) => Patch::Clear,
        Some(Some(recurrence)) => Patch::Set(recurrence),
    }
}

fn subtasks(value: &Value, refusals: &mut Refusals) -> Option<Vec<NewSubtask>> {
    let items = items("subtasks", value, refusals)?;
    items.iter().enumerate().map(|(index, item)| subtask(&format!("subtasks[{index}]"), item, refusals)).collect()
}

fn subtask(field: &str, value: &Value, refusals: &mut Refusals) -> Option<NewSubtask> {
    let Some(object) = value.as_object() else {
        refusals.add(field, format!("expected an object with a title, found {}", kind_of(value)));
        return None;
    };
    let mut subtask = NewSubtask::default();
    for (name, value) in object {
        match (folded(name).as_str(), value) {
            ("id", Value::Null) => {}
            ("id", value) => subtask.id = Some(word(&format!("{field}.id"), value, SubtaskId::parse, refusals)?),
            ("title", value) => subtask.title = text(&format!("{field}.title"), value, refusals)?.to_owned(),
            ("done" | "completed" | "iscompleted", Value::Bool(done)) => subtask.done = *done,
            ("done" | "completed" | "iscompleted", other) => {
                refusals.add(format!("{field}.done"), format!("expected true or false, found {}", kind_of(other)));
                return None;
            }
            _ => {
                refusals.add(format!("{field}.{}", name.chars().take(64).collect::<String>()), "use id, title, done");
                return None;
            }
        }
    }
    Some(subtask)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<NewTask, Vec<String>> {
        let object: Map<String, Value> = serde_json::from_str(text).unwrap();
        let now = "2026-03-01T09:00:00Z".parse().unwrap();
        let fields = |error: ValidationError| error.errors.into_iter().map(|error| error.field).collect();
        new_task(&object, &TimeZoneName::parse("Asia/Tokyo").unwrap(), now).map_err(fields)
    }

    #[test]
    fn names_and_words_are_read_in_any_case() {
        let text = r#"{"Title":" Milk ","due_date":"2026-03-01","PRIORITY":"High","is_completed":true,"id":"x","createdAt":1}"#;
        let task = read(text).unwrap();
        assert_eq!((task.priority, task.status), (Priority::High, Status::Completed));
        assert!(task.due_date.is_some());
        assert_eq!(task.time_zone.as_str(), "Asia/Tokyo");
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        let task = read(r#"{"title":"t","dueDate":"2026-03-01","reminders":[30.0,1e1,5]}"#).unwrap();
        assert_eq!(task.reminders, [30, 10, 5]);
        let refused = |leads: &str| read(&format!(r#"{{"title":"t","dueDate":"2026-03-01","reminders":[{leads}]}}"#));
        assert!(["0.5", "-1", "1e300"].iter().all(|lead| refused(lead).is_err()));
    }

    #[test]
    fn every_refused_field_is_named_at_once() {
        let text = r#"{"title":"","priority":"asap","dueDate":7,"tags":["a",2],"colour":"red","reminders":[-1],
            "subtasks":[{"title":"s","done":"no"}],"timeZone":"Mars"}"#;
        let mut fields = read(text).unwrap_err();
        fields.sort();
        let expected =
            ["colour", "dueDate", "priority", "reminders[0]", "subtasks[0].done", "tags[1]", "timeZone", "title"];
        assert_eq!(fields, expected);
    }

    #[test]
    fn null_clears_and_absence_keeps() {
        let object: Map<String, Value> =
            serde_json::from_str(r#"{"dueDate":null,"recurrence":"none","title":"t"}"#).unwrap();
        let change = task_change(&object, &TimeZoneName::utc()).unwrap();
        assert_eq!((change.due_date, change.recurrence.clone()), (Patch::Clear, Patch::Clear));
        assert!(change.status.is_absent());
    }
}
