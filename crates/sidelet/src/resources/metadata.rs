//! The `spec.metadata` list of a component, read key by key so that none is overlooked.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::document::Document;
use crate::error::StartError;

/// One entry of the list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Entry {
    name: String,
    #[serde(default)]
    value: Option<Value>,
    #[serde(default)]
    secret_key_ref: Option<Value>,
    #[serde(default)]
    env_ref: Option<String>,
}

/// What is left to read of a component's metadata. Keys are found whatever their case, as in Dapr.
pub(super) struct Metadata<'document> {
    document: &'document Document,
    entries: Vec<(String, String)>,
}

impl<'document> Metadata<'document> {
    pub(super) fn new(document: &'document Document, entries: Vec<Entry>) -> Result<Self, StartError> {
        let mut metadata = Self { document, entries: Vec::new() };
        for entry in entries {
            let name = entry.name;
            if metadata.entries.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
                return Err(metadata.refuse(&name, "is there twice; expected it once"));
            }
            let value = match (entry.value, entry.secret_key_ref, entry.env_ref) {
                (Some(value), None, None) => text(value),
                (None, None, Some(variable)) => std::env::var(&variable).map_err(|_| {
                    metadata
                        .refuse(&name, &format!("has the `envRef` `{variable}`, which is not set; expected a set one"))
                })?,
                (None, Some(_), None) => {
                    return Err(metadata.refuse(
                        &name,
                        "has a `secretKeyRef`, but secret stores are not served yet; expected `value` or `envRef`",
                    ));
                }
                _ => return Err(metadata.refuse(&name, "has no single value; expected one of `value` and `envRef`")),
            };
            metadata.entries.push((name, value));
        }
        Ok(metadata)
    }

    /// Takes a value. An empty one is none.
    pub(super) fn take(&mut self, key: &str) -> Option<String> {
        let at = self.entries.iter().position(|(name, _)| name.eq_ignore_ascii_case(key))?;
        Some(self.entries.swap_remove(at).1).filter(|value| !value.is_empty())
    }

    /// Takes a value that must be there.
    pub(super) fn require(&mut self, key: &str, form: &str) -> Result<String, StartError> {
        self.take(key).ok_or_else(|| self.refuse(key, &format!("is missing; expected {form}")))
    }

    /// Takes a value of a certain form.
    pub(super) fn parse<T>(
        &mut self,
        key: &str,
        form: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StartError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        match read(&value) {
            Some(read) => Ok(Some(read)),
            None => Err(self.refuse(key, &format!("is `{value}`; expected {form}"))),
        }
    }

    /// Refuses what nobody took, but for the keys in `ignored`, which are Dapr's and have no meaning here.
    pub(super) fn finish(self, ignored: &[&str], known: &[&str]) -> Result<(), StartError> {
        for (name, _) in &self.entries {
            if !ignored.iter().any(|key| key.eq_ignore_ascii_case(name)) {
                return Err(self.refuse(name, &format!("is not known; expected one of {}", known.join(", "))));
            }
            tracing::info!(component = %self.document.name, key = %name, "a metadata key of Dapr's has no effect here");
        }
        Ok(())
    }

    /// An error about one key.
    pub(super) fn refuse(&self, key: &str, reason: &str) -> StartError {
        self.document.location.refuse(format!("component `{}`: metadata `{key}` {reason}", self.document.name))
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// `7d`, `90m`, `30s`, `250ms`, or parts of these in a row (`1h30m`), as Go writes durations, and days.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let count: u64 = rest[..digits].parse().ok()?;
        let unit = &rest[digits..];
        let letters = unit.find(|letter: char| letter.is_ascii_digit()).unwrap_or(unit.len());
        let milliseconds: u64 = match &unit[..letters] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        total = total.checked_add(Duration::from_millis(count.checked_mul(milliseconds)?))?;
        rest = &unit[letters..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        assert_eq!(duration("7d"), Some(Duration::from_secs(7 * 86_400)));
        assert_eq!(duration("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        for text in ["", "7", "d", "7y", "-1s", "1.5h", "99999999999999999999d"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
