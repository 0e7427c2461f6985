//! The state API.

mod text;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use bytes::{BufMut, Bytes, BytesMut};
use dapr::code;
use futures::future::join_all;
use http::{HeaderValue, StatusCode, header};

use super::{
    answer::{Answer, Refusal, empty, json},
    request::Call,
};
use crate::{
    envelope::time_text,
    outbox::{self, Message},
    sidecar::Sidecar,
    state::{Change, Condition, StateStore},
    store::StoreError,
};

use text::{BulkText, ItemText, TransactionText, parse};

/// Operations of one transaction, and keys of one bulk read, at most.
const OPERATIONS: usize = 50_000;

/// Bytes of values in the answer to one bulk read, at most: a list of 10,000 tasks is some 3 MB.
const BULK: usize = 64 << 20;

/// A store by name.
pub(super) fn store<'sidecar>(sidecar: &'sidecar Sidecar, name: &str) -> Result<&'sidecar StateStore, Refusal> {
    sidecar.stores.get(name).ok_or_else(|| {
        let bad = StatusCode::BAD_REQUEST;
        if sidecar.stores.is_empty() {
            let message = "state store is not configured";
            return Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, code::STATE_STORE_NOT_CONFIGURED, message);
        }
        Refusal::new(bad, code::STATE_STORE_NOT_FOUND, format!("state store {name} is not found"))
            .because("DAPR_STATE_NOT_FOUND")
    })
}

/// 200 with the value as it was written, or 204.
pub(super) async fn get_item(sidecar: &Sidecar, store: &StateStore, key: &str) -> Result<Answer, Refusal> {
    text::check_key(key)?;
    let start = Instant::now();
    let item = sidecar.guards.ask(&store.name, || store.get(key)).await;
    sidecar.metrics.state(&store.name, "get", item.is_ok(), start);
    let item = item.map_err(|error| {
        Refusal::store(error, code::STATE_GET, &format!("fail to get {key} from state store {}", store.name))
    })?;
    let Some(item) = item else { return Ok(empty()) };
    let mut answer = json(StatusCode::OK, item.value);
    let headers = answer.headers_mut();
    if let Ok(etag) = HeaderValue::from_str(&item.etag) {
        headers.insert(header::ETAG, etag);
    }
    if let Some(expires) = item.expires
        && let Ok(time) = HeaderValue::from_str(&time_text(expires))
    {
        headers.insert("metadata.ttlexpiretime", time);
    }
    Ok(answer)
}

/// Saves each item on its own: one that is refused does not keep the others back.
pub(super) async fn save_items(sidecar: &Sidecar, store: &StateStore, call: &mut Call) -> Result<Answer, Refusal> {
    let attempt = format!("failed saving state in state store {}", store.name);
    let query = call.metadata();
    let body = call.body(sidecar).await?;
    let items: Vec<ItemText<'_>> = parse(&body)?;
    let keyed: Vec<_> =
        items.into_iter().map(|item| item.keyed(&query).map(|keyed| (keyed, item))).collect::<Result<_, _>>()?;
    let mut changes = Vec::with_capacity(keyed.len());
    for ((key, metadata), item) in &keyed {
        let refuse =
            |reason| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, code::STATE_SAVE, format!("{attempt}: {reason}"));
        changes.push(Change::Upsert {
            key: store.whole_key(key),
            value: item.value(&body),
            condition: item.condition().map_err(refuse)?,
            time_to_live: text::time_to_live(metadata).map_err(refuse)?,
        });
    }
    let start = Instant::now();
    let commits = changes.into_iter().map(|change| commit(sidecar, store, vec![change], Vec::new()));
    for result in join_all(commits).await {
        sidecar.metrics.state(&store.name, "set", result.is_ok(), start);
        result.map_err(|error| Refusal::store(error, code::STATE_SAVE, &attempt))?;
    }
    Ok(empty())
}

/// Makes all changes and publishes all messages, or none.
///
/// A policy may ask the store again after a try of which nobody knows what became: it may have been carried out, or be
/// carried out yet. What a later try finds changed then is perhaps its own doing, and no other writer's.
async fn commit(
    sidecar: &Sidecar,
    store: &StateStore,
    changes: Vec<Change>,
    messages: Vec<Message>,
) -> Result<(), StoreError> {
    let Some(guard) = sidecar.guards.of_component(&store.name) else { return store.commit(changes, messages).await };
    // A try that is given up for its time leaves it as it is while it is on its way.
    let unknown = AtomicBool::new(false);
    let outcome = guard.ask(|| async {
        let before = unknown.swap(true, Ordering::Relaxed);
        let outcome = store.commit(changes.clone(), messages.clone()).await;
        if !matches!(outcome, Err(StoreError::Unavailable { .. })) {
            unknown.store(before, Ordering::Relaxed);
        }
        outcome
    });
    match outcome.await {
        Err(StoreError::Conflict) if unknown.load(Ordering::Relaxed) => {
            Err(StoreError::unavailable("it may be as an earlier try has written it"))
        }
        outcome => outcome,
    }
}

