//! The `spec.metadata` list of a component, read key by key so that none is overlooked.

use std::{
    path::{Component as Part, Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use serde_json::Value;

use super::{SecretStores, document::Document};
use crate::{config::Config, error::StartError, sqlite::Place};

/// One entry of the list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Entry {
    name: String,
    #[serde(default)]
    value: Option<Value>,
    #[serde(default)]
    secret_key_ref: Option<SecretKeyRef>,
    #[serde(default)]
    env_ref: Option<String>,
}

/// Where a value is kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretKeyRef {
    /// The secret.
    name: String,
    /// Which of its values. Default: the one under the secret's own name.
    #[serde(default)]
    key: String,
}

/// A key and its value.
struct Known {
    name: String,
    value: String,
    /// The value may not be shown.
    secret: bool,
}

/// What is left to read of a component's metadata. Keys are found whatever their case, as in Dapr.
pub(super) struct Metadata<'document> {
    document: &'document Document,
    entries: Vec<Known>,
}

impl<'document> Metadata<'document> {
    pub(super) fn new(
        document: &'document Document,
        entries: Vec<Entry>,
        stores: &SecretStores,
    ) -> Result<Self, StartError> {
        let mut metadata = Self { document, entries: Vec::new() };
        for entry in entries {
            let name = entry.name;
            if metadata.entries.iter().any(|other| other.name.eq_ignore_ascii_case(&name)) {
                return Err(metadata.refuse(&name, "is there twice; expected it once"));
            }
            let secret = entry.value.is_none();
            let value = match (entry.value, entry.secret_key_ref, entry.env_ref) {
                (Some(value), None, None) => text(value),
                (None, Some(reference), None) => metadata.secret(&name, &reference, stores)?,
                (None, None, Some(variable)) => std::env::var(&variable).map_err(|_| {
                    metadata
                        .refuse(&name, &format!("has the `envRef` `{variable}`, which is not set; expected a set one"))
                })?,
                _ => {
                    let form = "expected one of `value`, `secretKeyRef` and `envRef`";
                    return Err(metadata.refuse(&name, &format!("has no single value; {form}")));
                }
            };
            metadata.entries.push(Known { name, value, secret });
        }
        Ok(metadata)
    }

    /// Reads a secret for the key `name`.
    fn secret(&self, name: &str, reference: &SecretKeyRef, stores: &SecretStores) -> Result<String, StartError> {
        let form = "expected the name of a component whose type begins with `secretstores.`";
        let refuse = |reason: String| Err(self.refuse(name, &format!("has a `secretKeyRef`, but {reason}")));
        let Some(store_name) = self.document.secret_store.as_deref().filter(|store| !store.is_empty()) else {
            return refuse(format!("`auth.secretStore` is missing; {form}"));
        };
        let Some(store) = stores.get(store_name) else {
            return refuse(format!("`auth.secretStore` is `{store_name}`, which no component is; {form}"));
        };
        let secret = &reference.name;
        let key = if reference.key.is_empty() { secret } else { &reference.key };
        let found = match store.get_at_start(secret) {
            Ok(found) => found,
            Err(error) => return refuse(format!("the store `{store_name}` cannot be read: {error}")),
        };
        match found.and_then(|mut secret| secret.remove(key)).filter(|value| !value.is_empty()) {
            Some(value) => Ok(value),
            None => refuse(format!(
                "the store `{store_name}` has no value for `name: {secret}, key: {key}`; expected a secret that is there"
            )),
        }
    }

    /// Takes a value. An empty one is none.
    pub(super) fn take(&mut self, key: &str) -> Option<String> {
        self.take_known(key).map(|known| known.value)
    }

    fn take_known(&mut self, key: &str) -> Option<Known> {
        let at = self.entries.iter().position(|known| known.name.eq_ignore_ascii_case(key))?;
        Some(self.entries.swap_remove(at)).filter(|known| !known.value.is_empty())
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
        let Some(known) = self.take_known(key) else { return Ok(None) };
        match read(&known.value) {
            Some(read) => Ok(Some(read)),
            None if known.secret => Err(self.refuse(key, &format!("is a secret of another form; expected {form}"))),
            None => Err(self.refuse(key, &format!("is `{}`; expected {form}", known.value))),
        }
    }

    /// Refuses what nobody took, but for the keys in `ignored`, which are Dapr's and have no meaning here.
    pub(super) fn finish(self, ignored: &[&str], known: &[&str]) -> Result<(), StartError> {
        for Known { name, .. } in &self.entries {
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

/// Where a connection string points: `data.db`, `/var/lib/data.db`, `file:data.db` or `:memory:`.
pub(super) fn place(metadata: &mut Metadata<'_>, config: &Config) -> Result<Place, StartError> {
    let form = "a file such as `todo.db` or `/var/lib/todo.db`, or `:memory:`";
    let form_alone = format!("{form}, without parameters");
    let place = metadata.parse("connectionString", &form_alone, |text| {
        let path = text.strip_prefix("file:").unwrap_or(text);
        if text == ":memory:" {
            Some(Place::Memory)
        } else if path.is_empty() || path.contains(['?', '\0']) || path.ends_with('/') || path.contains("://") {
            None
        } else {
            Some(Place::File(plain(&config.data_directory.join(path))))
        }
    })?;
    place.ok_or_else(|| metadata.refuse("connectionString", &format!("is missing; expected {form}")))
}

/// The path without `.` and with the folders' links followed, so that two ways to write one file are one file.
fn plain(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let absolute: PathBuf = absolute.components().filter(|part| *part != Part::CurDir).collect();
    match (absolute.parent().and_then(|folder| folder.canonicalize().ok()), absolute.file_name()) {
        (Some(folder), Some(name)) => {
            let file = folder.join(name);
            file.canonicalize().unwrap_or(file)
        }
        _ => absolute,
    }
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
