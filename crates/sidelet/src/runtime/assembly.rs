//! From what the files say to stores and logs.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::stores::{self, Remote};

#[cfg(feature = "kafka")]
use crate::kafka::Cluster;
#[cfg(feature = "postgres")]
use crate::resources::{Keeper, StateSettings};
use crate::{
    api::Invoker,
    config::Config,
    consumers::Consumers,
    cron::CronBindings,
    delivery::Caller,
    error::StartError,
    jobs::{JobStore, Jobs},
    metrics::Metrics,
    pubsub::PubSub,
    resiliency::{Guards, Resiliency},
    resources::{ApiLog, Resources, Settings, Subscription},
    sidecar::{Readiness, Sidecar},
    sqlite::{Database, FileLock, Place, Retention},
    store::{OpenError, StoreError},
    streams::Streams,
};

/// Everything but the port.
pub(super) struct Parts {
    pub(super) sidecar: Arc<Sidecar>,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) resiliency: Resiliency,
    pub(super) databases: Databases,
}

/// What is closed last.
#[derive(Debug)]
pub(crate) struct Databases {
    local: Vec<Arc<Database>>,
    remote: Remote,
}

impl Databases {
    /// Publishes what is under way, and closes everything. Says whether it was in time.
    pub(super) async fn close(&self, deadline: Instant) -> bool {
        let ended = self.remote.close(deadline).await;
        for database in &self.local {
            database.close().await;
        }
        ended
    }
}

/// Checks what needs no file.
pub(super) fn check(config: &Config) -> Result<(), StartError> {
    let refuse = |message: String| Err(StartError::Arguments { message });
    if config.listen.is_empty() {
        return refuse("there is no address to listen on; expected at least one".into());
    }
    if config.app_id.is_empty() || config.app_id.contains("||") {
        return refuse(format!("the app id is `{}`; expected a name without `||`", config.app_id));
    }
    if let Some(app) = &config.awaited_app
        && !config.apps.contains_key(app)
    {
        return refuse(format!("the app to wait for is `{app}`, which has no address"));
    }
    Ok(())
}

/// The files of a sidecar, which no other process has.
pub(super) type Locks = HashMap<Place, FileLock>;

/// Takes the locks of all files, or none: then it gives the file that another process has.
pub(super) fn lock(resources: &Resources) -> Result<Result<Locks, PathBuf>, StartError> {
    let mut locks = Locks::new();
    for place in resources.components.iter().filter_map(|component| component.settings.place()) {
        if let Place::File(path) = place
            && !locks.contains_key(place)
        {
            match FileLock::try_take(path).map_err(not_opened)? {
                Some(lock) => drop(locks.insert(place.clone(), lock)),
                None => return Ok(Err(path.clone())),
            }
        }
    }
    Ok(Ok(locks))
}

/// Another process has a file.
pub(super) fn in_use(path: &Path) -> StartError {
    not_opened(OpenError::new(path.display(), "another process is using it; stop that one first"))
}

fn not_opened(error: OpenError) -> StartError {
    StartError::Store { message: error.to_string() }
}

/// Opens the stores and makes topics. On an error everything is closed again.
pub(super) async fn assemble(config: &Config, mut resources: Resources, locks: Locks) -> Result<Parts, StartError> {
    let (subscriptions, resiliency) =
        (std::mem::take(&mut resources.subscriptions), std::mem::take(&mut resources.resiliency));
    let components = resources.components.iter().map(|component| component.name.as_str());
    let metrics = Arc::new(Metrics::new(&config.app_id, &resources.configuration.metrics, components));
    let databases = open(config, &resources, &metrics, locks)?;
    let mut remote = Remote::default();
    let built = build(config, resources, &databases, &mut remote, metrics).await;
    let databases = Databases { local: databases.into_values().collect(), remote };
    match built {
        Ok(sidecar) => Ok(Parts { sidecar, subscriptions, resiliency, databases }),
        Err(error) => {
            databases.close(Instant::now()).await;
            Err(error)
        }
    }
}

/// One database for each place, whoever names it.
fn open(
    config: &Config,
    resources: &Resources,
    metrics: &Metrics,
    mut locks: Locks,
) -> Result<HashMap<Place, Arc<Database>>, StartError> {
    let mut places: BTreeMap<Place, Vec<Retention>> = BTreeMap::new();
    places.insert(job_place(resources), Vec::new());
    for component in &resources.components {
        if let Some(place) = component.settings.place() {
            let retentions = places.entry(place.clone()).or_default();
            if let Settings::Log(log) = &component.settings {
                retentions.push(Retention { pubsub: component.name.clone(), keep: log.retention });
            }
        }
    }
    let mut databases = HashMap::new();
    for (place, mut retentions) in places {
        if config.keeps_old_messages {
            retentions.clear();
        }
        let lock = locks.remove(&place);
        let database = Database::open(&place, lock, retentions, metrics.queries()).map_err(not_opened)?;
        databases.insert(place, database);
    }
    Ok(databases)
}

