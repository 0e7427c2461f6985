//! Which secrets apps may read.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::super::document::Location;
use crate::error::StartError;

/// A scope for each store that has one.
#[derive(Debug, Default)]
pub(crate) struct SecretScopes {
    by_store: BTreeMap<String, Scope>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SecretsText {
    scopes: Vec<Scope>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Scope {
    store_name: String,
    #[serde(default)]
    default_access: String,
    #[serde(default)]
    allowed_secrets: BTreeSet<String>,
    #[serde(default)]
    denied_secrets: BTreeSet<String>,
}

impl SecretScopes {
    pub(super) fn new(text: SecretsText, location: &Location) -> Result<Self, StartError> {
        let mut by_store = BTreeMap::new();
        for scope in text.scopes {
            let name = scope.store_name.clone();
            if !["", "allow", "deny"].iter().any(|access| scope.default_access.eq_ignore_ascii_case(access)) {
                let access = scope.default_access;
                let key = "`spec.secrets.scopes`";
                return Err(
                    location.refuse(format!("{key}: `defaultAccess` is `{access}`; expected `allow` or `deny`"))
                );
            }
            if by_store.insert(name.clone(), scope).is_some() {
                return Err(
                    location.refuse(format!("`spec.secrets.scopes`: `{name}` is there twice; expected it once"))
                );
            }
        }
        Ok(Self { by_store })
    }

    /// Whether apps may read a secret: a list of allowed ones decides alone, then one of denied ones, then the default.
    pub(crate) fn allow(&self, store: &str, secret: &str) -> bool {
        let Some(scope) = self.by_store.get(store) else { return true };
        if !scope.allowed_secrets.is_empty() {
            return scope.allowed_secrets.contains(secret);
        }
        !scope.denied_secrets.contains(secret) && !scope.default_access.eq_ignore_ascii_case("deny")
    }
}
