//! Subscriptions, in both versions of the document.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::document::{Document, Location};
use crate::{config::Config, error::StartError};

/// One subscription.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// The document's name; part of the consumer groups' names.
    pub(crate) name: String,
    /// The pub/sub component.
    pub(crate) pubsub: String,
    /// The topic.
    pub(crate) topic: String,
    /// The path to which messages are posted.
    pub(crate) route: String,
    /// Where messages go that the app will not take.
    pub(crate) dead_letter_topic: Option<String>,
    /// The apps that get the messages, each all of them.
    pub(crate) apps: Vec<String>,
    /// The document.
    pub(crate) location: Location,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    topic: String,
    #[serde(alias = "pubsubName")]
    pubsubname: String,
    #[serde(default)]
    route: Option<String>,
    #[serde(default)]
    routes: Option<Routes>,
    #[serde(default)]
    dead_letter_topic: Option<String>,
    #[serde(default)]
    bulk_subscribe: Option<BulkSubscribe>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Routes {
    #[serde(default)]
    default: Option<String>,
    #[serde(default)]
    rules: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BulkSubscribe {
    #[serde(default)]
    enabled: bool,
}

impl Subscription {
    pub(super) fn read(mut document: Document, config: &Config) -> Result<Self, StartError> {
        let spec: Spec = document.spec()?;
        let refuse =
            |message: &str| Err(document.location.refuse(format!("subscription `{}`: {message}", document.name)));
        let routes = spec.routes.unwrap_or(Routes { default: None, rules: None });
        if routes.rules.is_some_and(|rules| !rules.is_empty()) {
            return refuse("`spec.routes.rules` is not served yet; expected `spec.routes.default` alone");
        }
        let (route, form) = match document.api_version.as_str() {
            "dapr.io/v1alpha1" => (spec.route, "`spec.route`"),
            "dapr.io/v2alpha1" => (routes.default, "`spec.routes.default`"),
            other => {
                return refuse(&format!(
                    "`apiVersion` is `{other}`; expected `dapr.io/v1alpha1` or `dapr.io/v2alpha1`"
                ));
            }
        };
        let Some(route) = route.filter(|route| !route.is_empty()) else {
            return refuse(&format!("{form} is missing; expected a path such as `/events/task`"));
        };
        if format!("/{}", route.trim_start_matches('/')).parse::<http::uri::PathAndQuery>().is_err() {
            return refuse(&format!("{form} is `{route}`; expected a path such as `/events/task`"));
        }
        if spec.topic.is_empty() {
            return refuse("`spec.topic` is empty; expected a topic");
        }
        if spec.bulk_subscribe.is_some_and(|bulk| bulk.enabled) {
            return refuse("`spec.bulkSubscribe.enabled` is not served yet; expected `false`");
        }
        if let Some(key) = spec.metadata.unwrap_or_default().keys().next() {
            return refuse(&format!("`spec.metadata.{key}` is not served yet; expected no metadata"));
        }
        let apps = config.apps.keys().filter(|app| document.scopes.is_empty() || document.scopes.contains(app));
        Ok(Self {
            pubsub: spec.pubsubname,
            topic: spec.topic,
            route,
            dead_letter_topic: spec.dead_letter_topic.filter(|topic| !topic.is_empty()),
            apps: apps.cloned().collect(),
            name: document.name,
            location: document.location,
        })
    }
}
