//! Documents as they are stored.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use todo_app::accounts::{Account, EmailOwner, Registered, Tries};
use todo_app::activity::{ActivityBody, ActivityIndex};
use todo_app::idempotency::Record;
use todo_app::lists::Published;
use todo_app::numbered::{Block, Entry};
use todo_app::recurring::Followed;
use todo_app::updates::{RingSlot, UpdatesIndex};
use todo_domain::{TaskEvent, TaskUpdates};
use uuid::Uuid;

use super::story::{Story, id, now};

/// Each document by its name.
pub(super) fn all(story: &Story) -> Vec<(&'static str, String)> {
    let (long_head, page) = story.long.clone();
    vec![
        ("head", story.head.clone()),
        ("head-with-pages", long_head),
        ("page", page),
        ("account", stored::<Account>(&account(story))),
        ("account-email", stored::<EmailOwner>(&json!({ "userId": story.user.id }))),
        ("sign-ups", stored::<Tries>(&json!({ "at": [now().as_second()] }))),
        ("idempotency", stored::<Record>(&idempotency(story))),
        ("head-closed", story.closed.clone()),
        ("published", stored::<Published>(&json!({ "through": 7, "quietUntil": now().as_second() }))),
        ("users", stored::<Registered>(&json!({ "users": [story.user.id] }))),
        ("followed", stored::<Followed>(&json!({ "taskId": story.made.id }))),
        ("activity", stored::<ActivityIndex>(&json!({ "last": 2 }))),
        ("activity-block", block(story, |event| json(&ActivityBody::of(event)))),
        ("updates", stored::<UpdatesIndex>(&json!({ "last": 2 }))),
        ("updates-slot", slot(story)),
        ("sign-in-failures", stored::<Tries>(&json!({ "at": [now().as_second()] }))),
    ]
}

/// Secrets and their hashes are random, so this one is said, and not made.
pub(super) fn account(story: &Story) -> Value {
    json!({
        "schemaVersion": 1,
        "id": story.user.id,
        "email": "ada@example.com",
        "name": "Ada",
        "timeZone": story.user.time_zone,
        "digestTime": "06:30",
        "createdAt": now(),
        "registered": true,
        "passwordHash": "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cyBzYWx0ISE$QHBU0TPhUzzqRyzl2JMyMNhQzqRPfaFMxOCmQ2Gz1gk",
        "sessions": [{
            "id": id_of_session(),
            "secretHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "previousHash": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
            "rotatedAt": now(),
        }],
        "apiTokens": [{
            "id": id_of_token(),
            "name": "Wall display",
            "scopes": ["tasks:read"],
            "createdAt": now(),
            "expiresAt": "2036-03-01T09:00:00Z",
            "secretHash": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        }],
        "feedHash": "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9",
    })
}

/// The first events, as entries of a block.
fn block(story: &Story, value: impl Fn(&TaskEvent) -> Value) -> String {
    let mut block = Block::default();
    for event in story.events.iter().take(2) {
        block.insert(Entry::new(event.sequence, &value(event)));
    }
    serde_json::to_string(&block).expect("documents have text keys and finite numbers")
}

/// A slot of the ring of updates.
fn slot(story: &Story) -> String {
    let block = block(story, |event| json(&TaskUpdates::of(event)));
    let block: Block = serde_json::from_str(&block).expect("the sample is of its type");
    serde_json::to_string(&RingSlot { block_number: 0, block }).expect("documents have text keys and finite numbers")
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("documents have text keys and finite numbers")
}

/// The text that the code's own type writes.
pub(super) fn stored<D: Serialize + DeserializeOwned>(document: &Value) -> String {
    serde_json::to_string(&read::<D>(document)).expect("documents have text keys and finite numbers")
}

/// The document as its type.
pub(super) fn read<D: DeserializeOwned>(document: &Value) -> D {
    serde_json::from_value(document.clone()).expect("the sample is of its type")
}

/// The id of the account's session.
pub(super) fn id_of_session() -> Uuid {
    id(0x4001)
}

/// The id of the account's API token.
pub(super) fn id_of_token() -> Uuid {
    id(0x5001)
}

/// The answer to a write that had a number.
fn idempotency(story: &Story) -> Value {
    json!({
        "fingerprint": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "status": 201,
        "headers": [["content-type", "application/json"], ["etag", "\"1\""], ["location", format!("/api/tasks/{}", story.made.id)]],
        "body": "{}",
    })
}
