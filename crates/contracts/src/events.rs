//! A JSON Schema for the `data` of each topic's CloudEvents.

use schemars::JsonSchema;
use serde_json::{Value, json};
use todo_app::events::TaskTopicEvent;
use todo_domain::{ReminderEvent, TaskUpdate};

use crate::schemas::generator;

/// The topics and their schemas.
pub(crate) fn schemas() -> [(&'static str, Value); 3] {
    [
        ("task-events", schema::<TaskTopicEvent>("task-events")),
        ("reminders", schema::<ReminderEvent>("reminders")),
        ("task-updates", schema::<TaskUpdate>("task-updates")),
    ]
}

fn schema<T: JsonSchema>(topic: &str) -> Value {
    let mut schema = generator("/$defs").into_root_schema_for::<T>().to_value();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$id"] = json!(format!("urn:todo:events:{topic}"));
    schema
}
