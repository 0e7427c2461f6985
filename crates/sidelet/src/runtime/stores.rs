//! The state stores, and what publishes their transactions.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::assembly::failed;
use crate::{
    config::Config,
    error::StartError,
    jobs::Jobs,
    metrics::Metrics,
    outbox::{Relay, Source},
    postgres::{self, Hearer, WORD},
    pubsub::PubSub,
    resources::{Component, Keeper as Place, Settings, StateSettings, Target},
    sqlite::{self, Database},
    state::{Keeper, Publishes, StateStore},
    store::StoreError,
};

/// How long the start waits for a database that may be away. It serves without it then.
const PATIENCE: Duration = Duration::from_secs(2);

/// Databases elsewhere, and what publishes their transactions.
#[derive(Debug, Default)]
pub(super) struct Remote {
    shared: Vec<Shared>,
    /// The relays of SQLite databases whose pub/sub is elsewhere.
    local: HashMap<sqlite::Place, Arc<Relay>>,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Shared {
    settings: postgres::Settings,
    database: Arc<postgres::Database>,
    relay: Option<Arc<Relay>>,
}

/// Who hears what other replicas tell.
struct Ears {
    database: Arc<postgres::Database>,
    relay: Option<Arc<Relay>>,
    jobs: Option<Arc<Jobs>>,
}

impl Hearer for Ears {
    async fn begin(&self) -> Result<(), StoreError> {
        if let Some(relay) = &self.relay {
            relay.committed();
        }
        match &self.jobs {
            Some(jobs) => jobs.learn().await,
            None => Ok(()),
        }
    }

    fn hear(&self, word: &str) {
        if word == WORD {
            self.relay.iter().for_each(|relay| relay.heard());
        } else if let (Some(jobs), Some(told)) = (&self.jobs, self.database.told(word)) {
            jobs.hear(&told.app, told.id, told.due);
        }
    }
}

impl Remote {
    /// The database of some settings, which components share that say the same.
    async fn open(&mut self, settings: &postgres::Settings, metrics: &Metrics) -> Result<&mut Shared, StartError> {
        if let Some(known) = self.shared.iter().position(|shared| shared.settings == *settings) {
            return Ok(&mut self.shared[known]);
        }
        let opened = postgres::Database::new(settings.clone(), metrics.queries());
        let database = opened.map_err(|error| StartError::Store { message: error.to_string() })?;
        // It is not broken off: it may be bringing the tables up to date.
        let preparing = database.clone();
        let prepared = tokio::spawn(async move { preparing.prepare().await });
        match timeout(PATIENCE, prepared).await.map(|ended| ended.unwrap_or(Ok(()))) {
            Ok(Ok(())) => {}
            Ok(Err(error @ StoreError::Unavailable { .. })) => {
                tracing::warn!(database = database.place(), %error, "a database is away; it is used as soon as it is there");
            }
            Ok(Err(error)) => {
                let message = format!("could not open the database `{}`: {error}", database.place());
                return Err(StartError::Store { message });
            }
            Err(_) => {
                tracing::warn!(
                    database = database.place(),
                    "a database does not answer; it is used as soon as it does"
                );
            }
        }
        self.shared.push(Shared { settings: settings.clone(), database, relay: None });
        Ok(self.shared.last_mut().expect("it was put there"))
    }

    /// The relay of a SQLite database.
    fn relay(
        &mut self,
        place: &sqlite::Place,
        database: &Arc<Database>,
        pubsubs: &Arc<BTreeMap<String, Arc<PubSub>>>,
    ) -> Arc<Relay> {
        let start = || Relay::start(Source::Sqlite(database.clone()), pubsubs.clone());
        self.local.entry(place.clone()).or_insert_with(start).clone()
    }

    /// Begins to hear what other replicas tell. `jobs` are those of the first database.
    pub(super) fn listen(&self, jobs: Option<Arc<Jobs>>) {
        let all = [jobs].into_iter().chain(std::iter::repeat_with(|| None));
        for (Shared { database, relay, .. }, jobs) in self.shared.iter().zip(all) {
            if relay.is_some() || jobs.is_some() {
                let ears = Ears { database: database.clone(), relay: relay.clone(), jobs };
                postgres::listen(database.clone(), ears, self.stop.clone());
            }
        }
    }

    /// The database of the first component that names one.
    pub(super) fn first(&self) -> Option<Arc<postgres::Database>> {
        self.shared.first().map(|shared| shared.database.clone())
    }

    /// Ends the relays, and then the connections. Says whether the relays ended in time.
    pub(super) async fn close(&self, deadline: Instant) -> bool {
        self.stop.cancel();
        let mut ended = true;
        for relay in self.local.values() {
            ended &= relay.shutdown(deadline).await;
        }
        for shared in &self.shared {
            if let Some(relay) = &shared.relay {
                ended &= relay.shutdown(deadline).await;
            }
            shared.database.close();
        }
        ended
    }
}

/// Opens the state stores among `components`.
pub(super) async fn open(
    config: &Config,
    components: &[Component],
    databases: &HashMap<sqlite::Place, Arc<Database>>,
    pubsubs: &Arc<BTreeMap<String, Arc<PubSub>>>,
    metrics: &Metrics,
    remote: &mut Remote,
) -> Result<BTreeMap<String, StateStore>, StartError> {
    let mut stores = BTreeMap::new();
    for component in components {
        let Settings::State(StateSettings { keeper, prefix, outbox }) = &component.settings else { continue };
        let keeper = match keeper {
            Place::Sqlite { place, table } => {
                let (database, table) = (databases[place].clone(), table.as_str().into());
                let here = |target: &Target| {
                    let log = components.iter().find(|component| component.name == *target.pubsub);
                    log.and_then(|log| log.settings.place()) == Some(place)
                };
                let publishes = match outbox {
                    None => Publishes::Nothing,
                    Some(target) if here(target) => {
                        Publishes::Here(pubsubs[&*target.pubsub].topic(&target.topic).await.map_err(failed)?)
                    }
                    Some(_) => Publishes::Elsewhere(remote.relay(place, &database, pubsubs)),
                };
                Keeper::Sqlite { database, table, publishes }
            }
            Place::Postgres(settings) => {
                let shared = remote.open(settings, metrics).await?;
                let relay = outbox.is_some().then(|| {
                    let start = || Relay::start(Source::Postgres(shared.database.clone()), pubsubs.clone());
                    shared.relay.get_or_insert_with(start).clone()
                });
                Keeper::Postgres { database: shared.database.clone(), relay }
            }
        };
        let store = StateStore::new(component.name.clone(), keeper, prefix, &config.app_id, outbox.clone());
        stores.insert(component.name.clone(), store);
    }
    Ok(stores)
}
