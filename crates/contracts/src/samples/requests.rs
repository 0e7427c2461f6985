//! Bodies that are sent; the examples of the OpenAPI document too.

use serde_json::{Value, json};

/// The operations that take a JSON body, each with one.
pub(super) fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("create_task", new_task()),
        ("update_task", task_change()),
        ("change_tasks", change_tasks()),
        ("quick_add_task", quick_add_task()),
        ("create_api_token", create_api_token()),
        ("import_tasks", import_tasks()),
        ("create_webhook", create_webhook()),
        ("update_webhook", update_webhook()),
        ("create_push_subscription", create_push_subscription()),
        ("sign_up", sign_up()),
        ("sign_in", sign_in()),
        ("update_profile", profile_change()),
    ]
}

/// A task of every field.
pub(crate) fn new_task() -> Value {
    json!({
        "title": "Pay rent",
        "description": "The flat and the garage.",
        "status": "pending",
        "priority": "high",
        "tags": ["home", "money"],
        "dueDate": "2026-03-31T16:00:00+02:00",
        "timeZone": "Europe/Berlin",
        "recurrence": "monthly",
        "reminders": [1440, 30],
        "subtasks": [{ "title": "Ask for the receipt" }, { "title": "Look up the account", "done": true }],
    })
}

/// A change of some fields, one of them cleared.
pub(crate) fn task_change() -> Value {
    json!({ "title": "Pay the rent", "description": null, "status": "in-progress", "dueDate": "2026-03-30" })
}

/// Two tasks to complete.
pub(crate) fn change_tasks() -> Value {
    json!({ "ids": [super::task_id(), "not-an-id"], "complete": true })
}

/// A task in one line.
pub(crate) fn quick_add_task() -> Value {
    json!({ "text": "Pay rent tomorrow 9am #home !high every month" })
}

/// A token that may only read.
pub(crate) fn create_api_token() -> Value {
    json!({ "name": "Wall display", "scopes": ["tasks:read"], "expiresAt": "2036-03-01T09:00:00Z" })
}

/// Tasks of another program.
pub(crate) fn import_tasks() -> Value {
    json!([new_task(), { "title": "Buy milk", "completed": true }])
}

/// A webhook for two kinds of events.
pub(crate) fn create_webhook() -> Value {
    let events = ["task.completed", "reminder.due"];
    json!({ "url": "https://hooks.example.com/todo", "events": events, "description": "Team chat" })
}

/// A webhook that is switched on again.
pub(crate) fn update_webhook() -> Value {
    json!({ "url": "https://hooks.example.com/todo", "active": true })
}

/// What a browser gave.
pub(crate) fn create_push_subscription() -> Value {
    json!({
        "endpoint": "https://push.example.net/send/abc",
        "expirationTime": null,
        "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        },
    })
}

/// A new account.
pub(crate) fn sign_up() -> Value {
    json!({ "email": "ada@example.com", "name": "Ada", "password": "correct horse", "timeZone": "Europe/Berlin" })
}

/// Who one is.
pub(crate) fn sign_in() -> Value {
    json!({ "email": "ada@example.com", "password": "correct horse" })
}

/// A change of the account.
pub(crate) fn profile_change() -> Value {
    json!({ "name": "Ada Lovelace", "timeZone": "Europe/London", "digestTime": "06:30" })
}
