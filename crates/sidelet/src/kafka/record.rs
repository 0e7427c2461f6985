//! Messages as Kafka's records, as Dapr writes and reads them: what travels beside the content are headers.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use dapr::metadata_key;
use rdkafka::{
    Message as _,
    message::{BorrowedMessage, Header, Headers as _, OwnedHeaders},
    producer::FutureRecord,
};

use crate::{
    envelope,
    log::{Message, NewMessage},
};

/// The headers of a message. Its key is the record's.
pub(super) fn headers(message: &NewMessage) -> OwnedHeaders {
    let attributes: BTreeMap<String, String> = serde_json::from_str(&message.attributes).unwrap_or_default();
    let mut headers = OwnedHeaders::new_with_capacity(attributes.len());
    for (name, value) in &attributes {
        if name != metadata_key::PARTITION_KEY {
            headers = headers.insert(Header { key: name, value: Some(value) });
        }
    }
    headers
}

/// The record of a message.
pub(super) fn record(message: &NewMessage) -> FutureRecord<'_, str, [u8]> {
    let record = FutureRecord::to(&message.topic.name).payload(message.content.as_ref()).headers(headers(message));
    match &message.key {
        Some(key) => record.key(key.as_str()),
        None => record,
    }
}

/// The message of a record. Text that is none is left out: no header of HTTP could carry it.
pub(super) fn message(record: &BorrowedMessage<'_>) -> Message {
    let mut attributes = BTreeMap::new();
    for header in record.headers().into_iter().flat_map(|headers| headers.iter()) {
        if let Some(Ok(value)) = header.value.map(std::str::from_utf8) {
            attributes.insert(header.key, value);
        }
    }
    let content = Bytes::copy_from_slice(record.payload().unwrap_or_default());
    Message {
        offset: record.offset(),
        time: record.timestamp().to_millis().unwrap_or_default(),
        key: record.key().map(|key| Arc::from(String::from_utf8_lossy(key))),
        attributes: serde_json::to_string(&attributes).expect("a map of text is JSON"),
        expires: envelope::expires(&content),
        content,
    }
}
