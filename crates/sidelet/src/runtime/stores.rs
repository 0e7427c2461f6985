//! The state stores, and what publishes their transactions.

#[cfg(feature = "postgres")]
mod shared;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use tokio::time::Instant;

use super::assembly::failed;
use crate::{
    config::Config,
    error::StartError,
    metrics::Metrics,
    outbox::{Relay, Source},
    pubsub::PubSub,
    resources::{Component, Keeper as Place, Settings, StateSettings, Target},
    sqlite::{self, Database},
    state::{Keeper, Publishes, StateStore},
};

#[cfg(feature = "postgres")]
use shared::SharedDatabases;

/// Databases elsewhere, and what publishes their transactions.
#[derive(Debug, Default)]
pub(super) struct Remote {
    #[cfg(feature = "postgres")]
    pub(super) shared: SharedDatabases,
    /// The relays of SQLite databases whose pub/sub is elsewhere.
    local: HashMap<sqlite::Place, Arc<Relay>>,
}

impl Remote {
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

    /// Ends the relays, and then the connections. Says whether the relays ended in time.
    pub(super) async fn close(&self, deadline: Instant) -> bool {
        let mut ended = true;
        for relay in self.local.values() {
            ended &= relay.shutdown(deadline).await;
        }
        #[cfg(feature = "postgres")]
        let ended = self.shared.close(deadline).await && ended;
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
            #[cfg(feature = "postgres")]
            Place::Postgres(settings) => {
                let publishes = outbox.is_some().then_some(pubsubs);
                remote.shared.keeper(settings, publishes, metrics).await?
            }
        };
        let store = StateStore::new(component.name.clone(), keeper, prefix, &config.app_id, outbox.clone());
        stores.insert(component.name.clone(), store);
    }
    Ok(stores)
}
