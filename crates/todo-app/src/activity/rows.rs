//! One row: a pure function of one event.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use todo_domain::{Actor, EventType, TaskEvent, TaskId, instant};

/// The most characters of a text among the values; a longer one is cut, and ends in [`CUT`].
pub const MAX_VALUE: usize = 1_000;
/// What a text ends in that was cut.
const CUT: char = '…';

/// What one event changed, as it is stored and answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Activity"))]
#[serde(rename_all = "camelCase")]
pub struct ActivityBody<'a> {
    /// The event's number: counts what happens to the user's tasks from 1 without gaps.
    pub sequence: u64,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it; null in what the first release wrote down.
    pub actor: Option<&'a Actor>,
    /// The task.
    pub task_id: TaskId,
    /// Its title after the change.
    pub title: &'a str,
    /// Its version after the change.
    pub version: u64,
    /// What kind of change.
    pub event_type: EventType,
    /// What changed; empty for a new task.
    pub changes: Vec<ChangeBody<'a>>,
}

/// One field that changed. Texts of more than 1,000 characters are cut, and end in `…`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Change"))]
pub struct ChangeBody<'a> {
    /// Its name, as in a task.
    pub field: &'a str,
    /// What stood there before; null where that is not known.
    pub old: Value,
    /// What stands there now.
    pub new: Value,
}

impl<'a> ActivityBody<'a> {
    /// The row of an event.
    pub fn of(event: &'a TaskEvent) -> Self {
        let payload = &event.payload;
        let names: Vec<&str> = payload.changed.iter().map(String::as_str).collect();
        let mut values = if names.is_empty() { serde_json::Map::new() } else { payload.task.values_of(&names) };
        let change = |field: &&'a str| ChangeBody {
            field,
            old: payload.previous.get(*field).cloned().map_or(Value::Null, shortened),
            new: values.remove(*field).map_or(Value::Null, shortened),
        };
        Self {
            sequence: event.sequence,
            at: event.timestamp,
            actor: event.actor.as_ref(),
            task_id: event.task_id,
            title: &payload.task.title,
            version: payload.task.version,
            event_type: event.event_type,
            changes: names.iter().map(change).collect(),
        }
    }
}

fn shortened(value: Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > MAX_VALUE => {
            Value::String(text.chars().take(MAX_VALUE).chain([CUT]).collect())
        }
        other => other,
    }
}

/// The task of a row, and its version then; `None` for what is no row.
pub(super) fn place(row: &RawValue) -> Option<(TaskId, u64)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Place {
        task_id: TaskId,
        version: u64,
    }
    let Place { task_id, version } = serde_json::from_str(row.get()).ok()?;
    Some((task_id, version))
}

/// When a row's change was; `None` for what is no row.
pub(super) fn time_of(row: &RawValue) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct When {
        #[serde(deserialize_with = "instant::read")]
        at: Timestamp,
    }
    serde_json::from_str(row.get()).ok().map(|When { at }| at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::documents::model::events;

    #[test]
    fn a_row_has_old_and_new_values_and_long_texts_are_cut() {
        let events = events(3);
        let row = serde_json::to_value(ActivityBody::of(&events[1])).unwrap();
        assert_eq!((&row["sequence"], &row["version"], &row["eventType"]), (&json!(2), &json!(2), &json!("updated")));
        let changes = row["changes"].as_array().unwrap();
        let title = changes.iter().find(|change| change["field"] == "title").unwrap();
        assert_eq!(*title, json!({ "field": "title", "old": "task 0", "new": "title 1" }));
        let description = changes.iter().find(|change| change["field"] == "description").unwrap();
        let cut = description["new"].as_str().unwrap();
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (MAX_VALUE + 1, true));
        assert_eq!(serde_json::to_value(ActivityBody::of(&events[0])).unwrap()["changes"], json!([]));
        let stored = serde_json::value::to_raw_value(&row).unwrap();
        assert_eq!(place(&stored), Some((events[1].task_id, 2)));
        assert_eq!(time_of(&stored), Some(events[1].timestamp));
    }
}
