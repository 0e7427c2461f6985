//! Transactions.

use serde_json::{Value, json};

use crate::case::Case;

const TRANSACTION: &str = "/v1.0/state/statestore/transaction";

fn upsert(key: &str, value: Value) -> Value {
    json!({ "operation": "upsert", "request": { "key": key, "value": value } })
}

fn transaction(case: Case, operations: Value) -> Case {
    case.post(TRANSACTION, json!({ "operations": operations }))
}

pub(super) fn cases() -> Vec<Case> {
    let case = Case::new;
    let begun = |id, claim| {
        let operations = json!([upsert("{case}-1", json!(1)), upsert("{case}-2", json!(2))]);
        transaction(case(id, claim), operations).is(204).text("")
    };
    vec![
        transaction(
            begun("transaction/applied", "A transaction upserts and deletes"),
            json!([upsert("{case}-1", json!(10)), { "operation": "delete", "request": { "key": "{case}-2" } }]),
        )
        .is(204)
        .get("/v1.0/state/statestore/{case}-1").is(200).json(json!(10))
        .get("/v1.0/state/statestore/{case}-2").is(204),
        transaction(
            begun("transaction/stale-etag", "A stale entity tag refuses the transaction with 409"),
            json!([
                upsert("{case}-1", json!(10)),
                { "operation": "upsert", "request": { "key": "{case}-2", "value": 20, "etag": "0189f7ea-ae2c-7f1c-8a2b-0123456789ab" } },
            ]),
        )
        .refused_with(409, "ERR_STATE_TRANSACTION", "error while executing state transaction: possible etag mismatch. error from state store"),
        transaction(
            begun("transaction/stale-etag-in-daprs-words", "A refused transaction says so in Dapr's words, and changes nothing"),
            json!([
                upsert("{case}-1", json!(10)),
                { "operation": "delete", "request": { "key": "{case}-2", "etag": "0189f7ea-ae2c-7f1c-8a2b-0123456789ab" } },
            ]),
        )
        .answers_anyhow().json(json!({ "errorCode": "ERR_STATE_TRANSACTION", "message": "error while executing state transaction: possible etag mismatch. error from state store", "...": "" }))
        .get("/v1.0/state/statestore/{case}-1").is(200).json(json!(1)),
        begun("transaction/etag", "A transaction takes an entity tag")
            .get("/v1.0/state/statestore/{case}-1").is(200).keep("etag", "etag")
            .post(TRANSACTION, json!({ "operations": [
                { "operation": "upsert", "request": { "key": "{case}-1", "value": 5, "etag": "{etag}" } },
                { "operation": "delete", "request": { "key": "{case}-2" } },
            ] })).is(204)
            .get("/v1.0/state/statestore/{case}-1").is(200).json(json!(5)),
        transaction(case("transaction/nothing", "A transaction of nothing is no error"), json!([])).is(204),
        transaction(case("transaction/same-key", "Of two upserts of a key the last one counts"), json!([upsert("{case}", json!(1)), upsert("{case}", json!(2))])).is(204)
            .get("/v1.0/state/statestore/{case}").is(200).json(json!(2)),
        transaction(case("transaction/unknown-operation", "An unknown operation is refused"), json!([{ "operation": "merge", "request": { "key": "k" } }]))
            .refused(400, "ERR_NOT_SUPPORTED_STATE_OPERATION"),
        transaction(case("transaction/number-as-key", "A key that is no text is refused"), json!([{ "operation": "upsert", "request": { "key": 1, "value": 1 } }]))
            .is(400),
        transaction(case("transaction/no-key", "An operation without a key is refused"), json!([{ "operation": "upsert", "request": { "value": 1 } }]))
            .refused(400, "ERR_MALFORMED_REQUEST"),
        case("transaction/bad-json", "A body that is no JSON is refused").post(TRANSACTION, "x").refused(400, "ERR_MALFORMED_REQUEST"),
        case("transaction/unknown-store", "A store that is not there is refused")
            .post("/v1.0/state/absent/transaction", json!({ "operations": [] })).refused(400, "ERR_STATE_STORE_NOT_FOUND"),
        transaction(case("transaction/ttl", "An operation has its own time to live"), json!([
            { "operation": "upsert", "request": { "key": "{case}", "value": 1, "metadata": { "ttlInSeconds": "100" } } },
        ])).is(204)
            .get("/v1.0/state/statestore/{case}").is(200).has("metadata.ttlexpiretime", "<time>"),
    ]
}
