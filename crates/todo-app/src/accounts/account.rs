//! The account document.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::{Map, Value};
use todo_domain::{DayTime, FieldError, TimeZoneName, UserId, instant};

use super::{api_tokens::StoredApiToken, session::Session};
use crate::access::digest;

/// The longest address that mail can be sent to (RFC 5321, 4.5.3.1).
pub const MAX_EMAIL: usize = 254;

/// The schema version that this release writes into accounts.
///
/// It is raised only for a form that older releases must not touch; fields may be added without.
const ACCOUNT_SCHEMA_VERSION: u32 = 1;

/// An account, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The form of this document.
    #[serde(deserialize_with = "known_schema")]
    pub schema_version: u32,
    /// The user.
    pub id: UserId,
    /// The address, lower-cased.
    pub email: String,
    /// What to call the person.
    pub name: String,
    /// The zone of the person's days.
    #[serde(default)]
    pub time_zone: TimeZoneName,
    /// When the digest of the day comes; `None`: never. Documents of older releases have the usual time.
    #[serde(default = "usual_time")]
    pub digest_time: Option<DayTime>,
    /// When it was made.
    #[serde(deserialize_with = "instant::read")]
    pub created_at: Timestamp,
    /// The password's argon2id hash with its parameters.
    pub password_hash: String,
    /// Where the user is signed in, the latest last.
    #[serde(default)]
    pub sessions: Vec<Session>,
    /// What programs open the API with, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub api_tokens: Vec<StoredApiToken>,
    /// The hash of the calendar feed's secret, where there is a feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed_hash: Option<String>,
    /// Whether the registry of users names this one; accounts of older releases enter it at their next sign-in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub registered: bool,
    /// Whether notifications are sent to the address too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub email_notifications: bool,
    /// What a newer release added; kept as it is.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The part of an account that says when its user's day begins.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DaySettings {
    /// The zone of the person's days.
    #[serde(default)]
    pub time_zone: TimeZoneName,
    /// When the digest of the day comes; `None`: never.
    #[serde(default = "usual_time")]
    pub digest_time: Option<DayTime>,
}

fn usual_time() -> Option<DayTime> {
    Some(DayTime::DIGEST)
}

/// Refuses the form of a newer release.
fn known_schema<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let found = u32::deserialize(deserializer)?;
    if found <= ACCOUNT_SCHEMA_VERSION {
        return Ok(found);
    }
    Err(D::Error::custom(format!(
        "the account has schema version {found}, this release knows {ACCOUNT_SCHEMA_VERSION}"
    )))
}

/// Leads from an address to its account, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmailOwner {
    /// Whose it is.
    pub user_id: UserId,
}

/// What a user sees of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The user.
    pub id: UserId,
    /// The address.
    pub email: String,
    /// What to call the person.
    pub name: String,
    /// The zone of the person's days.
    pub time_zone: TimeZoneName,
    /// When the digest of the day comes, on a clock of this zone; null: never.
    pub digest_time: Option<DayTime>,
    /// Whether notifications are sent to the address too, where the service sends mail.
    pub email_notifications: bool,
    /// When the account was made.
    pub created_at: Timestamp,
}

impl Account {
    pub(super) fn new(id: UserId, email: String, name: String, time_zone: TimeZoneName, now: Timestamp) -> Self {
        Self {
            schema_version: ACCOUNT_SCHEMA_VERSION,
            id,
            email,
            name,
            time_zone,
            digest_time: usual_time(),
            created_at: now,
            password_hash: String::new(),
            sessions: Vec::new(),
            api_tokens: Vec::new(),
            feed_hash: None,
            registered: false,
            email_notifications: false,
            other: Map::new(),
        }
    }

    /// What the user sees.
    pub fn profile(&self) -> Profile {
        Profile {
            id: self.id,
            email: self.email.clone(),
            name: self.name.clone(),
            time_zone: self.time_zone.clone(),
            digest_time: self.digest_time,
            email_notifications: self.email_notifications,
            created_at: self.created_at,
        }
    }

    /// When the user's day begins.
    pub fn day_settings(&self) -> DaySettings {
        DaySettings { time_zone: self.time_zone.clone(), digest_time: self.digest_time }
    }
}

/// The key of an account.
pub(crate) fn key(id: UserId) -> String {
    format!("accounts/{id}")
}

/// The key that leads from an address to its account. A hash: the address of a person is no part of a key.
pub(super) fn email_key(email: &str) -> String {
    format!("account-emails/{}", digest(email))
}

/// The form in which addresses are compared.
pub(super) fn normal_email(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Refuses what is plainly no address; only a message to it would tell more.
pub(super) fn check_email(email: &str, errors: &mut Vec<FieldError>) {
    let well_formed = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.contains('.')
            && !domain.contains('@')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
    });
    let clean =
        email.len() <= MAX_EMAIL && !email.chars().any(|character| character.is_whitespace() || character.is_control());
    if !(well_formed && clean) {
        errors.push(FieldError { field: "email".into(), message: "use an address such as ada@example.com".into() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_release_added_is_kept_and_its_form_refused() {
        let text = r#"{"schemaVersion":1,"id":"0190163d-8694-739b-aea5-966c26f8ad91","email":"a@b.c","name":"Ada",
            "createdAt":"2026-03-01T09:00:00Z","passwordHash":"","avatar":{"url":"x"},
            "sessions":[{"id":"0190163d-8694-739b-aea5-966c26f8ad92","secretHash":"","rotatedAt":"2026-03-01T09:00:00Z","device":"phone"}],
            "apiTokens":[{"id":"0190163d-8694-739b-aea5-966c26f8ad93","name":"n","createdAt":"2026-03-01T09:00:00Z","secretHash":"","uses":7}]}"#;
        let account: Account = serde_json::from_str(text).unwrap();
        let written = serde_json::to_value(&account).unwrap();
        assert_eq!(written["avatar"]["url"], "x");
        let newer = text.replace("\"schemaVersion\":1", "\"schemaVersion\":2");
        let refused = serde_json::from_str::<Account>(&newer).unwrap_err().to_string();
        assert!(refused.starts_with("the account has schema version 2"), "{refused}");
        assert_eq!((&written["sessions"][0]["device"], &written["apiTokens"][0]["uses"]), (&"phone".into(), &7.into()));
    }

    #[test]
    fn an_address_needs_a_name_and_a_domain() {
        let refused = |email: &str| {
            let mut errors = Vec::new();
            check_email(email, &mut errors);
            !errors.is_empty()
        };
        for email in ["ada@example.com", "ä@bücher.example", "a+b@c.d"] {
            assert!(!refused(email), "{email}");
        }
        for email in [
            "",
            "ada",
            "@example.com",
            "a@b",
            "a@b@c.d",
            "a b@c.d",
            "a@.d",
            "a@d.",
            &format!("{}@b.c", "a".repeat(254)),
        ] {
            assert!(refused(email), "{email}");
        }
    }
}
