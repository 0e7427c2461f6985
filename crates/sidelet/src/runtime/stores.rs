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
    metrics::Metrics,
    outbox::Relay,
    postgres::{self, Hearer, WORD},
    pubsub::PubSub,
    resources::{Component, Keeper as Place, Settings, StateSettings},
    sqlite::{self, Database},
    state::{Keeper, StateStore},
    store::StoreError,
};

/// How long the start waits for a database that may be away. It serves without it then.
const PATIENCE: Duration = Duration::from_secs(2);

/// Databases elsewhere, and what publishes their transactions.
#[derive(Debug, Default)]
pub(super) struct Remote {
    shared: Vec<Shared>,
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
    relay: Option<Arc<Relay>>,
}

impl Hearer for Ears {
    async fn begin(&self) -> Result<(), StoreError> {
        if let Some(relay) = &self.relay {
            relay.committed();
        }
        Ok(())
    }

    fn hear(&self, word: &str) {
        if let Some(relay) = self.relay.as_ref().filter(|_| word == WORD) {
            relay.heard();
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
        match timeout(PATIENCE, database.prepare()).await {
            Ok(Ok(())) => {}
            Ok(Err(error @ (StoreError::Failed { .. } | StoreError::Conflict))) => {
                let message = format!("could not open the database `{}`: {error}", database.place());
                return Err(StartError::Store { message });
            }
            Ok(Err(error @ StoreError::Unavailable { .. })) => {
                tracing::warn!(database = database.place(), %error, "a database is away; it is used as soon as it is there");
            }
            Err(_) => {
                tracing::warn!(database = database.place(), "a database does not answer; it is used as soon as it does")
            }
        }
        self.shared.push(Shared { settings: settings.clone(), database, relay: None });
        Ok(self.shared.last_mut().expect("it was put there"))
    }

    /// Begins to hear what other replicas tell.
    pub(super) fn listen(&self) {
        for Shared { database, relay, .. } in &self.shared {
            if relay.is_some() {
                postgres::listen(database.clone(), Ears { relay: relay.clone() }, self.stop.clone());
            }
        }
    }

    /// Ends the relays, and then the connections. Says whether the relays ended in time.
    pub(super) async fn close(&self, deadline: Instant) -> bool {
        self.stop.cancel();
        let mut ended = true;
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
                let topic = match outbox {
                    Some(target) => Some(pubsubs[&*target.pubsub].topic(&target.topic).await.map_err(failed)?),
                    None => None,
                };
                Keeper::Sqlite { database: databases[place].clone(), table: table.as_str().into(), topic }
            }
            Place::Postgres(settings) => {
                let shared = remote.open(settings, metrics).await?;
                let relay = outbox.is_some().then(|| {
                    let start = || Relay::start(shared.database.clone(), pubsubs.clone());
                    shared.relay.get_or_insert_with(start).clone()
                });
                Keeper::Postgres { database: shared.database.clone(), relay }
            }
        };
        let store = StateStore::new(component.name.clone(), keeper, prefix, &config.app_id, outbox.clone());
        stores.insert(component.name.clone(), store);
    }
    remote.listen();
    Ok(stores)
}
