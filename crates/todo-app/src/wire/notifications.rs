//! Webhooks and push subscriptions, as they are asked for.

use serde::Serialize;
use serde_json::{Map, Value};
use todo_domain::ValidationError;
use uuid::Uuid;
use web_push::Recipient;

use super::Fields;
use crate::notifications::{
    push::NewPushSubscription,
    target::{self, Targets},
    webhooks::{MAX_WEBHOOK_DESCRIPTION, NewWebhook, WEBHOOK_EVENTS, WebhookChange},
};

/// A test that is on its way.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "WebhookTest"))]
pub struct WebhookTestBody {
    /// What the receiver sees as `webhook-id`.
    pub id: Uuid,
}

/// Reads `{"url": "..", "events": [".."], "description": ".."}`. Without events the webhook is told of all of them.
///
/// # Errors
/// Every refused field.
pub fn new_webhook(object: &Map<String, Value>, targets: Targets) -> Result<NewWebhook, ValidationError> {
    let mut fields = Fields::new(object);
    let url = fields.required_text("url").trim().to_owned();
    check_target(&mut fields, "url", &url, targets);
    let description = description(&mut fields).unwrap_or_default();
    let events = events(&mut fields).unwrap_or_else(|| WEBHOOK_EVENTS.map(str::to_owned).to_vec());
    fields.finish()?;
    Ok(NewWebhook { url, description, events })
}

/// Reads a change of a webhook: its fields, and `active`. What is absent or null stays.
///
/// # Errors
/// Every refused field.
pub fn webhook_change(object: &Map<String, Value>, targets: Targets) -> Result<WebhookChange, ValidationError> {
    let mut fields = Fields::new(object);
    let url = fields.text("url").map(|url| url.trim().to_owned());
    if let Some(url) = &url {
        check_target(&mut fields, "url", url, targets);
    }
    let description = description(&mut fields);
    let events = events(&mut fields);
    let active = fields.choice("active");
    fields.finish()?;
    Ok(WebhookChange { url, description, events, active })
}

/// Reads what a browser's `PushSubscription` is as JSON: `{"endpoint": "..", "keys": {"p256dh": "..", "auth": ".."}}`.
///
/// # Errors
/// Every refused field.
pub fn push_subscription(
    object: &Map<String, Value>,
    targets: Targets,
) -> Result<NewPushSubscription, ValidationError> {
    let mut fields = Fields::new(object);
    // Browsers tell when they mean to forget it, and push services say it when they have.
    fields.ignore("expirationTime");
    if object.get("expirationTime").is_some_and(|time| !time.is_null() && !time.is_number()) {
        fields.refuse("expirationTime", "use what the browser gave: a number or null");
    }
    let endpoint = fields.required_text("endpoint").trim().to_owned();
    check_target(&mut fields, "endpoint", &endpoint, targets);
    let nothing = Map::new();
    let given = fields.object("keys");
    if given.is_none() {
        fields.refuse("keys", "is missing");
    }
    let mut keys = Fields::new(given.unwrap_or(&nothing));
    let (p256dh, auth) = (keys.required_text("p256dh"), keys.required_text("auth"));
    if given.is_some() {
        if let Err(error) = Recipient::parse(&p256dh, &auth) {
            keys.refuse(error.key, "is not a key of a push subscription: send what the browser gave");
        }
        if let Err(refused) = keys.finish() {
            for error in refused.errors {
                fields.refuse(format!("keys.{}", error.field), &error.message);
            }
        }
    }
    fields.finish()?;
    Ok(NewPushSubscription { endpoint, p256dh, auth })
}

fn check_target(fields: &mut Fields<'_>, name: &'static str, url: &str, targets: Targets) {
    if let Err(error) = target::check(url, targets) {
        fields.refuse(name, &error.to_string());
    }
}

fn description(fields: &mut Fields<'_>) -> Option<String> {
    let text = fields.text("description")?.trim().to_owned();
    if text.chars().count() > MAX_WEBHOOK_DESCRIPTION || text.contains('\0') {
        fields.refuse("description", &format!("use at most {MAX_WEBHOOK_DESCRIPTION} characters, none of them NUL"));
    }
    Some(text)
}

fn events(fields: &mut Fields<'_>) -> Option<Vec<String>> {
    let words = fields.texts("events");
    for (index, word) in words.iter().enumerate() {
        if !WEBHOOK_EVENTS.contains(&word.as_str()) {
            fields.refuse(format!("events[{index}]"), &format!("use {}", WEBHOOK_EVENTS.join(", ")));
        }
    }
    let wanted = WEBHOOK_EVENTS.into_iter().filter(|known| words.iter().any(|word| word == known));
    let wanted: Vec<String> = wanted.map(str::to_owned).collect();
    (!wanted.is_empty()).then_some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<V: std::fmt::Debug>(
        read: fn(&Map<String, Value>, Targets) -> Result<V, ValidationError>,
        text: &str,
    ) -> Vec<String> {
        let object = serde_json::from_str(text).unwrap();
        read(&object, Targets::Public).unwrap_err().errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn a_webhook_has_a_public_address_and_known_events() {
        let object =
            serde_json::from_str(r#"{"url":" https://a.example.com/x ","events":["task.deleted","task.created"]}"#);
        let made = new_webhook(&object.unwrap(), Targets::Public).unwrap();
        assert_eq!(
            (made.url.as_str(), made.events),
            ("https://a.example.com/x", vec!["task.created".into(), "task.deleted".into()])
        );
        let object = serde_json::from_str(r#"{"url":"https://a.example.com"}"#).unwrap();
        assert_eq!(new_webhook(&object, Targets::Public).unwrap().events, WEBHOOK_EVENTS);
        let text = r#"{"url":"http://127.0.0.1/","events":["task.created","x"],"description":7,"secret":"mine"}"#;
        assert_eq!(refused(new_webhook, text), ["url", "description", "events[1]", "secret"]);
        assert_eq!(refused(new_webhook, "{}"), ["url"]);
        assert_eq!(refused(webhook_change, r#"{"url":"https://localhost","active":"yes"}"#), ["url", "active"]);
    }

    #[test]
    fn a_push_subscription_is_what_a_browser_gives() {
        let text = r#"{"endpoint":"https://push.example.com/abc","expirationTime":null,"keys":{
            "p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth":"BTBZMqHH6r4Tts7J_aSIgg"}}"#;
        let read = push_subscription(&serde_json::from_str(text).unwrap(), Targets::Public).unwrap();
        assert_eq!(read.auth, "BTBZMqHH6r4Tts7J_aSIgg");
        assert_eq!(refused(push_subscription, &text.replace("BCVx", "BCVy")), ["keys.p256dh"]);
        assert_eq!(
            refused(push_subscription, r#"{"endpoint":"https://10.0.0.1/","keys":{}}"#),
            ["endpoint", "keys.p256dh", "keys.auth"]
        );
        assert_eq!(refused(push_subscription, "{}"), ["endpoint", "keys"]);
        assert_eq!(refused(push_subscription, &text.replace("null", "{}")), ["expirationTime"]);
    }
}
