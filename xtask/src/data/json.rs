//! Tasks as the API takes them, one on each line.

use serde_json::{Map, Value, json};

use super::Sample;

pub(super) fn write(samples: &[Sample]) -> String {
    let lines: Vec<String> = samples.iter().map(|sample| Value::Object(object(sample)).to_string()).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

fn object(sample: &Sample) -> Map<String, Value> {
    let mut object = Map::new();
    let mut add = |name: &str, value: Value| object.insert(name.to_owned(), value);
    add("title", json!(sample.title));
    add("status", json!(sample.status));
    add("priority", json!(sample.priority));
    add("timeZone", json!(sample.time_zone));
    if let Some(description) = sample.description {
        add("description", json!(description));
    }
    if !sample.tags.is_empty() {
        add("tags", json!(sample.tags));
    }
    if let Some(due) = sample.due {
        add("dueDate", json!(due.rfc3339()));
    }
    if let Some(recurrence) = sample.recurrence {
        add("recurrence", json!(recurrence));
    }
    if !sample.reminders.is_empty() {
        add("reminders", json!(sample.reminders));
    }
    if !sample.subtasks.is_empty() {
        let subtasks: Vec<Value> =
            sample.subtasks.iter().map(|(title, done)| json!({ "title": title, "done": done })).collect();
        add("subtasks", json!(subtasks));
    }
    object
}
