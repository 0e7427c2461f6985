//! API tokens and the calendar feed, as they are asked for and answered.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use todo_domain::{ValidationError, iso};

use super::Fields;
use crate::{
    access::{FeedSecret, Scope},
    accounts::{NAME_FORM, NewApiToken, is_name},
};

/// Where the calendar feed is.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "CalendarFeed"))]
pub struct FeedBody {
    /// The feed's address, as a path of this service. Shown once: whoever knows it reads the calendar.
    pub url: String,
}

impl FeedBody {
    /// The address of a feed.
    pub fn new(feed: &FeedSecret) -> Self {
        Self { url: format!("/api/calendar/{}.ics", feed.text()) }
    }
}

/// Reads `{"name": "..", "scopes": [".."], "expiresAt": ".."}`. Without scopes the token has all of them, without an
/// end it has none.
///
/// # Errors
/// Every refused field.
pub fn new_api_token(object: &Map<String, Value>, now: Timestamp) -> Result<NewApiToken, ValidationError> {
    let mut fields = Fields::new(object);
    let name = fields.required_text("name").trim().to_owned();
    if !is_name(&name) {
        fields.refuse("name", NAME_FORM);
    }
    let mut scopes = Vec::new();
    for (index, word) in fields.texts("scopes").iter().enumerate() {
        match Scope::parse(word.trim()) {
            Some(scope) if !scopes.contains(&scope) => scopes.push(scope),
            Some(_) => {}
            None => fields.refuse(format!("scopes[{index}]"), "use tasks:read and tasks:write"),
        }
    }
    if scopes.is_empty() {
        scopes.extend(Scope::ALL);
    }
    let expires_at = fields.text("expiresAt").and_then(|text| {
        let instant = iso::instant(text.trim()).filter(|instant| *instant > now);
        if instant.is_none() {
            fields.refuse("expiresAt", "use an instant to come, such as 2030-03-01T09:00:00Z");
        }
        instant
    });
    fields.finish()?;
    Ok(NewApiToken { name, scopes, expires_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<NewApiToken, Vec<String>> {
        let object: Map<String, Value> = serde_json::from_str(text).unwrap();
        let now = "2026-03-01T09:00:00Z".parse().unwrap();
        let fields = |error: ValidationError| error.errors.into_iter().map(|error| error.field).collect();
        new_api_token(&object, now).map_err(fields)
    }

    #[test]
    fn a_token_has_a_name_scopes_and_an_end_to_come() {
        let token = read(r#"{"name":" backup ","scopes":["tasks:read"],"expires_at":"2026-04-01T00:00:00Z"}"#).unwrap();
        assert_eq!((token.name.as_str(), token.scopes.as_slice()), ("backup", [Scope::TasksRead].as_slice()));
        assert!(token.expires_at.is_some());
        assert_eq!(read(r#"{"name":"all"}"#).unwrap().scopes, Scope::ALL);
        let refused = read(r#"{"name":"","scopes":["tasks:read","admin"],"expiresAt":"2026-02-01T00:00:00Z"}"#);
        assert_eq!(refused.unwrap_err(), ["name", "scopes[1]", "expiresAt"]);
    }
}
