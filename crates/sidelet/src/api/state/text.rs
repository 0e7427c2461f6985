//! The bodies of the state API as they arrive: values are slices of the body, neither parsed nor copied.
//!
//! They are the client's types in `dapr`, read more leniently, so that each mistake gets Dapr's own code.

use bytes::Bytes;
use dapr::{Metadata, Operation, code, metadata_key};
use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::answer::Refusal;
use crate::{
    outbox::Upsert,
    state::{Change, Condition, StateStore},
};

/// Reads a body.
pub(super) fn parse<'body, T: Deserialize<'body>>(body: &'body [u8]) -> Result<T, Refusal> {
    if body.is_empty() {
        return Err(Refusal::malformed("failed deserializing HTTP body: EOF"));
    }
    serde_json::from_slice(body).map_err(|error| Refusal::malformed(format!("failed deserializing HTTP body: {error}")))
}

/// A `dapr::StateItem`.
#[derive(Deserialize)]
pub(super) struct ItemText<'body> {
    #[serde(default)]
    key: Option<String>,
    #[serde(borrow, default)]
    value: Option<&'body RawValue>,
    #[serde(default, alias = "eTag", alias = "ETag")]
    etag: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    options: Option<OptionsText>,
}

#[derive(Deserialize)]
struct OptionsText {
    #[serde(default)]
    concurrency: Option<String>,
}

/// A `dapr::BulkGetRequest`.
#[derive(Deserialize)]
pub(super) struct BulkText {
    #[serde(default)]
    pub(super) keys: Vec<String>,
}

/// A `dapr::Transaction`.
#[derive(Deserialize)]
pub(super) struct TransactionText<'body> {
    #[serde(borrow, default)]
    pub(super) operations: Vec<OperationText<'body>>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
pub(super) struct OperationText<'body> {
    operation: String,
    #[serde(borrow)]
    request: ItemText<'body>,
}

impl ItemText<'_> {
    /// The key, and the metadata with that of the query on top, as Dapr merges them.
    pub(super) fn keyed(&self, query: &Metadata) -> Result<(String, Metadata), Refusal> {
        let key = self.key.clone().filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| Refusal::malformed("failed validating input: \"key\" is a required field"))?;
        check_key(&key)?;
        let mut metadata = self.metadata.clone().unwrap_or_default();
        metadata.extend(query.iter().map(|(key, value)| (key.clone(), value.clone())));
        Ok((key, metadata))
    }

    /// The value; JSON's null when there is none.
    pub(super) fn value(&self, body: &Bytes) -> Bytes {
        self.value.map_or(Bytes::from_static(b"null"), |value| body.slice_ref(value.get().as_bytes()))
    }

    /// When the write happens.
    pub(super) fn condition(&self) -> Result<Condition, String> {
        let concurrency = self.options.as_ref().and_then(|options| options.concurrency.as_deref()).unwrap_or_default();
        let first_write = match concurrency {
            "" | "last-write" => false,
            "first-write" => true,
            other => return Err(format!("unrecognized concurrency model '{other}'")),
        };
        Ok(match self.etag.as_deref().unwrap_or_default() {
            "" if first_write => Condition::Absent,
            "" => Condition::None,
            etag => Condition::Matches(etag.to_owned()),
        })
    }
}

/// Two bars part the prefix from the key, so a key cannot have them.
pub(super) fn check_key(key: &str) -> Result<(), Refusal> {
    if key.contains("||") {
        let message = format!("input key/keyPrefix '{key}' can't contain '||'");
        return Err(Refusal::malformed(message).because("DAPR_STATE_ILLEGAL_KEY"));
    }
    Ok(())
}

/// Seconds to live. `-1` and `0` are for ever.
pub(super) fn time_to_live(metadata: &Metadata) -> Result<Option<i64>, String> {
    let Some(text) = metadata.get(metadata_key::TTL_IN_SECONDS) else { return Ok(None) };
    match text.parse::<i32>() {
        Ok(seconds) if seconds > 0 => Ok(Some(i64::from(seconds))),
        Ok(-1 | 0) => Ok(None),
        _ => Err(format!("incorrect value for metadata 'ttlInSeconds': '{text}'")),
    }
}

/// What a transaction comes to.
pub(super) struct Plan {
    pub(super) changes: Vec<Change>,
    /// For the outbox, in the order of the operations.
    pub(super) upserts: Vec<Upsert>,
    /// Of the transaction.
    pub(super) metadata: Metadata,
}

/// Sorts operations into what is stored and what is published.
pub(super) fn plan(
    store: &StateStore,
    transaction: TransactionText<'_>,
    body: &Bytes,
    query: Metadata,
) -> Result<Plan, Refusal> {
    let mut metadata = transaction.metadata.unwrap_or_default();
    metadata.extend(query);
    let mut plan = Plan { changes: Vec::new(), upserts: Vec::new(), metadata };
    let refuse = |reason| {
        let message = format!("error while executing state transaction: {reason}");
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, code::STATE_TRANSACTION, message)
    };
    for OperationText { operation, request } in transaction.operations {
        let (key, metadata) = request.keyed(&Metadata::new())?;
        let condition = request.condition().map_err(refuse)?;
        match operation.as_str() {
            Operation::UPSERT => {
                let (value, time_to_live) = (request.value(body), time_to_live(&metadata).map_err(refuse)?);
                let upsert = Upsert { key, value, metadata };
                if !upsert.is_projection() {
                    let (key, value) = (store.whole_key(&upsert.key), upsert.value.clone());
                    plan.changes.push(Change::Upsert { key, value, condition, time_to_live });
                } else if store.outbox.is_none() {
                    let message =
                        format!("`outbox.projection` of `{}`: state store {} has no outbox", upsert.key, store.name);
                    return Err(Refusal::malformed(message));
                }
                plan.upserts.push(upsert);
            }
            Operation::DELETE => plan.changes.push(Change::Delete { key: store.whole_key(&key), condition }),
            other => {
                let message = format!("operation type {other} not supported");
                return Err(Refusal::new(StatusCode::BAD_REQUEST, code::NOT_SUPPORTED_STATE_OPERATION, message));
            }
        }
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_writes_is_read() {
        let item = dapr::StateItem::new("k", &["v"]).unwrap().with_etag("7").with_metadata("ttlInSeconds", "9");
        let text = serde_json::to_vec(&dapr::Transaction::new(vec![Operation::upsert(item.first_write())])).unwrap();
        let read: TransactionText<'_> = parse(&text).unwrap();
        let item = &read.operations[0].request;
        assert_eq!(item.condition(), Ok(Condition::Matches("7".into())));
        assert_eq!(item.value.unwrap().get(), r#"["v"]"#);
        let (key, metadata) = item.keyed(&Metadata::new()).unwrap();
        assert_eq!((key.as_str(), time_to_live(&metadata)), ("k", Ok(Some(9))));
    }
}
