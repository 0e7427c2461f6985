//! The statements on messages that wait for the relay: those whose pub/sub is not in the same file.

use bytes::Bytes;
use rusqlite::{Connection, params};

use super::writer::Batch;
use crate::{
    outbox::{Message, Waiting, Way},
    store::StoreError,
};

/// Stores a message with the transaction.
pub(crate) fn add(batch: &Batch<'_>, message: &Message) -> Result<(), StoreError> {
    batch
        .connection()
        .prepare_cached(
            "INSERT INTO outbox (pubsub, topic, key, attributes, expires, content) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            &*message.pubsub,
            &*message.topic,
            message.key,
            message.attributes,
            message.expires,
            &message.content[..]
        ])?;
    Ok(())
}

/// Removes what was relayed.
pub(crate) fn remove(batch: &Batch<'_>, relayed: &[i64]) -> Result<(), StoreError> {
    let mut statement = batch.connection().prepare_cached("DELETE FROM outbox WHERE id = ?1")?;
    relayed.iter().try_for_each(|id| statement.execute([id]).map(drop))?;
    Ok(())
}

/// Sets a message aside, which no pub/sub will ever take.
pub(crate) fn set_aside(batch: &Batch<'_>, id: i64, reason: &str) -> Result<(), StoreError> {
    let mut statement = batch.connection().prepare_cached("UPDATE outbox SET refused = ?2 WHERE id = ?1")?;
    statement.execute(params![id, reason])?;
    Ok(())
}

/// What comes next: `most` messages, of `bytes` bytes, but one at least, and none for ways that are `closed`.
pub(crate) fn next(
    connection: &Connection,
    most: u32,
    bytes: usize,
    closed: &[Way],
) -> Result<Vec<Waiting>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, pubsub, topic, key, attributes, expires, content FROM outbox
         WHERE refused IS NULL ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let (mut waiting, mut length) = (Vec::new(), 0);
    while length < bytes && waiting.len() < most as usize {
        let Some(row) = rows.next()? else { break };
        let (pubsub, topic): (String, String) = (row.get(1)?, row.get(2)?);
        if closed.iter().any(|way| *way.0 == *pubsub && *way.1 == *topic) {
            continue;
        }
        let content = Bytes::from(row.get::<_, Vec<u8>>(6)?);
        length += content.len();
        let message = Message {
            pubsub: pubsub.into(),
            topic: topic.into(),
            key: row.get(3)?,
            attributes: row.get(4)?,
            expires: row.get(5)?,
            content,
        };
        waiting.push(Waiting { id: row.get(0)?, message });
    }
    Ok(waiting)
}
