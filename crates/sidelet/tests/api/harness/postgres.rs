//! Components on a real PostgreSQL.

use backends::Postgres;

/// A database of its own on the server that all tests share.
pub(crate) async fn database() -> (&'static Postgres, String) {
    let server = Postgres::shared().await.unwrap();
    let url = server.create_database().await.unwrap();
    (server, url)
}

/// A component `name` of type `state.postgresql`, with more lines of metadata in flow style.
pub(crate) fn store(name: &str, url: &str, more: &[(&str, &str)]) -> String {
    let more: String = more.iter().map(|(key, value)| format!("    - {{name: {key}, value: '{value}'}}\n")).collect();
    format!(
        "
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: {name}
spec:
  type: state.postgresql
  version: v2
  metadata:
    - {{name: connectionString, value: '{url}'}}
{more}"
    )
}

/// State in PostgreSQL as `statestore`, with its outbox on a log in a file, as `pubsub`.
pub(crate) fn components(url: &str) -> String {
    let outbox = [("outboxPublishPubsub", "pubsub"), ("outboxPublishTopic", "task-events")];
    format!(
        "
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: pubsub
spec:
  type: pubsub.sqlite
  version: v1
  metadata:
    - name: connectionString
      value: todo.db
{}",
        store("statestore", url, &outbox)
    )
}
