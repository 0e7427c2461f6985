//! Components on a real PostgreSQL.

use backends::Postgres;
use tokio::task::JoinHandle;

use super::eventually;

/// A database of its own on the server that all tests share.
pub(crate) async fn database() -> (&'static Postgres, String) {
    let server = Postgres::shared().await.unwrap();
    let url = server.create_database().await.unwrap();
    (server, url)
}

/// A session that keeps what its statement has locked.
pub(crate) struct Lock {
    server: &'static Postgres,
    url: String,
    session: JoinHandle<()>,
}

/// The sessions of this database that keep a lock.
const KEEPERS: &str = "from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";

impl Lock {
    /// Runs a statement in a transaction that goes on. One at a time for each database.
    pub(crate) async fn hold(server: &'static Postgres, url: &str, statement: &str) -> Self {
        let (text, url) = (format!("begin; {statement}; select pg_sleep(600)"), url.to_owned());
        let session = tokio::spawn({
            let url = url.clone();
            async move { drop(server.query(&url, &text).await) }
        });
        eventually("the lock", async || {
            (server.query(&url, &format!("select count(*) {KEEPERS}")).await.unwrap() == "1").then_some(())
        })
        .await;
        Self { server, url, session }
    }

    /// Ends the transaction, which has changed nothing.
    pub(crate) async fn release(self) {
        self.server.query(&self.url, &format!("select pg_terminate_backend(pid) {KEEPERS}")).await.unwrap();
        self.session.await.unwrap();
    }
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
