//! Secret stores: the environment, and a JSON file.
//!
//! A store is read where it is asked (the environment) or once at the start (a file).
//! Neither its errors nor its `Debug` form has the value of a secret.

mod file;

use std::{collections::BTreeMap, fmt};

pub(crate) use file::FileForm;

/// A secret: its values by their keys. Most secrets are one value under their own name.
pub(crate) type Secret = BTreeMap<String, String>;

/// One store.
pub(crate) enum SecretStore {
    /// Environment variables, each under its name without `prefix`.
    Environment {
        /// What stands before each name. Empty: every variable is a secret, but for the sidecar's own.
        prefix: String,
    },
    /// Secrets by name, from a file.
    File(BTreeMap<String, Secret>),
}

impl SecretStore {
    /// Finds a secret. As in Dapr, a variable that is not set is an empty secret.
    pub(crate) fn get(&self, name: &str) -> Option<Secret> {
        match self {
            Self::Environment { prefix } => {
                let variable = format!("{prefix}{name}");
                // The standard library panics on such names.
                let readable = !variable.is_empty() && !variable.contains(['=', '\0']) && is_open(&variable);
                let value = readable.then(|| std::env::var(&variable).ok()).flatten();
                Some([(name.to_owned(), value.unwrap_or_default())].into())
            }
            Self::File(secrets) => secrets.get(name).cloned(),
        }
    }

    /// All secrets by name.
    pub(crate) fn all(&self) -> BTreeMap<String, Secret> {
        match self {
            Self::Environment { prefix } => std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .filter(|(name, _)| is_open(name))
                .filter_map(|(name, value)| Some((name.strip_prefix(prefix.as_str())?.to_owned(), value)))
                .filter(|(name, _)| !name.is_empty())
                .map(|(name, value)| (name.clone(), [(name, value)].into()))
                .collect(),
            Self::File(secrets) => secrets.clone(),
        }
    }
}

/// The sidecar's own variables are no one's secrets.
fn is_open(variable: &str) -> bool {
    let upper = variable.to_ascii_uppercase();
    upper != "APP_API_TOKEN" && !upper.starts_with("DAPR_")
}

impl fmt::Debug for SecretStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Environment { .. } => "Environment",
            Self::File(_) => "File",
        })
    }
}