/// Removes one key, which may be absent unless `If-Match` says otherwise.
pub(super) async fn delete_item(
    sidecar: &Sidecar,
    store: &StateStore,
    key: &str,
    call: &Call,
) -> Result<Answer, Refusal> {
    text::check_key(key)?;
    let condition = match call.header(header::IF_MATCH) {
        "" => Condition::None,
        etag => Condition::Matches(etag.to_owned()),
    };
    let change = Change::Delete { key: store.whole_key(key), condition };
    let start = Instant::now();
    let done = commit(sidecar, store, vec![change], Vec::new()).await;
    sidecar.metrics.state(&store.name, "delete", done.is_ok(), start);
    done.map_err(|error| Refusal::store(error, code::STATE_DELETE, &format!("failed deleting state with key {key}")))?;
    Ok(empty())
}

/// Reads many keys. The values are copied into the answer as they are.
pub(super) async fn get_items(sidecar: &Sidecar, store: &StateStore, call: &mut Call) -> Result<Answer, Refusal> {
    let body = call.body(sidecar).await?;
    let BulkText { keys } = parse(&body)?;
    if keys.len() > OPERATIONS {
        return Err(Refusal::malformed(format!("there are more than {OPERATIONS} keys")));
    }
    keys.iter().try_for_each(|key| text::check_key(key))?;
    let start = Instant::now();
    let items = sidecar.guards.ask(&store.name, || store.get_many(keys.clone(), BULK)).await;
    sidecar.metrics.state(&store.name, "bulk_get", items.is_ok(), start);
    let items = items.map_err(|error| {
        Refusal::store(error, code::STATE_BULK_GET, &format!("failed bulk get from state store {}", store.name))
    })?;
    let items = items.ok_or_else(|| {
        Refusal::malformed(format!("the values are longer than {BULK} bytes together; ask for fewer keys"))
    })?;
    let length =
        items.iter().map(|(key, item)| key.len() + item.as_ref().map_or(0, |item| item.value.len()) + 160).sum();
    let mut answer = BytesMut::with_capacity(length);
    answer.put_u8(b'[');
    for (index, (key, item)) in items.iter().enumerate() {
        if index > 0 {
            answer.put_u8(b',');
        }
        answer.put_slice(b"{\"key\":");
        answer.put_slice(serde_json::Value::from(key.as_str()).to_string().as_bytes());
        if let Some(item) = item {
            answer.put_slice(b",\"data\":");
            answer.put_slice(&item.value);
            answer.put_slice(b",\"etag\":\"");
            answer.put_slice(item.etag.as_bytes());
            answer.put_u8(b'"');
            if let Some(expires) = item.expires {
                answer.put_slice(format!(",\"metadata\":{{\"ttlExpireTime\":\"{}\"}}", time_text(expires)).as_bytes());
            }
        }
        answer.put_u8(b'}');
    }
    answer.put_u8(b']');
    Ok(json(StatusCode::OK, answer.freeze()))
}

/// All operations and their events, or nothing.
pub(super) async fn commit_transaction(
    sidecar: &Sidecar,
    store: &StateStore,
    call: &mut Call,
) -> Result<Answer, Refusal> {
    let attempt = "error while executing state transaction";
    let (query, trace) = (call.metadata(), call.trace());
    let body: Bytes = call.body(sidecar).await?;
    let transaction: TransactionText<'_> = parse(&body)?;
    if transaction.operations.len() > OPERATIONS {
        return Err(Refusal::malformed(format!("there are more than {OPERATIONS} operations")));
    }
    let mut plan = text::plan(store, transaction, &body, query)?;
    if plan.changes.is_empty() && plan.upserts.is_empty() {
        return Ok(empty());
    }
    let messages = match &store.outbox {
        Some(target) => {
            outbox::messages(target, &sidecar.app_id, &plan.upserts, &plan.metadata, &trace).map_err(|error| {
                Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, code::PUBSUB_CLOUD_EVENTS_SER, error.to_string())
            })?
        }
        None => Vec::new(),
    };
    let changes = std::mem::take(&mut plan.changes);
    let (start, published) = (Instant::now(), messages.len());
    let done = commit(sidecar, store, changes, messages).await;
    sidecar.metrics.state(&store.name, "transaction", done.is_ok(), start);
    if let Some(target) = &store.outbox {
        (0..published).for_each(|_| sidecar.metrics.published(&target.pubsub, &target.topic, done.is_ok(), start));
    }
    done.map_err(|error: StoreError| Refusal::store(error, code::STATE_TRANSACTION, attempt))?;
    Ok(empty())
}