/// The SQLite database of the jobs: the first file that a component names. Memory, too, where they are in PostgreSQL.
fn job_place(resources: &Resources) -> Place {
    let mut places = resources.components.iter().filter_map(|component| component.settings.place());
    places.find(|place| matches!(place, Place::File(_))).cloned().unwrap_or(Place::Memory)
}

/// Whether jobs are kept in PostgreSQL: whether that is named before any file is.
#[cfg(feature = "postgres")]
fn jobs_are_remote(resources: &Resources) -> bool {
    let mut kept =
        resources.components.iter().filter_map(|component| match (&component.settings, component.settings.place()) {
            (_, Some(Place::File(_))) => Some(false),
            (Settings::State(StateSettings { keeper: Keeper::Postgres(_), .. }), _) => Some(true),
            _ => None,
        });
    kept.next().unwrap_or(false)
}

async fn build(
    config: &Config,
    resources: Resources,
    databases: &HashMap<Place, Arc<Database>>,
    remote: &mut Remote,
    metrics: Arc<Metrics>,
) -> Result<Arc<Sidecar>, StartError> {
    let mut pubsubs = BTreeMap::new();
    for component in &resources.components {
        #[cfg(feature = "kafka")]
        if let Settings::Kafka(settings) = &component.settings {
            let cluster = Cluster::new(&component.name, settings.as_ref().clone());
            pubsubs.insert(component.name.clone(), Arc::new(PubSub::in_kafka(component.name.clone(), cluster)));
        }
        if let Settings::Log(log) = &component.settings {
            let database = databases[&log.place].clone();
            let pubsub = PubSub::in_database(component.name.clone(), database, log.partitions);
            pubsubs.insert(component.name.clone(), Arc::new(pubsub));
        }
    }
    let pubsubs = Arc::new(pubsubs);
    let stores = stores::open(config, &resources.components, databases, &pubsubs, &metrics, remote).await?;
    let token = config.app_token.as_deref().filter(|token| !token.is_empty());
    let caller = Caller::new(token, metrics.clone()).map_err(|_| StartError::Arguments {
        message: "the app token cannot be sent in a header; expected visible letters".into(),
    })?;
    let guarded = resources.components.iter().filter_map(|part| Some((part.name.clone(), part.settings.kind()?)));
    let guards = Arc::new(Guards::new(config.apps.keys().cloned().collect(), guarded.collect()));
    let invoker = Invoker::new(caller.token());
    let place = job_place(&resources);
    let store = JobStore::Sqlite(databases[&place].clone());
    #[cfg(feature = "postgres")]
    let store = match remote.shared.first().filter(|_| jobs_are_remote(&resources)) {
        Some(database) => JobStore::Postgres(database),
        None => store,
    };
    let shared = !matches!(store, JobStore::Sqlite(_));
    if place == Place::Memory && !shared {
        tracing::info!("no component names a file or a database: jobs are kept in memory, and end with the process");
    }
    let cron = CronBindings::new(&resources.components, &config.apps, &store, &caller);
    let jobs = Jobs::open(store, caller.clone(), &config.app_id, &config.apps).await.map_err(failed)?;
    let jobs = Arc::new(jobs);
    #[cfg(feature = "postgres")]
    remote.shared.listen(Some(jobs.clone()).filter(|_| shared));
    let consumers = Consumers::new(config.apps.clone(), pubsubs.clone(), caller, guards.clone());
    let awaited = config.awaited_app.as_ref().and_then(|app| config.apps.get(app)).cloned();
    let log = resources.configuration.api_log;
    let sidecar = Sidecar {
        app_id: config.app_id.clone(),
        api_token: config.api_token.clone().filter(|token| !token.is_empty()),
        max_body_size: config.max_body_size,
        body_timeout: config.body_timeout,
        stores,
        pubsubs,
        streams: Streams::new(config.stream_heartbeat),
        api_log: ApiLog { enabled: config.api_log.unwrap_or(log.enabled), ..log },
        metrics,
        invoker,
        resources,
        guards,
        consumers,
        jobs,
        cron,
        apps: config.apps.clone(),
        labels: Mutex::default(),
        readiness: Readiness::new(awaited),
        asked_to_stop: CancellationToken::new(),
    };
    Ok(Arc::new(sidecar))
}

pub(super) fn failed(error: StoreError) -> StartError {
    StartError::Store { message: error.to_string() }
}
