//! PostgreSQL databases, which replicas share.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    error::StartError,
    jobs::Jobs,
    metrics::Metrics,
    outbox::{Relay, Source},
    postgres::{self, Hearer, Told, WORD},
    pubsub::PubSub,
    state::Keeper,
    store::StoreError,
};

/// How long the start waits for a database that may be away. It serves without it then.
const PATIENCE: Duration = Duration::from_secs(2);

/// Those that components name, each once.
#[derive(Debug, Default)]
pub(in crate::runtime) struct SharedDatabases {
    all: Vec<Shared>,
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
        } else if let (Some(jobs), Some(told)) = (&self.jobs, Told::read(word)) {
            jobs.hear(&told.app, told.id, told.due);
        }
    }
}

impl SharedDatabases {
    /// The database of some settings, which components share that say the same.
    async fn open(&mut self, settings: &postgres::Settings, metrics: &Metrics) -> Result<&mut Shared, StartError> {
        if let Some(known) = self.all.iter().position(|shared| shared.settings == *settings) {
            return Ok(&mut self.all[known]);
        }
        let opened = postgres::Database::new(settings.clone(), metrics.queries());
        let database = opened.map_err(|error| StartError::Store { message: error.to_string() })?;
        match timeout(PATIENCE, database.prepare()).await {
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
        self.all.push(Shared { settings: settings.clone(), database, relay: None });
        Ok(self.all.last_mut().expect("it was put there"))
    }

    /// Where a state store keeps its items; what its transactions publish goes to `publishes`.
    pub(super) async fn keeper(
        &mut self,
        settings: &postgres::Settings,
        publishes: Option<&Arc<BTreeMap<String, Arc<PubSub>>>>,
        metrics: &Metrics,
    ) -> Result<Keeper, StartError> {
        let shared = self.open(settings, metrics).await?;
        let relay = publishes.map(|pubsubs| {
            let start = || Relay::start(Source::Postgres(shared.database.clone()), pubsubs.clone());
            shared.relay.get_or_insert_with(start).clone()
        });
        Ok(Keeper::Postgres { database: shared.database.clone(), relay })
    }

    /// Begins to hear what other replicas tell. `jobs` are those of the first database.
    pub(in crate::runtime) fn listen(&self, jobs: Option<Arc<Jobs>>) {
        let all = [jobs].into_iter().chain(std::iter::repeat_with(|| None));
        for (Shared { database, relay, .. }, jobs) in self.all.iter().zip(all) {
            if relay.is_some() || jobs.is_some() {
                let ears = Ears { relay: relay.clone(), jobs };
                postgres::listen(database.clone(), ears, self.stop.clone());
            }
        }
    }

    /// The database of the first component that names one.
    pub(in crate::runtime) fn first(&self) -> Option<Arc<postgres::Database>> {
        self.all.first().map(|shared| shared.database.clone())
    }

    /// Ends the relays, and then the connections. Says whether the relays ended in time.
    pub(super) async fn close(&self, deadline: Instant) -> bool {
        self.stop.cancel();
        let mut ended = true;
        for shared in &self.all {
            if let Some(relay) = &shared.relay {
                ended &= relay.shutdown(deadline).await;
            }
            shared.database.close();
        }
        ended
    }
}
