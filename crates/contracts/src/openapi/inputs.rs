//! Schemas of what is sent.
//!
//! Bodies are read field by field, so that everything wrong with one is told at once; there is no type to derive these
//! from. Their bounds are the constants that the readers check, and a test sends their samples through the readers.

use serde_json::{Map, Value, json};
use todo_app::access::Scope;
use todo_app::accounts::{MAX_EMAIL, NAME_LENGTH, PASSWORD_LENGTH};
use todo_app::notifications::target::MAX_URL;
use todo_app::notifications::webhooks::{MAX_WEBHOOK_DESCRIPTION, WEBHOOK_EVENTS};
use todo_app::wire::{MAX_BULK, MAX_LINE};
use todo_domain::task::{
    MAX_DESCRIPTION, MAX_REMINDER_LEAD, MAX_REMINDERS, MAX_SUBTASKS, MAX_TAG, MAX_TAGS, MAX_TITLE,
};
use todo_domain::{Priority, Recurrence, Status};

/// A text that is not blank and has no NUL, which no store has to hold.
const NOT_BLANK: &str = r"^[^\x00]*[^\s\x00][^\x00]*$";
const NO_NUL: &str = r"^[^\x00]*$";

/// The schemas by name.
pub(super) fn schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    let mut add = |name: &str, schema| schemas.insert(name.to_owned(), schema);
    add("NewTask", new_task());
    add("TaskChange", closed("What changes: what is absent stays, what is null gets its default.", &[], task_fields()));
    add(
        "NewSubtask",
        closed(
            "A step. One without an id is the one of its title that is there already, or new.",
            &["title"],
            json!({
                "id": nullable(json!({ "type": "string", "format": "uuid" })),
                "title": text(1, MAX_TITLE, NOT_BLANK),
                "done": { "type": "boolean", "default": false },
            }),
        ),
    );
    add("Bulk", bulk());
    add(
        "QuickTask",
        closed(
            "A task in one line: `Pay rent tomorrow 9am #home !high every month`.",
            &["text"],
            json!({ "text": text(1, MAX_LINE, NOT_BLANK) }),
        ),
    );
    add(
        "NewApiToken",
        closed(
            "A new API token.",
            &["name"],
            json!({
                "name": name(),
                "scopes": nullable(json!({
                    "description": "What it may do; everything when there are none.",
                    "type": "array", "items": { "type": "string", "enum": Scope::ALL.map(Scope::as_str) },
                })),
                "expiresAt": nullable(json!({
                    "type": "string", "format": "date-time", "description": "When it ends; never when absent.",
                })),
            }),
        ),
    );
    add(
        "SignUp",
        closed(
            "A new account.",
            &["email", "name", "password"],
            json!({
                "email": email(), "name": name(), "password": password(), "timeZone": nullable(time_zone()),
            }),
        ),
    );
    add(
        "SignIn",
        closed(
            "Who one is.",
            &["email", "password"],
            json!({
                "email": { "type": "string" }, "password": { "type": "string" },
            }),
        ),
    );
    add("ProfileChange", profile_change());
    let webhook = || {
        json!({
            "url": webhook_url(),
            "description": nullable(text(0, MAX_WEBHOOK_DESCRIPTION, NO_NUL)),
            "events": nullable(json!({ "type": "array", "items": { "type": "string", "enum": WEBHOOK_EVENTS } })),
        })
    };
    add("NewWebhook", closed("A new webhook. Without events it is told of all of them.", &["url"], webhook()));
    let mut change = webhook();
    change["url"] = nullable(webhook_url());
    change["active"] = json!({ "type": ["boolean", "null"], "description": "Whether it is told anything." });
    add("WebhookChange", closed("What changes; what is absent or null stays.", &[], change));
    add("NewPushSubscription", push_subscription());
    schemas
}

/// Reminders count back from a due date, so they need one.
fn new_task() -> Value {
    let mut schema = closed("A new task.", &["title"], task_fields());
    schema["if"] =
        json!({ "required": ["reminders"], "properties": { "reminders": { "type": "array", "minItems": 1 } } });
    schema["then"] = json!({ "required": ["dueDate"], "properties": { "dueDate": { "type": "string" } } });
    schema
}

