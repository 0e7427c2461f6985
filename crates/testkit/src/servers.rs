//! PostgreSQL and Kafka behind the application's own sidecar, in place of its file.
//!
//! With the variable `TODO_SERVERS` every application under test keeps its state in a database of its own and its
//! messages in a broker of its own. Without it there is nothing but a file, as on a laptop.

use std::path::Path;

use anyhow::{Context, Result};
use backends::{Kafka, Postgres};

use crate::stock::left_out;

/// Asks for them.
const SERVERS: &str = "TODO_SERVERS";

/// Whether scenarios run on PostgreSQL and Kafka; says why when this one then does not.
pub fn needs_a_file(why: &str) -> bool {
    let given = std::env::var_os(SERVERS).is_some();
    if given {
        left_out("on PostgreSQL and Kafka", why);
    }
    given
}

/// The broker and the database of one application. The broker ends with this value.
#[derive(Debug)]
pub(crate) struct Servers {
    kafka: Kafka,
    database: String,
}

impl Servers {
    /// Starts what is asked for.
    pub(crate) async fn start_if_wanted() -> Result<Option<Self>> {
        if std::env::var_os(SERVERS).is_none() {
            return Ok(None);
        }
        let database = Postgres::shared().await?.create_database().await?;
        Ok(Some(Self { kafka: Kafka::start().await?, database }))
    }

    /// Writes the components that lead to them over those of `dapr/local`.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let state = [
            ("connectionString", self.database.as_str()),
            ("keyPrefix", "none"),
            ("outboxPublishPubsub", "pubsub"),
            ("outboxPublishTopic", "task-events"),
        ];
        let brokers = self.kafka.brokers();
        let messages = [("brokers", brokers.as_str()), ("authType", "none"), ("initialOffset", "oldest")];
        let components =
            [("statestore", "state.postgresql", "v2", &state[..]), ("pubsub", "pubsub.kafka", "v1", &messages)];
        for (name, kind, version, metadata) in components {
            let path = folder.join(name).with_extension("yaml");
            std::fs::write(path, component(name, kind, version, metadata)).context("could not write a component")?;
        }
        Ok(())
    }
}

fn component(name: &str, kind: &str, version: &str, metadata: &[(&str, &str)]) -> String {
    let metadata: String =
        metadata.iter().map(|(name, value)| format!("    - name: {name}\n      value: \"{value}\"\n")).collect();
    format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: {kind}\n  \
         version: {version}\n  metadata:\n{metadata}"
    )
}
