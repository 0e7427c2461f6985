//! One document of a file.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{config::Config, error::StartError};

/// The kinds that have an effect.
const KINDS: [&str; 4] = ["Component", "Configuration", "Resiliency", "Subscription"];

/// Where a document is, for people.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    file: PathBuf,
    number: usize,
}

impl Location {
    /// An error about this document.
    pub(crate) fn refuse(&self, message: impl Into<String>) -> StartError {
        StartError::Resource { location: self.to_string(), message: message.into() }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` document {}", self.file.display(), self.number)
    }
}

/// What all documents have in common.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) location: Location,
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) scopes: Vec<String>,
    /// Where the values that the document refers to are kept.
    pub(crate) secret_store: Option<String>,
    spec: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Text {
    api_version: String,
    kind: String,
    metadata: Meta,
    #[serde(default)]
    spec: Value,
    #[serde(default)]
    scopes: Option<Vec<String>>,
    #[serde(default)]
    auth: Option<Auth>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Auth {
    secret_store: String,
}

#[derive(Deserialize)]
struct Meta {
    name: String,
}

impl Document {
    /// Reads every document of `file`. Empty ones are left out and not counted.
    pub(crate) fn read_all(file: &Path) -> Result<Vec<Self>, StartError> {
        let text = std::fs::read_to_string(file)
            .map_err(|source| StartError::ReadResource { path: file.to_owned(), source })?;
        let values: Vec<Value> = serde_saphyr::from_multiple(&text).map_err(|error| StartError::Resource {
            location: format!("`{}`", file.display()),
            message: format!("it is not YAML: {}", first_line(&error.to_string())),
        })?;
        let documents = values.into_iter().enumerate();
        documents
            .map(|(index, value)| Self::new(value, Location { file: file.to_owned(), number: index + 1 }))
            .collect()
    }

    fn new(value: Value, location: Location) -> Result<Self, StartError> {
        let expected = "expected apiVersion, kind, metadata.name and spec, as Dapr's resources have";
        // A kind that has no effect may look as it likes.
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !kind.is_empty() && !KINDS.contains(&kind.as_str()) {
            let name = value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
            return Ok(Self {
                location,
                api_version: String::new(),
                kind,
                name,
                scopes: Vec::new(),
                secret_store: None,
                spec: Value::Null,
            });
        }
        let text: Text = serde_json::from_value(value)
            .map_err(|error| location.refuse(format!("it is not a resource: {error}; {expected}")))?;
        if text.metadata.name.is_empty() {
            return Err(location.refuse("`metadata.name` is empty; expected a name"));
        }
        Ok(Self {
            location,
            api_version: text.api_version,
            kind: text.kind,
            name: text.metadata.name,
            scopes: text.scopes.unwrap_or_default(),
            secret_store: text.auth.map(|auth| auth.secret_store),
            spec: text.spec,
        })
    }

    /// Whether the document is for an app of this process. One without scopes is for all.
    pub(crate) fn in_scope(&self, config: &Config) -> bool {
        self.scopes.is_empty() || self.scopes.iter().any(|app| *app == config.app_id || config.apps.contains_key(app))
    }

    /// The type and version of a component; empty where there is none.
    pub(super) fn component_type(&self) -> (&str, &str) {
        let text = |key: &str| self.spec.get(key).and_then(Value::as_str).unwrap_or_default();
        (text("type"), text("version"))
    }

    /// The body of the document in the form of its kind.
    pub(crate) fn spec<T: DeserializeOwned>(&mut self) -> Result<T, StartError> {
        serde_json::from_value(self.spec.take())
            .map_err(|error| self.location.refuse(format!("{} `{}`: `spec`: {error}", self.kind, self.name)))
    }
}

impl fmt::Display for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} `{}` in {}", self.kind, self.name, self.location)
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
