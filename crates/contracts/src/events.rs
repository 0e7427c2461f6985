//! A JSON Schema for the `data` of each topic's CloudEvents.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use todo_app::events::TaskTopicEvent;
use todo_app::notifications::delivery::Delivery;
use todo_app::updates::SessionEnded;
use todo_domain::{DigestEvent, ReminderEvent, TaskUpdates};

use crate::schemas::generator;

/// What the topic `reminders` carries; the attribute `type` tells which.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is asked for")]
enum Reminders {
    /// `todo.reminder`.
    Reminder(ReminderEvent),
    /// `todo.digest`.
    Digest(DigestEvent),
}

/// What the topic `task-updates` carries; the attribute `type` tells which.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is asked for")]
enum Updates {
    /// `com.dapr.event.sent`.
    Updates(TaskUpdates),
    /// `todo.session.ended`.
    SessionEnded(SessionEnded),
}

/// The topics and their schemas.
pub(crate) fn schemas() -> [(&'static str, Value); 4] {
    [
        ("task-events", schema::<TaskTopicEvent>("task-events")),
        ("reminders", schema::<Reminders>("reminders")),
        ("deliveries", schema::<Delivery>("deliveries")),
        ("task-updates", schema::<Updates>("task-updates")),
    ]
}

fn schema<T: JsonSchema>(topic: &str) -> Value {
    let mut schema = generator("/$defs").into_root_schema_for::<T>().to_value();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$id"] = json!(format!("urn:todo:events:{topic}"));
    schema
}
