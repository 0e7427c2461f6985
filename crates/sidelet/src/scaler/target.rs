//! What a ScaledObject asks for, in the metadata of its trigger.

use tonic::Status;

use super::wire::ScaledObjectRef;
use crate::{consumers::Listed, sidecar::Sidecar};

/// Messages that are one replica's unless `lagThreshold` says it, as in KEDA's own scaler for Kafka.
const THRESHOLD: i64 = 10;

/// An app, or one topic of it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// The app's id.
    pub(super) app: String,
    /// The one topic that counts. None: all, and jobs and ticks too.
    pub(super) topic: Option<String>,
    /// Messages that are one replica's.
    pub(super) threshold: i64,
}

impl Target {
    /// Reads `app`, `topic` and `lagThreshold`; what KEDA adds of its own is left alone.
    pub(super) fn read(object: &ScaledObjectRef, sidecar: &Sidecar) -> Result<Self, Status> {
        let given = |key: &str| object.scaler_metadata.get(key).filter(|value| !value.is_empty());
        let refuse = |message: String| {
            let (namespace, name) = (&object.namespace, &object.name);
            tracing::warn!(scaled_object = %format!("{namespace}/{name}"), %message, "a trigger is refused");
            Status::invalid_argument(format!("ScaledObject `{namespace}/{name}`: {message}"))
        };
        let app = given("app").ok_or_else(|| {
            refuse(format!("the trigger's metadata has no `app`; set it to one of {}", list(sidecar.apps.keys())))
        })?;
        if !sidecar.apps.contains_key(app) {
            let known = list(sidecar.apps.keys());
            return Err(refuse(format!(
                "`app` is `{app}`, which this sidecar does not serve; set it to one of {known}"
            )));
        }
        let threshold = match given("lagThreshold") {
            None => THRESHOLD,
            Some(text) => text.parse().ok().filter(|threshold| *threshold > 0).ok_or_else(|| {
                refuse(format!("`lagThreshold` is `{text}`; expected a whole number from 1 on, such as \"10\""))
            })?,
        };
        let target = Self { app: app.clone(), topic: given("topic").cloned(), threshold };
        let listed = sidecar.consumers.listed();
        if let Some(topic) = &target.topic
            && !target.groups(&listed).any(|_| true)
        {
            let own = listed.iter().filter(|listed| listed.app == *app).map(|listed| &listed.subscription.topic);
            return Err(refuse(format!(
                "`topic` is `{topic}`, to which the app `{app}` does not subscribe; leave it out, or set it to one of {}",
                list(own)
            )));
        }
        Ok(target)
    }

    /// The consumer groups that count.
    pub(super) fn groups<'listed>(&self, listed: &'listed [Listed]) -> impl Iterator<Item = &'listed Listed> {
        listed.iter().filter(|listed| {
            listed.app == self.app && self.topic.as_ref().is_none_or(|topic| listed.subscription.topic == *topic)
        })
    }

    /// The name of the measure: a HorizontalPodAutoscaler shows it.
    pub(super) fn metric(&self) -> String {
        let parts = ["sidelet"].into_iter().chain([self.app.as_str()]).chain(self.topic.as_deref());
        parts.collect::<Vec<_>>().join("-")
    }
}

fn list<'name>(names: impl Iterator<Item = &'name String>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "(none)".into() } else { names.join(", ") }
}
