//! State: one value, many, entity tags, expiry.

use serde_json::{Value, json};

use crate::case::Case;

const STORE: &str = "/v1.0/state/statestore";
const KEY: &str = "/v1.0/state/statestore/{case}";
const MISMATCH: &str = "possible etag mismatch. error from state store";

/// Saves a value under the case's key.
fn save(case: Case, value: Value) -> Case {
    let body = json!([{ "key": "{case}", "value": value }]);
    case.post(STORE, body).is(204).text("")
}

pub(super) fn cases() -> Vec<Case> {
    let case = Case::new;
    vec![
        save(case("state/save-get-delete", "A value is saved, read back with its entity tag, and deleted"), json!({ "a": [1, "ä", null] }))
            .get(KEY).is(200).json(json!({ "a": [1, "ä", null] })).has("content-type", "application/json").has("etag", "<text>")
            .delete(KEY).is(204).text("")
            .get(KEY).is(204).text("").has_no("etag"),
        case("state/get-absent", "A key that is not there is 204").get(KEY).is(204).text(""),
        case("state/delete-absent", "Deleting what is not there is no error").delete(KEY).is(204),
        case("state/save-nothing", "Saving nothing is no error").post(STORE, "[]").is(204),
        case("state/save-by-put", "PUT saves as POST does")
            .request(reqwest::Method::PUT, STORE, json!([{ "key": "{case}", "value": 1 }])).is(204)
            .get(KEY).is(200).json(json!(1)),
        case("state/save-null", "An item without a value is null")
            .post(STORE, json!([{ "key": "{case}" }])).is(204)
            .get(KEY).is(200).text("null"),
        save(case("state/value-kinds", "A text stays a text"), json!("text")).get(KEY).is(200).text("\"text\""),
        case("state/big-numbers", "A number keeps its digits")
            .post(STORE, r#"[{"key":"{case}","value":12345678901234567890}]"#).is(204)
            .get(KEY).is(200).text("12345678901234567890"),
        save(case("state/overwrite", "A new value has a new entity tag"), json!(1))
            .get(KEY).is(200).keep("etag", "etag")
            .post(STORE, json!([{ "key": "{case}", "value": 2, "etag": "{etag}" }])).is(204)
            .get(KEY).is(200).json(json!(2))
            .post(STORE, json!([{ "key": "{case}", "value": 3, "etag": "{etag}" }])).refused_with(409, "ERR_STATE_SAVE", &format!("failed saving state in state store statestore: {MISMATCH}"))
            .get(KEY).is(200).json(json!(2)),
        save(case("state/etag-last-write", "An entity tag counts with last-write too"), json!(1))
            .get(KEY).is(200).keep("etag", "etag")
            .post(STORE, json!([{ "key": "{case}", "value": 2 }])).is(204)
            .post(STORE, json!([{ "key": "{case}", "value": 3, "etag": "{etag}", "options": { "concurrency": "last-write" } }])).refused(409, "ERR_STATE_SAVE"),
        case("state/etag-absent-key", "An entity tag of a key that is not there is refused")
            .post(STORE, json!([{ "key": "{case}", "value": 1, "etag": "0189f7ea-ae2c-7f1c-8a2b-0123456789ab" }])).refused(409, "ERR_STATE_SAVE")
            .get(KEY).is(204),
        case("state/etag-empty", "An empty entity tag is none").post(STORE, json!([{ "key": "{case}", "value": 1, "etag": "" }])).is(204),
        save(case("state/etag-unparsable", "An entity tag of another form matches nothing"), json!(1))
            .post(STORE, json!([{ "key": "{case}", "value": 2, "etag": "other" }])).refused(409, "ERR_STATE_SAVE"),
        save(case("state/first-write", "first-write without an entity tag makes, and does not overwrite"), json!(1))
            .post(STORE, json!([{ "key": "{case}", "value": 2, "options": { "concurrency": "first-write" } }])).refused(409, "ERR_STATE_SAVE")
            .post(STORE, json!([{ "key": "{case}-new", "value": 2, "options": { "concurrency": "first-write" } }])).is(204),
        save(case("state/delete-etag", "A delete takes an entity tag"), json!(1))
            .get(KEY).is(200).keep("etag", "etag")
            .post(STORE, json!([{ "key": "{case}", "value": 2 }])).is(204)
            .delete(KEY).header("if-match", "{etag}").refused_with(409, "ERR_STATE_DELETE", &format!("failed deleting state with key {{case}}: {MISMATCH}"))
            .get(KEY).is(200).keep("etag", "etag")
            .delete(KEY).header("if-match", "{etag}").is(204)
            .delete(KEY).header("if-match", "{etag}").refused(409, "ERR_STATE_DELETE"),
        case("state/ttl", "A value with ttlInSeconds says when it ends")
            .post(STORE, json!([{ "key": "{case}", "value": 1, "metadata": { "ttlInSeconds": "100" } }])).is(204)
            .get(KEY).is(200).json(json!(1)).has("metadata.ttlexpiretime", "<time>"),
        case("state/ttl-ends", "A value ends with its time")
            .post(STORE, json!([{ "key": "{case}", "value": 1, "metadata": { "ttlInSeconds": "1" } }])).is(204)
            .get(KEY).is(204).text("").eventually(),
        case("state/ttl-of-the-request", "ttlInSeconds of the request counts for its items")
            .post("/v1.0/state/statestore?metadata.ttlInSeconds=100", json!([{ "key": "{case}", "value": 1 }])).is(204)
            .get(KEY).is(200).has("metadata.ttlexpiretime", "<time>"),
        case("state/bad-ttl", "A ttlInSeconds that is no number is refused")
            .post(STORE, json!([{ "key": "{case}", "value": 1, "metadata": { "ttlInSeconds": "soon" } }])).refused(500, "ERR_STATE_SAVE"),
        case("state/bad-concurrency", "An unknown concurrency is refused")
            .post(STORE, json!([{ "key": "{case}", "value": 1, "options": { "concurrency": "none" } }])).refused(500, "ERR_STATE_SAVE"),
        case("state/consistency", "Any consistency is taken").get("/v1.0/state/statestore/{case}?consistency=strong").is(204),
        case("state/bad-json", "A body that is no JSON is refused").post(STORE, "{").refused(400, "ERR_MALFORMED_REQUEST"),
        case("state/object", "An object in place of a list is refused").post(STORE, "{}").refused(400, "ERR_MALFORMED_REQUEST"),
        case("state/empty-body", "An empty body is refused").post(STORE, "").refused(400, "ERR_MALFORMED_REQUEST"),
        case("state/missing-key", "An item without a key is refused").post(STORE, r#"[{"value":1}]"#).refused(400, "ERR_MALFORMED_REQUEST"),
        case("state/illegal-key", "A key with || is refused").post(STORE, r#"[{"key":"a||b","value":1}]"#).refused(400, "ERR_MALFORMED_REQUEST"),
        case("state/slash-in-key", "A key may have a slash, encoded")
            .post(STORE, json!([{ "key": "{case}/1", "value": 1 }])).is(204)
            .get("/v1.0/state/statestore/{case}%2F1").is(200).json(json!(1))
            .get("/v1.0/state/statestore/{case}/1").refused(404, "ERR_DIRECT_INVOKE"),
        case("state/unknown-store", "A store that is not there is refused").get("/v1.0/state/absent/k")
            .refused_with(400, "ERR_STATE_STORE_NOT_FOUND", "state store absent is not found")
            .post("/v1.0/state/absent", "[]").refused(400, "ERR_STATE_STORE_NOT_FOUND"),
        case("state/bulk", "Many values are read at once, absent ones too")
            .post(STORE, json!([{ "key": "{case}-1", "value": { "n": 1 } }, { "key": "{case}-2", "value": "two" }])).is(204)
            .post("/v1.0/state/statestore/bulk", json!({ "keys": ["{case}-2", "{case}-1", "{case}-9"], "parallelism": 10 })).is(200)
            .has("content-type", "application/json")
            .unordered(json!([
                { "data": { "n": 1 }, "etag": "<text>", "key": "{case}-1" },
                { "data": "two", "etag": "<text>", "key": "{case}-2" },
                { "key": "{case}-9" },
            ])),
        case("state/bulk-nothing", "A bulk read of no keys answers an empty list")
            .post("/v1.0/state/statestore/bulk", json!({ "keys": [] })).is(200).json(json!([])),
        case("state/bulk-bad-json", "A bulk read's body has to be JSON").post("/v1.0/state/statestore/bulk", "x").refused(400, "ERR_MALFORMED_REQUEST"),
        save(case("state/several-items", "Items of a save stand alone"), json!(1))
            .post(STORE, json!([{ "key": "{case}-good", "value": 1 }, { "key": "{case}", "value": 2, "etag": "0189f7ea-ae2c-7f1c-8a2b-0123456789ab" }])).refused(409, "ERR_STATE_SAVE")
            .get("/v1.0/state/statestore/{case}-good").is(200),
    ]
}
