//! Webhooks: addresses of the user's own programs, which are told what happens.
//!
//! `webhooks/{userId}` holds what the user says of them, and is read with every event.
//! How a webhook is doing changes with every delivery, and stands in a document of its own, `webhook-states/{id}`: what
//! is delivered to one webhook comes one after another, so nobody competes for it.

mod manage;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use todo_domain::{UserId, instant};
use uuid::Uuid;

use super::{after, signature::WebhookSecret};
use crate::{documents::UserDocument, http::problem::Problem};

/// Webhooks of one user.
pub const MAX_WEBHOOKS: usize = 10;
/// The most characters of what a user calls a webhook.
pub const MAX_WEBHOOK_DESCRIPTION: usize = 200;
/// What a webhook can be told of.
pub const WEBHOOK_EVENTS: [&str; 6] =
    ["task.created", "task.updated", "task.completed", "task.deleted", "reminder.due", "digest.daily"];
/// What a user sends to try a webhook; every webhook takes it.
pub const TEST_EVENT: &str = "webhook.test";

/// A webhook that only fails for as long is switched off.
const FAILING_SECONDS: i64 = 24 * 60 * 60;
/// How long a secret that was replaced signs beside the new one, so that a receiver may change over in between.
const OVERLAP_SECONDS: i64 = 24 * 60 * 60;

/// What a user says of a webhook, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Its id.
    pub id: Uuid,
    /// Where it is.
    pub url: String,
    /// What its user calls it.
    #[serde(default)]
    pub description: String,
    /// What it is told of; words, so that those of a newer release are kept.
    pub events: Vec<String>,
    /// What signs.
    secret: WebhookSecret,
    /// What signed before, and until when it still does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<PreviousSecret>,
    /// When it was made.
    #[serde(deserialize_with = "instant::read")]
    pub created_at: Timestamp,
    /// Why it is told nothing, where it is switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<String>,
    /// What a newer release added; kept as it is.
    #[serde(flatten)]
    other: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PreviousSecret {
    secret: WebhookSecret,
    #[serde(deserialize_with = "instant::read")]
    until: Timestamp,
}

/// The webhooks of a user, as they are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhooks {
    /// The oldest first.
    #[serde(default)]
    pub(super) webhooks: Vec<Webhook>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    closed: bool,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// How a webhook is doing, as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookState {
    /// When it last took something.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "instant::read")]
    pub last_success_at: Option<Timestamp>,
    /// When it last did not.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "instant::read")]
    pub last_failure_at: Option<Timestamp>,
    /// What was wrong then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
    /// Since when it has taken nothing.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "instant::read")]
    pub failing_since: Option<Timestamp>,
    /// When its user last tried it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "instant::read")]
    pub tested_at: Option<Timestamp>,
    /// What a newer release added; kept as it is.
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// What a user is told of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Webhook"))]
pub struct WebhookBody {
    /// Its id.
    pub id: Uuid,
    /// Where it is.
    pub url: String,
    /// What its user calls it.
    pub description: String,
    /// What it is told of.
    pub events: Vec<String>,
    /// `active`, or `disabled`: then it is told nothing.
    pub state: &'static str,
    /// Why it is disabled; null while it is active.
    pub reason: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last took something; null before the first time.
    pub last_success_at: Option<Timestamp>,
    /// When it last did not; null before the first time.
    pub last_failure_at: Option<Timestamp>,
    /// What was wrong then.
    pub last_failure: Option<String>,
    /// What signs its messages, in the answer that made it alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// What a new webhook is to be.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// Where it is.
    pub url: String,
    /// What its user calls it.
    pub description: String,
    /// What it is told of.
    pub events: Vec<String>,
}

/// What changes of a webhook; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct WebhookChange {
    /// Where it is.
    pub url: Option<String>,
    /// What its user calls it.
    pub description: Option<String>,
    /// What it is told of.
    pub events: Option<Vec<String>>,
    /// Whether it is told anything.
    pub active: Option<bool>,
}

impl UserDocument for Webhooks {
    fn key(user: UserId) -> String {
        format!("webhooks/{user}")
    }

    fn is_closed(&self) -> bool {
        self.closed
    }

    fn closed() -> Self {
        Self { closed: true, ..Self::default() }
    }
}

impl Webhook {
    /// Whether it is told of an event.
    pub(super) fn takes(&self, event: &str) -> bool {
        self.disabled.is_none() && (event == TEST_EVENT || self.events.iter().any(|known| known == event))
    }

    /// The signatures of one try: by its secret, and by the one before while both count.
    pub(super) fn sign(&self, id: &str, now: Timestamp, body: &[u8]) -> String {
        let mut signatures = self.secret.sign(id, now, body);
        if let Some(previous) = self.previous.as_ref().filter(|previous| now < previous.until) {
            signatures.push(' ');
            signatures.push_str(&previous.secret.sign(id, now, body));
        }
        signatures
    }

    fn rotate(&mut self, secret: WebhookSecret, now: Timestamp) {
        if self.secret == secret {
            return;
        }
        let until = after(now, OVERLAP_SECONDS);
        let secret = std::mem::replace(&mut self.secret, secret);
        self.previous = Some(PreviousSecret { secret, until });
    }

    /// What its user is told.
    pub fn body(&self, state: WebhookState) -> WebhookBody {
        let Self { id, url, description, events, created_at, disabled, .. } = self.clone();
        let WebhookState { last_success_at, last_failure_at, last_failure, .. } = state;
        WebhookBody {
            id,
            url,
            description,
            events,
            state: if disabled.is_some() { "disabled" } else { "active" },
            reason: disabled,
            created_at,
            last_success_at,
            last_failure_at,
            last_failure,
            secret: None,
        }
    }
}

impl Webhooks {
    fn find(&mut self, id: Uuid) -> Result<&mut Webhook, Problem> {
        self.webhooks.iter_mut().find(|webhook| webhook.id == id).ok_or_else(no_webhook)
    }

    /// The webhook of an id.
    pub(super) fn get(&self, id: Uuid) -> Option<&Webhook> {
        self.webhooks.iter().find(|webhook| webhook.id == id)
    }
}

impl WebhookState {
    pub(super) fn succeeded(&mut self, now: Timestamp) {
        self.last_success_at = Some(now);
        self.failing_since = None;
    }

    /// Notes a failure; `true` when there has been nothing else for a day.
    pub(super) fn failed(&mut self, now: Timestamp, why: &str) -> bool {
        self.last_failure_at = Some(now);
        self.last_failure = Some(why.to_owned());
        let since = *self.failing_since.get_or_insert(now);
        now.as_second() - since.as_second() >= FAILING_SECONDS
    }
}

/// The key of how a webhook is doing.
pub(super) fn state_key(webhook: Uuid) -> String {
    format!("webhook-states/{webhook}")
}

fn no_webhook() -> Problem {
    Problem::not_found("There is no such webhook.")
}
