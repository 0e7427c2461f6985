//! Where the state and the messages of the measured sidecars are.

use anyhow::Result;
use backends::{Kafka, Postgres};
use clap::ValueEnum;

use super::process::Peer;

/// One set of backends, the same for all peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Backends {
    /// State in a SQLite file, messages in memory. The outbox of sidelet is in the file too; that of daprd is not durable.
    Files,
    /// PostgreSQL and Kafka.
    Servers,
}

/// Empty backends for one start of a sidecar. They end with this value.
pub(super) struct Prepared {
    /// Component files, one document behind the other.
    pub(super) components: String,
    _servers: Option<(Kafka, Postgres)>,
}

impl Backends {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Files => "SQLite, and messages in memory",
            Self::Servers => "PostgreSQL and Kafka",
        }
    }

    pub(super) async fn prepare(self, peer: &Peer) -> Result<Prepared> {
        match self {
            Self::Files => Ok(Prepared { components: files(peer), _servers: None }),
            Self::Servers => {
                let (kafka, postgres) = (Kafka::start().await?, Postgres::start().await?);
                let components = servers(&kafka.brokers(), &postgres.create_database().await?);
                Ok(Prepared { components, _servers: Some((kafka, postgres)) })
            }
        }
    }
}

fn files(peer: &Peer) -> String {
    let is_daprd = peer.name == "daprd";
    let outbox_pubsub = if is_daprd { "pubsub" } else { "outboxlog" };
    let state = ("connectionString", "state.db");
    let outbox = ("connectionString", "outbox.db");
    let mut documents = vec![
        component("statestore", "state.sqlite", "v1", &[state]),
        component("outboxstore", "state.sqlite", "v1", &[&[outbox], &published_to(outbox_pubsub)[..]].concat()),
        component("pubsub", "pubsub.in-memory", "v1", &[]),
        subscription("events", "pubsub"),
        subscription("outbox", outbox_pubsub),
    ];
    if !is_daprd {
        documents.push(component(outbox_pubsub, "pubsub.sqlite", "v1", &[outbox]));
    }
    documents.join("\n---\n")
}

fn servers(brokers: &str, database: &str) -> String {
    let state = [("connectionString", database), ("maxConns", "16")];
    let outbox = [&state[..], &[("tableName", "outbox_state")], &published_to("pubsub")].concat();
    let kafka = [
        ("brokers", brokers),
        ("authType", "none"),
        ("consumerGroup", "bench"),
        ("initialOffset", "oldest"),
        ("version", "3.9.0"),
    ];
    let documents = [
        component("statestore", "state.postgresql", "v2", &state),
        component("outboxstore", "state.postgresql", "v2", &outbox),
        component("pubsub", "pubsub.kafka", "v1", &kafka),
        subscription("events", "pubsub"),
        subscription("outbox", "pubsub"),
    ];
    documents.join("\n---\n")
}

fn published_to(pubsub: &str) -> [(&'static str, &str); 2] {
    [("outboxPublishPubsub", pubsub), ("outboxPublishTopic", "outbox")]
}

fn component(name: &str, kind: &str, version: &str, metadata: &[(&str, &str)]) -> String {
    let metadata: Vec<String> =
        metadata.iter().map(|(name, value)| format!("\n    - name: {name}\n      value: \"{value}\"")).collect();
    let metadata = if metadata.is_empty() { " []".to_owned() } else { metadata.concat() };
    format!(
        "apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: {name}
spec:
  type: {kind}
  version: {version}
  metadata:{metadata}
"
    )
}

/// To the topic of the same name.
fn subscription(topic: &str, pubsub: &str) -> String {
    format!(
        "apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata:
  name: {topic}
spec:
  pubsubname: {pubsub}
  topic: {topic}
  routes:
    default: /events
"
    )
}
