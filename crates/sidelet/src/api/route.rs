//! Which call of the API a request is.

use std::borrow::Cow;

use http::Method;

use super::{invoke::Target, request::Call};
use crate::{resources::ApiGroup, sidecar::Sidecar};

/// A call of the API, with what its path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    GetHealth,
    GetOutboundHealth,
    GetMetadata,
    PutMetadata {
        label: String,
    },
    Shutdown,
    SaveState {
        store: String,
    },
    GetBulkState {
        store: String,
    },
    ExecuteStateTransaction {
        store: String,
    },
    GetState {
        store: String,
        key: String,
    },
    DeleteState {
        store: String,
        key: String,
    },
    BulkPublish {
        pubsub: String,
        topic: String,
    },
    Publish {
        pubsub: String,
        topic: String,
    },
    GetSecret {
        store: String,
        key: String,
    },
    GetBulkSecret {
        store: String,
    },
    ScheduleJob {
        name: String,
    },
    GetJob {
        name: String,
    },
    DeleteJob {
        name: String,
    },
    InvokeBinding {
        name: String,
    },
    /// A topic as a stream; none of Dapr's calls.
    Subscribe {
        pubsub: String,
        topic: String,
    },
    /// What operators ask for; none of Dapr's calls.
    Operate,
    Invoke(Target),
    /// Dapr takes it for an invocation that names no app.
    Unknown,
}

impl Route {
    /// Finds the call of a request. Only what no other call matches is an invocation by header.
    pub(super) fn of(call: &Call) -> Self {
        let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
        let own = |name: &str| name.to_owned();
        let post = call.method == Method::POST || call.method == Method::PUT;
        let invoked = call.headers.contains_key("dapr-app-id");
        match (call.method.as_str(), segments.as_slice()) {
            ("GET", ["v1.0", "healthz"]) => Self::GetHealth,
            ("GET", ["v1.0", "healthz", "outbound"]) => Self::GetOutboundHealth,
            ("GET", ["v1.0", "metadata"]) => Self::GetMetadata,
            ("PUT", ["v1.0", "metadata", label]) => Self::PutMetadata { label: own(label) },
            ("POST", ["v1.0", "shutdown"]) => Self::Shutdown,
            (_, ["v1.0", "state", store]) if post => Self::SaveState { store: own(store) },
            (_, ["v1.0", "state", store, "bulk"]) if post => Self::GetBulkState { store: own(store) },
            (_, ["v1.0", "state", store, "transaction"]) if post => Self::ExecuteStateTransaction { store: own(store) },
            ("GET", ["v1.0", "state", store, key]) => Self::GetState { store: own(store), key: own(key) },
            ("DELETE", ["v1.0", "state", store, key]) => Self::DeleteState { store: own(store), key: own(key) },
            (_, ["v1.0" | "v1.0-alpha1", "publish", "bulk", pubsub, topic @ ..]) if post && named(topic) => {
                Self::BulkPublish { pubsub: own(pubsub), topic: topic.join("/") }
            }
            (_, ["v1.0", "publish", pubsub, topic @ ..]) if post && named(topic) => {
                Self::Publish { pubsub: own(pubsub), topic: topic.join("/") }
            }
            ("GET", ["v1.0", "secrets", store, "bulk"]) => Self::GetBulkSecret { store: own(store) },
            ("GET", ["v1.0", "secrets", store, key]) => Self::GetSecret { store: own(store), key: own(key) },
            (_, ["v1.0" | "v1.0-alpha1", "jobs", name]) if post => Self::ScheduleJob { name: own(name) },
            ("GET", ["v1.0" | "v1.0-alpha1", "jobs", name]) => Self::GetJob { name: own(name) },
            ("DELETE", ["v1.0" | "v1.0-alpha1", "jobs", name]) => Self::DeleteJob { name: own(name) },
            (_, ["v1.0", "bindings", name]) if post => Self::InvokeBinding { name: own(name) },
            ("GET", ["sidelet", "v1", "subscribe", pubsub, topic @ ..]) if !invoked && named(topic) => {
                Self::Subscribe { pubsub: own(pubsub), topic: topic.join("/") }
            }
            (_, ["sidelet", "v1", ..]) if !invoked => Self::Operate,
            _ => Target::of(call).map_or(Self::Unknown, Self::Invoke),
        }
    }

    /// Dapr's name of the call, for the log and the metrics. It holds nothing that a caller may choose.
    pub(super) fn name(&self, sidecar: &Sidecar) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::GetHealth => "Healthz",
            Self::GetOutboundHealth => "HealthzOutbound",
            Self::GetMetadata => "GetMetadata",
            Self::PutMetadata { .. } => "PutMetadata",
            Self::Shutdown => "Shutdown",
            Self::SaveState { .. } => "SaveState",
            Self::GetBulkState { .. } => "GetBulkState",
            Self::ExecuteStateTransaction { .. } => "ExecuteStateTransaction",
            Self::GetState { .. } => "GetState",
            Self::DeleteState { .. } => "DeleteState",
            Self::BulkPublish { .. } => "BulkPublishEvent",
            Self::Publish { .. } => "PublishEvent",
            Self::GetSecret { .. } => "GetSecret",
            Self::GetBulkSecret { .. } => "GetBulkSecret",
            Self::ScheduleJob { .. } => "ScheduleJob",
            Self::GetJob { .. } => "GetJob",
            Self::DeleteJob { .. } => "DeleteJob",
            Self::InvokeBinding { .. } => "InvokeOutputBinding",
            Self::Subscribe { .. } => "Subscribe",
            Self::Operate => "Operate",
            Self::Invoke(target) if sidecar.apps.contains_key(&target.app) => {
                return Cow::Owned(format!("InvokeService/{}", target.app));
            }
            Self::Invoke(_) | Self::Unknown => "InvokeService",
        })
    }

    /// The part of the API by which a configuration allows or denies the call.
    pub(super) fn group(&self, call: &Call) -> ApiGroup {
        let name = match self {
            Self::GetHealth | Self::GetOutboundHealth => "healthz",
            Self::GetMetadata | Self::PutMetadata { .. } => "metadata",
            Self::Shutdown => "shutdown",
            Self::SaveState { .. }
            | Self::GetBulkState { .. }
            | Self::ExecuteStateTransaction { .. }
            | Self::GetState { .. }
            | Self::DeleteState { .. } => "state",
            Self::BulkPublish { .. } | Self::Publish { .. } => "publish",
            Self::GetSecret { .. } | Self::GetBulkSecret { .. } => "secrets",
            Self::ScheduleJob { .. } | Self::GetJob { .. } | Self::DeleteJob { .. } => "jobs",
            Self::InvokeBinding { .. } => "bindings",
            Self::Subscribe { .. } | Self::Operate => "sidelet",
            Self::Invoke(_) | Self::Unknown => "invoke",
        };
        let alpha = call.segments.first().is_some_and(|version| version == "v1.0-alpha1");
        ApiGroup { name, version: if alpha && (name == "publish" || name == "jobs") { "v1alpha1" } else { "v1" } }
    }

    /// Health is for everyone, and at times not worth a line in the log.
    pub(super) fn is_health(&self) -> bool {
        matches!(self, Self::GetHealth | Self::GetOutboundHealth)
    }
}

/// Whether a rest of a path names a topic.
fn named(topic: &[&str]) -> bool {
    topic.iter().any(|part| !part.is_empty())
}
