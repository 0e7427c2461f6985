//! Subscriptions: both versions of the document, and what an app answers on `/dapr/subscribe`.

mod programmatic;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::Value;

use super::document::{Document, Location};
use crate::{config::Config, error::StartError, expression::Expression};

pub(crate) use programmatic::read_answer;

/// One subscription.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    /// Part of the consumer groups' names: the document's name, or `<pubsub>/<topic>` of an app's own.
    pub(crate) name: String,
    /// The pub/sub component.
    pub(crate) pubsub: String,
    /// The topic.
    pub(crate) topic: String,
    /// Where messages are posted: the first that takes one.
    pub(crate) routes: Arc<[Route]>,
    /// Where messages go that the app will not take.
    pub(crate) dead_letter_topic: Option<String>,
    /// Many messages with one call.
    pub(crate) bulk: Option<Bulk>,
    /// What comes is no envelope and gets one.
    pub(crate) raw_payload: bool,
    /// The apps that get the messages, each all of them.
    pub(crate) apps: Vec<String>,
    /// Who says so.
    pub(crate) origin: Origin,
}

/// Where a subscription comes from.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// A document.
    Declared(Location),
    /// The app itself.
    Programmatic,
}

/// A path, and which events it takes.
#[derive(Debug, PartialEq)]
pub(crate) struct Route {
    /// None: all.
    pub(crate) rule: Option<Expression>,
    /// The path to which messages are posted.
    pub(crate) path: String,
}

/// How many messages one call may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bulk {
    /// At most so many.
    pub(crate) count: usize,
    /// The first of a call waits no longer than this for others.
    pub(crate) wait: Duration,
}

/// As Dapr's defaults.
const BULK_COUNT: usize = 100;
const BULK_WAIT: Duration = Duration::from_secs(1);
/// More would be too long a body for most apps, and too long a wait for the last.
const BULK_COUNT_MAX: i64 = 1000;
const BULK_WAIT_MAX: i64 = 60_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    topic: String,
    #[serde(alias = "pubsubName")]
    pubsubname: String,
    #[serde(default)]
    route: Option<String>,
    #[serde(default)]
    routes: Option<RoutesText>,
    #[serde(default)]
    dead_letter_topic: Option<String>,
    #[serde(default)]
    bulk_subscribe: Option<BulkText>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, Value>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoutesText {
    #[serde(default)]
    default: Option<String>,
    #[serde(default)]
    rules: Option<Vec<RuleText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    #[serde(default, rename = "match")]
    condition: Option<String>,
    path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BulkText {
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    max_messages_count: Option<i64>,
    #[serde(default)]
    max_await_duration_ms: Option<i64>,
}

impl Subscription {
    pub(super) fn read(mut document: Document, config: &Config) -> Result<Self, StartError> {
        let spec: Spec = document.spec()?;
        let routes = match document.api_version.as_str() {
            "dapr.io/v1alpha1" => match spec.route.clone().filter(|route| !route.is_empty()) {
                Some(route) => routes(Some(route), None, "`spec.route`"),
                None => Err("`spec.route` is missing; expected a path such as `/events/task`".into()),
            },
            "dapr.io/v2alpha1" => routes(None, spec.routes.as_ref(), "`spec.routes.default`"),
            other => Err(format!("`apiVersion` is `{other}`; expected `dapr.io/v1alpha1` or `dapr.io/v2alpha1`")),
        };
        let apps = config.apps.keys().filter(|app| document.scopes.is_empty() || document.scopes.contains(app));
        let apps = apps.cloned().collect();
        let name = document.name.clone();
        let subscription =
            routes.and_then(|routes| Self::new(spec, name, routes, apps, Origin::Declared(document.location.clone())));
        subscription.map_err(|reason| document.location.refuse(format!("subscription `{}`: {reason}", document.name)))
    }

    fn new(spec: Spec, name: String, routes: Arc<[Route]>, apps: Vec<String>, origin: Origin) -> Result<Self, String> {
        if spec.topic.is_empty() {
            return Err("`spec.topic` is empty; expected a topic".into());
        }
        let raw_payload = raw_payload(spec.metadata.unwrap_or_default(), &name)?;
        let bulk = spec.bulk_subscribe.filter(|bulk| bulk.enabled).map(Bulk::read).transpose()?;
        Ok(Self {
            pubsub: spec.pubsubname,
            topic: spec.topic,
            routes,
            dead_letter_topic: spec.dead_letter_topic.filter(|topic| !topic.is_empty()),
            bulk,
            raw_payload,
            apps,
            name,
            origin,
        })
    }
}

/// Rules in their order, and last what takes the rest: `routes.default`, or else `route`.
fn routes(route: Option<String>, text: Option<&RoutesText>, form: &str) -> Result<Arc<[Route]>, String> {
    let mut routes = Vec::new();
    let rules = text.and_then(|text| text.rules.as_deref()).unwrap_or_default();
    for (index, rule) in rules.iter().enumerate() {
        let at = |reason: String| format!("`routes.rules[{index}]`: {reason}");
        let condition = rule.condition.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let compiled = condition.map(|text| Expression::compile(text, &["event"])).transpose().map_err(at)?;
        routes.push(Route { rule: compiled, path: path(&rule.path).map_err(at)? });
    }
    let default = text.and_then(|text| text.default.clone()).filter(|path| !path.is_empty()).or(route);
    if let Some(default) = default {
        routes.push(Route { rule: None, path: path(&default).map_err(|reason| format!("{form}: {reason}"))? });
    }
    if routes.is_empty() {
        return Err(format!("{form} is missing; expected a path such as `/events/task`"));
    }
    Ok(routes.into())
}

fn path(text: &str) -> Result<String, String> {
    let whole = format!("/{}", text.trim_start_matches('/'));
    if text.is_empty() || whole.parse::<http::uri::PathAndQuery>().is_err() {
        return Err(format!("the path is `{text}`; expected one such as `/events/task`"));
    }
    Ok(text.to_owned())
}

fn raw_payload(metadata: BTreeMap<String, Value>, name: &str) -> Result<bool, String> {
    let mut raw = false;
    for (key, value) in metadata {
        if !key.eq_ignore_ascii_case("rawPayload") {
            tracing::info!(subscription = name, key, "a metadata key of a subscription has no effect here");
            continue;
        }
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_ascii_lowercase);
        raw = match text.as_str() {
            "true" | "1" | "t" => true,
            "" | "false" | "0" | "f" => false,
            _ => return Err(format!("metadata `rawPayload` is `{text}`; expected `true` or `false`")),
        };
    }
    Ok(raw)
}

impl Bulk {
    fn read(text: BulkText) -> Result<Self, String> {
        let within = |key: &str, value: Option<i64>, most: i64| match value {
            // Dapr takes 0 for its default.
            None | Some(0) => Ok(None),
            Some(value) if (1..=most).contains(&value) => Ok(usize::try_from(value).ok()),
            Some(value) => Err(format!("`bulkSubscribe.{key}` is `{value}`; expected a number from 1 to {most}")),
        };
        let count = within("maxMessagesCount", text.max_messages_count, BULK_COUNT_MAX)?;
        let wait = within("maxAwaitDurationMs", text.max_await_duration_ms, BULK_WAIT_MAX)?;
        Ok(Self {
            count: count.unwrap_or(BULK_COUNT),
            wait: wait.map_or(BULK_WAIT, |wait| Duration::from_millis(wait as u64)),
        })
    }
}
