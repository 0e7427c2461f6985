//! The values of application variables, and the templates that they fill.
//!
//! A value comes from the first of: the configuration, the environment (`SPIN_VARIABLE_NAME`),
//! a `.env` file beside the manifest with the same names, the manifest's default.
//! No value is ever printed, since any may be a secret.

mod dotenv;
mod template;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

pub(crate) use template::{Template, is_variable_name};

use crate::error::{StartError, environment_name};
use crate::manifest::Manifest;

/// Every application variable with its value.
pub(crate) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Finds a value for each variable of the manifest.
    pub(crate) fn resolve(manifest: &Manifest, mut overrides: BTreeMap<String, String>) -> Result<Self, StartError> {
        let file = dotenv::read(&manifest.directory().join(".env"))?;
        let mut values = BTreeMap::new();
        for (name, variable) in &manifest.variables {
            let key = environment_name(name);
            let value = overrides
                .remove(name)
                .or_else(|| std::env::var(&key).ok())
                .or_else(|| file.get(&key).cloned())
                .or_else(|| variable.default.clone())
                .ok_or_else(|| StartError::MissingVariable { name: name.clone() })?;
            values.insert(name.clone(), value);
        }
        match overrides.into_keys().next() {
            None => Ok(Self(values)),
            Some(name) => Err(StartError::UnknownVariable { name, known: names(manifest.variables.keys()) }),
        }
    }

    /// Fills a template; the error is the name of a variable that the manifest does not have.
    pub(crate) fn fill<'template>(&self, template: &'template Template) -> Result<String, &'template str> {
        template.fill(|name| self.0.get(name).map(String::as_str))
    }

    /// The names of all variables, for an error.
    pub(crate) fn known(&self) -> String {
        names(self.0.keys())
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// True if `path` is there at all; a `.env` is optional.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

pub(crate) fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
