//! Which parts of the API there are for apps.

use serde::Deserialize;

use super::super::document::Location;
use crate::error::StartError;

/// A part of the API, as a rule names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ApiGroup {
    /// Such as `state`.
    pub(crate) name: &'static str,
    /// `v1` or `v1alpha1`.
    pub(crate) version: &'static str,
}

/// What may be called. Without rules it is everything.
#[derive(Debug, Default)]
pub(crate) struct ApiAccess {
    allowed: Vec<Rule>,
    denied: Vec<Rule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ApiText {
    allowed: Vec<Rule>,
    denied: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    name: String,
    version: String,
    #[serde(default = "http")]
    protocol: String,
}

fn http() -> String {
    "http".into()
}

/// Dapr's names for the parts of its API; those that are not served here may be named all the same.
const NAMES: [&str; 17] = [
    "actors",
    "bindings",
    "configuration",
    "conversation",
    "crypto",
    "healthz",
    "invoke",
    "jobs",
    "lock",
    "metadata",
    "publish",
    "secrets",
    "shutdown",
    "state",
    "subtlecrypto",
    "unlock",
    "workflows",
];

impl ApiAccess {
    pub(super) fn new(text: ApiText, location: &Location) -> Result<Self, StartError> {
        let mut access = Self { allowed: text.allowed, denied: text.denied };
        for rule in access.allowed.iter_mut().chain(&mut access.denied) {
            if !NAMES.contains(&rule.name.as_str()) {
                let names = NAMES.join(", ");
                return Err(location.refuse(format!("`spec.api`: `name` is `{}`; expected one of {names}", rule.name)));
            }
            rule.version = rule.version.replace("v1.0-", "v1").replace("v1.0", "v1");
            if !matches!(rule.version.as_str(), "v1" | "v1alpha1" | "v1beta1") {
                let message =
                    format!("`spec.api`: `version` is `{}`; expected `v1`, `v1alpha1` or `v1beta1`", rule.version);
                return Err(location.refuse(message));
            }
        }
        // There is no other API than that over HTTP.
        access.allowed.retain(|rule| rule.protocol == "http");
        access.denied.retain(|rule| rule.protocol == "http");
        Ok(access)
    }

    /// Whether a call of `group` is served. A rule that denies goes before one that allows.
    pub(crate) fn allows(&self, group: ApiGroup) -> bool {
        let names = |rules: &[Rule]| rules.iter().any(|rule| rule.name == group.name && rule.version == group.version);
        !names(&self.denied) && (self.allowed.is_empty() || names(&self.allowed))
    }
}
