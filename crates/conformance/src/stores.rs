//! What is behind the components `statestore` and `pubsub`.

use anyhow::Result;
use backends::{Kafka, Postgres};
use serde_json::{Value, json};

/// Where state and messages are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Stores {
    /// Both in memory.
    Memory,
    /// Both in a SQLite file; messages in memory where the program has no log in SQLite.
    Sqlite,
    /// State in PostgreSQL, messages in memory.
    Postgres,
    /// State in a SQLite file, messages in Kafka.
    Kafka,
    /// State in PostgreSQL, messages in Kafka.
    Cluster,
}

impl Stores {
    /// What they are called in a report.
    pub fn name(self, log_in_sqlite: bool) -> &'static str {
        match self {
            Self::Memory => "in memory",
            Self::Sqlite if !log_in_sqlite => "SQLite and in memory",
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Kafka => "SQLite and Kafka",
            Self::Cluster => "PostgreSQL and Kafka",
        }
    }

    /// A broker for one run of the suite: in one that others use, too, their events would come, and ours go to them.
    pub(crate) async fn broker(self) -> Result<Option<Kafka>> {
        match self {
            Self::Memory | Self::Sqlite | Self::Postgres => Ok(None),
            Self::Kafka | Self::Cluster => Kafka::start().await.map(Some),
        }
    }

    /// The components `statestore` and `pubsub`, with a database of their own.
    pub(crate) async fn components(self, log_in_sqlite: bool, broker: Option<&Kafka>) -> Result<Vec<Component>> {
        let state = match self {
            Self::Memory => Component::new("statestore", "state.in-memory", json!({})),
            Self::Sqlite | Self::Kafka => {
                Component::new("statestore", "state.sqlite", json!({ "connectionString": "data.db" }))
            }
            Self::Postgres | Self::Cluster => {
                let url = Postgres::shared().await?.create_database().await?;
                let component = Component::new("statestore", "state.postgresql", json!({ "connectionString": url }));
                Component { version: "v2", ..component }
            }
        };
        let pubsub = match broker {
            None if self == Self::Sqlite && log_in_sqlite => {
                Component::new("pubsub", "pubsub.sqlite", json!({ "connectionString": "data.db" }))
            }
            None => Component::new("pubsub", "pubsub.in-memory", json!({})),
            Some(kafka) => {
                let metadata = json!({
                    "brokers": kafka.brokers(),
                    "authType": "none",
                    "initialOffset": "oldest",
                    "consumeRetryInterval": "200ms",
                });
                Component::new("pubsub", "pubsub.kafka", metadata)
            }
        };
        Ok(vec![state, pubsub])
    }
}

/// A component document.
#[derive(Debug, Clone)]
pub(crate) struct Component {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) version: &'static str,
    pub(crate) metadata: Value,
}

impl Component {
    pub(crate) fn new(name: &str, kind: &'static str, metadata: Value) -> Self {
        Self { name: name.to_owned(), kind, version: "v1", metadata }
    }

    /// As a document; JSON is YAML.
    pub(crate) fn document(&self) -> Value {
        let empty = serde_json::Map::new();
        let pairs = self.metadata.as_object().unwrap_or(&empty).iter();
        let metadata: Vec<Value> = pairs.map(|(name, value)| json!({ "name": name, "value": value })).collect();
        json!({
            "apiVersion": "dapr.io/v1alpha1",
            "kind": "Component",
            "metadata": { "name": self.name },
            "spec": { "type": self.kind, "version": self.version, "metadata": metadata },
        })
    }
}