fn task_fields() -> Value {
    json!({
        "title": text(1, MAX_TITLE, NOT_BLANK),
        "description": nullable(text(0, MAX_DESCRIPTION, NO_NUL)),
        "status": nullable(json!({ "type": "string", "enum": Status::ALL.map(Status::as_str), "default": Status::default().as_str() })),
        "priority": nullable(json!({ "type": "string", "enum": Priority::ALL.map(Priority::as_str), "default": Priority::default().as_str() })),
        "tags": nullable(json!({ "type": "array", "maxItems": MAX_TAGS, "items": text(1, MAX_TAG, NOT_BLANK) })),
        "dueDate": {
            "description": "RFC 3339 with any offset, or a date alone: the whole day in `timeZone`. The past is allowed.",
            "anyOf": [{ "type": "string", "format": "date-time" }, { "type": "string", "format": "date" }, { "type": "null" }],
        },
        "timeZone": nullable(time_zone()),
        "recurrence": nullable(json!({
            "type": "string", "format": "recurrence", "maxLength": Recurrence::MAX_TEXT,
            "description": "`daily`, `weekly`, `monthly`, `yearly`, `none`, a five-field cron expression, or an RFC 5545 rule.",
            "examples": ["monthly", "0 9 * * 1-5", "FREQ=WEEKLY;BYDAY=MO,FR"],
        })),
        "reminders": nullable(json!({
            "description": "Minutes before the due date. Only with a due date.",
            "type": "array", "maxItems": MAX_REMINDERS,
            "items": { "type": "integer", "minimum": 0, "maximum": MAX_REMINDER_LEAD },
        })),
        "subtasks": nullable(json!({ "type": "array", "maxItems": MAX_SUBTASKS, "items": { "$ref": "#/components/schemas/NewSubtask" } })),
        "completed": { "type": ["boolean", "null"], "description": "Short for a `status` of completed or pending, which wins over it." },
    })
}

/// One of three things done to many tasks.
fn bulk() -> Value {
    let one = |action: &str, value: Value| {
        let mut fields = json!({
            "ids": {
                "description": "Ids of tasks; repeats do not count.",
                "type": "array", "minItems": 1, "maxItems": MAX_BULK, "items": { "type": "string" },
            },
            "complete": { "enum": [false, null] },
            "delete": { "enum": [false, null] },
        });
        fields[action] = value;
        closed("", &["ids", action], fields)
    };
    let change = json!({ "$ref": "#/components/schemas/TaskChange" });
    json!({
        "description": "One thing done to many tasks, in one commit: a change, completing, or deleting.",
        "anyOf": [one("set", change), one("complete", json!({ "const": true })), one("delete", json!({ "const": true }))],
    })
}

/// A new password needs the present one, and the other way round.
fn profile_change() -> Value {
    let mut schema = closed(
        "What changes; what is absent or null stays, but a null `digestTime` ends the digest.",
        &[],
        json!({
            "name": nullable(name()),
            "timeZone": nullable(time_zone()),
            "digestTime": nullable(json!({
                "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
                "description": "When the digest of the day comes, on a clock of `timeZone`; `07:00` unless chosen.",
            })),
            "emailNotifications": { "type": ["boolean", "null"], "description": "Whether notifications are sent to the address too." },
            "currentPassword": nullable(json!({ "type": "string" })),
            "password": nullable(password()),
        }),
    );
    schema["dependentRequired"] = json!({ "password": ["currentPassword"], "currentPassword": ["password"] });
    schema
}

fn webhook_url() -> Value {
    json!({
        "type": "string", "format": "webhook-url", "maxLength": MAX_URL,
        "description": "An `https` address of a public host.", "examples": ["https://hooks.example.com/todo"],
    })
}

fn push_subscription() -> Value {
    let keys = closed(
        "",
        &["p256dh", "auth"],
        json!({
            "p256dh": { "type": "string", "format": "push-public-key" },
            "auth": { "type": "string", "format": "push-secret" },
        }),
    );
    closed(
        "What a browser's `PushSubscription` is as JSON.",
        &["endpoint", "keys"],
        json!({ "endpoint": webhook_url(), "expirationTime": { "type": ["number", "null"] }, "keys": keys }),
    )
}

fn email() -> Value {
    json!({ "type": "string", "format": "email", "maxLength": MAX_EMAIL })
}

fn name() -> Value {
    text(*NAME_LENGTH.start(), *NAME_LENGTH.end(), NOT_BLANK)
}

fn password() -> Value {
    json!({ "type": "string", "format": "password", "minLength": PASSWORD_LENGTH.start(), "maxLength": PASSWORD_LENGTH.end() })
}

fn time_zone() -> Value {
    json!({ "type": "string", "format": "time-zone", "description": "An IANA name such as `Europe/Berlin`." })
}

fn text(least: usize, most: usize, pattern: &str) -> Value {
    json!({ "type": "string", "minLength": least, "maxLength": most, "pattern": pattern })
}

/// The same schema, or null.
fn nullable(mut schema: Value) -> Value {
    schema["type"] = json!([schema["type"], "null"]);
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
    schema
}

/// An object of these fields alone.
fn closed(description: &str, required: &[&str], fields: Value) -> Value {
    let mut schema = json!({
        "type": "object", "properties": fields, "additionalProperties": false,
    });
    if !description.is_empty() {
        schema["description"] = json!(description);
    }
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}
