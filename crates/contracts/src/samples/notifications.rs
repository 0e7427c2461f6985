//! The inbox, webhooks and browsers, as they are stored and answered.

use serde_json::{Value, json};
use todo_app::notifications::{
    inbox::{Entry, Inbox},
    push::{PushKeyBody, PushSubscription, PushSubscriptions},
    webhooks::{Webhook, WebhookBody, WebhookState, Webhooks},
};
use todo_app::wire::WebhookTestBody;

use super::documents::{read, stored};
use super::requests;
use super::story::{Story, id, now};

/// In the place of 256 random bits.
const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Each document by its name.
pub(super) fn documents(story: &Story) -> Vec<(&'static str, String)> {
    vec![
        ("inbox", stored::<Inbox>(&json!({ "entries": [entry(story), note()] }))),
        ("inbox-closed", stored::<Inbox>(&json!({ "closed": true }))),
        ("webhooks", stored::<Webhooks>(&json!({ "webhooks": [webhook()] }))),
        ("webhooks-closed", stored::<Webhooks>(&json!({ "closed": true }))),
        ("webhook-state", stored::<WebhookState>(&state())),
        ("push-subscriptions", stored::<PushSubscriptions>(&json!({ "subscriptions": [browser()] }))),
        ("push-subscriptions-closed", stored::<PushSubscriptions>(&json!({ "closed": true }))),
    ]
}

/// Each answer by its operation and status.
pub(super) fn answers(story: &Story) -> Vec<(String, Value)> {
    let entries: Vec<Entry> = vec![read(&entry(story)), read(&note())];
    let listed = read::<Webhook>(&webhook()).body(read(&state()));
    let shown = WebhookBody { secret: Some(SECRET.to_owned()), ..listed.clone() };
    let subscription = read::<PushSubscription>(&browser()).body();
    let public_key =
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8".to_owned();
    [
        ("list_notifications.200", json!(entries)),
        ("list_webhooks.200", json!([listed])),
        ("create_webhook.201", json!(shown)),
        ("update_webhook.200", json!(listed)),
        ("rotate_webhook_secret.200", json!(shown)),
        ("test_webhook.202", json!(WebhookTestBody { id: id(0x6004) })),
        ("get_push_key.200", json!(PushKeyBody { public_key })),
        ("list_push_subscriptions.200", json!([subscription])),
        ("create_push_subscription.201", json!(subscription)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// An entry of a reminder.
pub(super) fn entry(story: &Story) -> Value {
    json!({
        "id": id(0x2001),
        "kind": "reminder",
        "taskId": story.made.id,
        "title": story.made.title,
        "dueDate": story.made.due_date,
        "createdAt": now(),
        "readAt": now(),
    })
}

fn note() -> Value {
    json!({
        "id": id(0x6003),
        "kind": "webhook-disabled",
        "title": "Webhook switched off: https://hooks.example.com/todo",
        "text": "It took nothing for a day. It answered 500. Switch it on again once its receiver works.",
        "createdAt": now(),
    })
}

fn webhook() -> Value {
    let request = requests::create_webhook();
    json!({
        "id": id(0x6001),
        "url": request["url"],
        "description": request["description"],
        "events": request["events"],
        "secret": SECRET,
        "previous": { "secret": SECRET, "until": now() },
        "createdAt": now(),
        "disabled": "It took nothing for a day. It answered 500.",
    })
}

fn state() -> Value {
    json!({
        "lastSuccessAt": now(),
        "lastFailureAt": now(),
        "lastFailure": "It answered 500.",
        "failingSince": now(),
        "testedAt": now(),
    })
}

fn browser() -> Value {
    let request = requests::create_push_subscription();
    json!({
        "id": id(0x6002),
        "endpoint": request["endpoint"],
        "p256dh": request["keys"]["p256dh"],
        "auth": request["keys"]["auth"],
        "createdAt": now(),
    })
}
