//! State in PostgreSQL and messages in Kafka, as in a cluster: what holds when either breaks, or one of two replicas.

mod away;
mod full;
mod replicas;

use backends::{Kafka, Postgres};

use crate::harness::{App, Place, postgres, subscription};
use crate::kafka;

/// Writes in each history.
const WRITES: usize = 10_000;

/// A database and a broker that a test may break.
struct Servers {
    postgres: Postgres,
    url: String,
    kafka: Kafka,
}

impl Servers {
    async fn start() -> Self {
        let postgres = Postgres::start().await.unwrap();
        let url = postgres.create_database().await.unwrap();
        Self { postgres, url, kafka: Kafka::start().await.unwrap() }
    }

    /// A replica over them, with an app that hears of each commit.
    fn place(&self, app: &App) -> Place {
        let state = [("outboxPublishPubsub", "pubsub"), ("outboxPublishTopic", "task-events"), ("timeout", "5s")];
        let mut place = Place::new(&format!(
            "{}{}{}",
            kafka::component(&self.kafka.brokers(), &[]),
            postgres::store("statestore", &self.url, &state),
            subscription("s", "task-events", "/events/task", "")
        ));
        place.serve(app);
        place
    }
}
