//! A TOML table that is read key by key, so that every error can name the key, the value and the
//! accepted form, and no key goes unread.

use std::collections::BTreeMap;

use toml::Value;

use super::ManifestError;

/// Longest piece of a value that an error repeats.
const SHOWN_BYTES: usize = 80;

/// A table on its way through a reader.
pub(super) struct Table {
    path: String,
    left: toml::Table,
    asked: Vec<&'static str>,
}

impl Table {
    /// The document itself.
    pub(super) fn root(table: toml::Table) -> Self {
        Self::new(String::new(), table)
    }

    fn new(path: String, left: toml::Table) -> Self {
        Self { path, left, asked: Vec::new() }
    }

    /// The table in `value`, found at `path`.
    pub(super) fn from_value(path: String, value: Value, expected: &str) -> Result<Self, ManifestError> {
        match value {
            Value::Table(table) => Ok(Self::new(path, table)),
            other => Err(invalid(path, &other, expected)),
        }
    }

    /// The full name of `key`.
    pub(super) fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of `key`, if any.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Value> {
        self.asked.push(key);
        self.left.remove(key)
    }

    /// Accepts `key` without reading it.
    pub(super) fn ignore(&mut self, keys: &[&'static str]) {
        for key in keys {
            self.take(key);
        }
    }

    /// Refuses `key` unless it is absent or says nothing (`[]`, `{}`, `false`).
    pub(super) fn refuse(&mut self, key: &'static str, instead: &str) -> Result<(), ManifestError> {
        match self.left.remove(key) {
            None | Some(Value::Boolean(false)) => Ok(()),
            Some(Value::Array(array)) if array.is_empty() => Ok(()),
            Some(Value::Table(table)) if table.is_empty() => Ok(()),
            Some(value) => Err(ManifestError::Unsupported {
                key: self.key(key),
                value: shown(&value),
                instead: instead.to_owned(),
            }),
        }
    }

    /// A string, if the key is there.
    pub(super) fn string(&mut self, key: &'static str, expected: &str) -> Result<Option<String>, ManifestError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(invalid(self.key(key), &other, expected)),
        }
    }

    /// A boolean; absent is `false`.
    pub(super) fn boolean(&mut self, key: &'static str) -> Result<bool, ManifestError> {
        match self.take(key) {
            None => Ok(false),
            Some(Value::Boolean(flag)) => Ok(flag),
            Some(other) => Err(invalid(self.key(key), &other, "`true` or `false`")),
        }
    }

    /// A table; absent is empty.
    pub(super) fn table(&mut self, key: &'static str) -> Result<Table, ManifestError> {
        let path = self.key(key);
        match self.take(key) {
            None => Ok(Self::new(path, toml::Table::new())),
            Some(value) => Self::from_value(path, value, "a table"),
        }
    }

    /// An array of strings; absent is empty.
    pub(super) fn strings(&mut self, key: &'static str, expected: &str) -> Result<Vec<String>, ManifestError> {
        self.array(key, expected)?
            .into_iter()
            .map(|(path, value)| match value {
                Value::String(text) => Ok(text),
                other => Err(invalid(path, &other, expected)),
            })
            .collect()
    }

    /// The items of an array with their paths; absent is empty.
    pub(super) fn array(&mut self, key: &'static str, expected: &str) -> Result<Vec<(String, Value)>, ManifestError> {
        let path = self.key(key);
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => {
                Ok(values.into_iter().enumerate().map(|(index, value)| (format!("{path}[{index}]"), value)).collect())
            }
            Some(other) => Err(invalid(path, &other, expected)),
        }
    }

    /// A table from names to strings; absent is empty.
    pub(super) fn string_map(&mut self, key: &'static str) -> Result<BTreeMap<String, String>, ManifestError> {
        self.table(key)?
            .entries()
            .map(|(path, name, value)| match value {
                Value::String(text) => Ok((name, text)),
                other => Err(invalid(path, &other, "a string")),
            })
            .collect()
    }

    /// All entries as full name, key and value.
    pub(super) fn entries(self) -> impl Iterator<Item = (String, String, Value)> {
        let path = self.path;
        self.left.into_iter().map(move |(key, value)| {
            let full = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            (full, key, value)
        })
    }

    /// Refuses whatever has not been read.
    pub(super) fn finish(self) -> Result<(), ManifestError> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(key) => Err(ManifestError::Unknown { key: self.key(key), accepted: list(&self.asked) }),
        }
    }
}

/// An error about the value of `key`.
pub(super) fn invalid(key: String, value: &Value, expected: &str) -> ManifestError {
    ManifestError::Invalid { key, value: shown(value), expected: expected.to_owned() }
}

/// Names in backticks, separated by commas.
pub(super) fn list<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().find(|(at, _)| *at >= SHOWN_BYTES) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
