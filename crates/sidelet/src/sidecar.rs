//! What every request needs to see.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::{
    api::Invoker,
    apps,
    config::AppAddress,
    consumers::Consumers,
    cron::CronBindings,
    jobs::Jobs,
    metrics::Metrics,
    pubsub::PubSub,
    resiliency::Guards,
    resources::{ApiLog, Resources},
    state::StateStore,
    streams::Streams,
};

/// The parts of a running sidecar.
#[derive(Debug)]
pub(crate) struct Sidecar {
    /// The app that owns keys and publishes.
    pub(crate) app_id: String,
    /// What a caller must bring.
    pub(crate) api_token: Option<String>,
    /// Longest request body.
    pub(crate) max_body_size: usize,
    /// How long a request body may take.
    pub(crate) body_timeout: Duration,
    /// State stores by name.
    pub(crate) stores: BTreeMap<String, StateStore>,
    /// Pub/sub components by name.
    pub(crate) pubsubs: Arc<BTreeMap<String, Arc<PubSub>>>,
    /// Topics as streams.
    pub(crate) streams: Streams,
    /// As they were read at the start.
    pub(crate) resources: Resources,
    /// Which calls are logged.
    pub(crate) api_log: ApiLog,
    /// What is measured.
    pub(crate) metrics: Arc<Metrics>,
    /// The way into apps for callers of the API.
    pub(crate) invoker: Invoker,
    /// What the resiliency documents say of calls that somebody waits for.
    pub(crate) guards: Arc<Guards>,
    /// What brings messages to the apps.
    pub(crate) consumers: Arc<Consumers>,
    /// What apps are to be called with at a time.
    pub(crate) jobs: Arc<Jobs>,
    /// What apps are called with by a schedule of the files.
    pub(crate) cron: CronBindings,
    /// Apps by id.
    pub(crate) apps: BTreeMap<String, AppAddress>,
    /// What apps have told about themselves.
    pub(crate) labels: Mutex<BTreeMap<String, String>>,
    /// Whether the app has been seen.
    pub(crate) readiness: Readiness,
    /// Cancelled when an app asks for the end.
    pub(crate) asked_to_stop: CancellationToken,
}

/// Whether the app's port has accepted, once.
#[derive(Debug)]
pub(crate) struct Readiness {
    awaited: Option<AppAddress>,
    seen: AtomicBool,
}

impl Readiness {
    pub(crate) fn new(awaited: Option<AppAddress>) -> Self {
        Self { awaited, seen: AtomicBool::new(false) }
    }

    /// Looks, unless it was seen before: between two questions nothing is done.
    pub(crate) async fn is_ready(&self) -> bool {
        let Some(app) = &self.awaited else { return true };
        if !self.seen.load(Ordering::Relaxed) {
            self.seen.fetch_or(apps::accepts(app).await, Ordering::Relaxed);
        }
        self.seen.load(Ordering::Relaxed)
    }
}
