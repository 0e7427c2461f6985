//! State in PostgreSQL, where it differs from a file: tables, connections, a database that is away, and the relay.
//!
//! What every store has in common is in `state` and `outbox`.

mod faults;
pub(crate) mod history;
mod jobs;
mod outbox;
mod policy;
mod start;
mod tables;

use serde_json::json;

use crate::harness::Api;

/// A transaction that stores `value` under `key` and publishes it under that key.
pub(crate) async fn write(api: &Api, key: &str, value: i64) -> u16 {
    let body = json!({"operations": [{
        "operation": "upsert",
        "request": {"key": key, "value": {"key": key, "number": value}, "metadata": {"partitionKey": key}},
    }]});
    api.post("/v1.0/state/statestore/transaction", body.to_string()).await.status
}
