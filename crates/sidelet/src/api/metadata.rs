//! What the sidecar tells about itself.

use std::{collections::BTreeSet, sync::PoisonError};

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Refusal, empty, json as json_answer},
    request::Call,
};
use crate::{
    consumers::Listed,
    resources::{Origin, Route, Settings},
    sidecar::Sidecar,
};

/// Labels at most, so that callers cannot fill the memory.
const LABELS: usize = 100;

/// The release, under the name by which Dapr's tools look for a runtime's.
const VERSION: &str = concat!("sidelet-", env!("CARGO_PKG_VERSION"));

/// Components, subscriptions and labels, in Dapr's form.
pub(super) fn get_metadata(sidecar: &Sidecar) -> Answer {
    let components: Vec<Value> = sidecar
        .resources
        .components
        .iter()
        .map(|component| {
            let capabilities: &[&str] = match &component.settings {
                Settings::State(_) => &["ETAG", "TRANSACTIONAL", "TTL"],
                Settings::Secrets(secrets) if secrets.multi_valued => &["MULTIPLE_KEY_VALUES_PER_SECRET"],
                Settings::Cron(_) => &["INPUT_BINDING"],
                Settings::Output(_) => &["OUTPUT_BINDING"],
                _ => &[],
            };
            json!({
                "name": component.name,
                "type": component.kind,
                "version": component.version,
                "capabilities": capabilities,
            })
        })
        .collect();
    let subscriptions: Vec<Value> = subscriptions(&sidecar.consumers.listed());
    let mut extended = sidecar.labels.lock().unwrap_or_else(PoisonError::into_inner).clone();
    extended.insert("daprRuntimeVersion".into(), VERSION.into());
    let mut body = json!({
        "id": sidecar.app_id,
        "runtimeVersion": VERSION,
        "enabledFeatures": [],
        "components": components,
        "extended": extended,
        "subscriptions": subscriptions,
        "actorRuntime": { "runtimeStatus": "DISABLED", "hostReady": false, "activeActors": [], "placement": "" },
    });
    if let Some(app) = sidecar.apps.get(&sidecar.app_id) {
        body["appConnectionProperties"] = json!({
            "port": app.authority().port_u16().unwrap_or(80),
            "protocol": "http",
            "channelAddress": app.authority().host(),
        });
    }
    json_answer(StatusCode::OK, body.to_string())
}

/// Each subscription once, whatever the number of its apps.
fn subscriptions(groups: &[Listed]) -> Vec<Value> {
    let mut names = BTreeSet::new();
    let new = |group: &&Listed| match group.subscription.origin {
        Origin::Declared(_) => names.insert(group.subscription.name.clone()),
        Origin::Programmatic => true,
    };
    let rule = |route: &Route| match &route.rule {
        Some(rule) => json!({ "match": rule.text(), "path": route.path }),
        None => json!({ "path": route.path }),
    };
    let described = groups.iter().filter(new).map(|Listed { subscription, .. }| {
        json!({
            "pubsubname": subscription.pubsub,
            "topic": subscription.topic,
            "rules": subscription.routes.iter().map(rule).collect::<Vec<_>>(),
            "deadLetterTopic": subscription.dead_letter_topic.as_deref().unwrap_or_default(),
            "type": match subscription.origin {
                Origin::Declared(_) => "DECLARATIVE",
                Origin::Programmatic => "PROGRAMMATIC",
            },
        })
    });
    described.collect()
}

/// Notes one label.
pub(super) async fn put_label(sidecar: &Sidecar, label: String, call: &mut Call) -> Result<Answer, Refusal> {
    let body = call.body(sidecar).await?;
    let mut labels = sidecar.labels.lock().unwrap_or_else(PoisonError::into_inner);
    if labels.len() >= LABELS && !labels.contains_key(&label) {
        return Err(Refusal::malformed("there are too many labels"));
    }
    labels.insert(label, String::from_utf8_lossy(&body).into_owned());
    Ok(empty())
}
