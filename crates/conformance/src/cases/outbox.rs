//! The outbox: what a transaction publishes.

use serde_json::{Value, json};

use crate::case::Case;
use crate::setup::Setup;

const TRANSACTION: &str = "/v1.0/state/statestore/transaction";

fn upsert(key: &str, value: Value, metadata: Value) -> Value {
    json!({ "operation": "upsert", "request": { "key": key, "value": value, "metadata": metadata } })
}

/// The events come to the topic `{case}`.
fn outbox(id: &'static str, claim: &'static str) -> Case {
    Case::new(id, claim).with(Setup::Outbox).subscribes(json!({}))
}

fn transaction(case: Case, operations: Value) -> Case {
    case.post(TRANSACTION, json!({ "operations": operations }))
}

pub(super) fn cases() -> Vec<Case> {
    let typed = json!({ "contentType": "application/json" });
    vec![
        transaction(outbox("outbox/upsert", "An upsert is published"), json!([upsert("k", json!({ "a": 1 }), typed.clone())])).is(204)
            .gets_data(json!({ "a": 1 })),
        transaction(outbox("outbox/json-unless-told", "A value without contentType is JSON"), json!([upsert("k", json!({ "a": 1 }), json!({}))])).is(204)
            .gets_data(json!({ "a": 1 })),
        transaction(outbox("outbox/projection", "A projection is published in place of the value, and not stored"), json!([
            upsert("k", json!({ "stored": 1 }), typed.clone()),
            upsert("k", json!({ "told": 1 }), json!({ "contentType": "application/json", "outbox.projection": "true" })),
        ])).is(204)
            .gets_data(json!({ "told": 1 }))
            .get("/v1.0/state/statestore/k").is(200).json(json!({ "stored": 1 })),
        transaction(outbox("outbox/attributes", "Metadata of an operation is an attribute"), json!([
            upsert("k", json!(1), json!({ "contentType": "application/json", "extension": "x" })),
        ])).is(204)
            .gets("/{case}", json!({ "data": 1, "extension": "x", "...": "" })),
        transaction(outbox("outbox/order", "Two upserts are two events, in order for their key"), json!([
            upsert("a", json!(1), json!({ "contentType": "application/json", "partitionKey": "k" })),
            upsert("b", json!(2), json!({ "contentType": "application/json", "partitionKey": "k" })),
        ])).is(204).order("/{case}", vec![json!(1), json!(2)]),
        transaction(
            outbox("outbox/after-a-refusal", "A transaction that is refused publishes nothing, and holds up nothing"),
            json!([{ "operation": "upsert", "request": { "key": "k", "value": 1, "etag": "0189f7ea-ae2c-7f1c-8a2b-0123456789ab", "metadata": typed.clone() } }]),
        )
        .answers_anyhow().post(TRANSACTION, json!({ "operations": [upsert("k", json!(2), typed.clone())] })).is(204)
        .gets_data(json!(2)).times("/{case}", 1),
        transaction(outbox("outbox/delete", "A delete publishes nothing"), json!([
            { "operation": "delete", "request": { "key": "k" } },
            upsert("k2", json!(2), typed),
        ])).is(204).gets_data(json!(2)).times("/{case}", 1),
    ]
}
