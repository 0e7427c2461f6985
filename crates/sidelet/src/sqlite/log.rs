//! The log: topics of partitions of numbered messages, as Kafka's.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicUsize, Ordering},
};

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::sync::watch;

use super::writer::Batch;
use crate::{
    log::{Message, NewMessage, Topic},
    store::StoreError,
};

/// How many bits of a position are the offset.
const OFFSET_BITS: u32 = 40;

/// Where `offset` of the partition with this id is in the table.
fn position(partition: i64, offset: i64) -> i64 {
    (partition << OFFSET_BITS) + offset
}

/// The partitions of a topic, and how far each goes.
#[derive(Debug)]
pub(crate) struct Partitions {
    first: i64,
    ends: Box<[AtomicI64]>,
    changed: watch::Sender<()>,
    turn: AtomicUsize,
}

impl Partitions {
    /// How many there have been since the topic was made.
    pub(crate) fn count(&self) -> usize {
        self.ends.len()
    }

    /// The id by which the tables know a partition.
    pub(crate) fn id(&self, partition: usize) -> i64 {
        self.first + i64::try_from(partition).expect("a topic has few partitions")
    }

    /// The partition of a key: the same for ever. Messages without a key take turns.
    pub(crate) fn of(&self, key: Option<&str>) -> usize {
        match key {
            Some(key) => {
                let count = u64::try_from(self.count()).expect("a count of partitions is a u64");
                usize::try_from(hash(key) % count).expect("a remainder is below the count")
            }
            None => self.turn.fetch_add(1, Ordering::Relaxed) % self.count(),
        }
    }

    /// The offset after the last message on the disk.
    pub(crate) fn end(&self, partition: usize) -> i64 {
        self.ends[partition].load(Ordering::Acquire)
    }

    /// Tells of every commit that appended to the topic.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(super) fn publish_end(&self, partition: usize, end: i64) {
        self.ends[partition].fetch_max(end, Ordering::Release);
        self.changed.send_replace(());
    }
}

/// FNV-1a over 64 bits. It decides where keys live, so it must never change.
fn hash(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Finds a topic, or makes it with `partitions` partitions.
pub(crate) fn open_topic(batch: &Batch<'_>, pubsub: &str, name: &str, partitions: u32) -> Result<Topic, StoreError> {
    let connection = batch.connection();
    let found = connection
        .query_row(
            "SELECT first_partition, partitions FROM topic WHERE pubsub = ?1 AND name = ?2",
            params![pubsub, name],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let (first_partition, partitions): (i64, u32) = match found {
        Some(found) => found,
        None => {
            let first: i64 =
                connection.query_row("SELECT coalesce(max(id), 0) + 1 FROM partition", [], |row| row.get(0))?;
            let mut insert = connection.prepare_cached("INSERT INTO partition (id, start) VALUES (?1, 0)")?;
            for id in (first..).take(partitions as usize) {
                insert.execute([id])?;
            }
            connection.execute(
                "INSERT INTO topic (first_partition, partitions, pubsub, name) VALUES (?1, ?2, ?3, ?4)",
                params![first, partitions, pubsub, name],
            )?;
            (first, partitions)
        }
    };
    let ends = (first_partition..)
        .take(partitions as usize)
        .map(|id| Ok(AtomicI64::new(next_position(connection, id)? - position(id, 0))))
        .collect::<Result<Box<[_]>, StoreError>>()?;
    let partitions =
        Partitions { first: first_partition, ends, changed: watch::Sender::new(()), turn: AtomicUsize::new(0) };
    Ok(Topic::in_file(pubsub, name, partitions))
}

/// Where the next message of a partition goes.
fn next_position(connection: &Connection, partition: i64) -> Result<i64, StoreError> {
    let last: Option<i64> = connection
        .prepare_cached(
            "SELECT position FROM message WHERE position >= ?1 AND position < ?2 ORDER BY position DESC LIMIT 1",
        )?
        .query_row([position(partition, 0), position(partition + 1, 0)], |row| row.get(0))
        .optional()?;
    match last {
        Some(last) => Ok(last + 1),
        None => Ok(position(partition, start(connection, partition)?)),
    }
}

/// The first offset that may still be there.
pub(crate) fn start(connection: &Connection, partition: i64) -> Result<i64, StoreError> {
    let start = connection
        .prepare_cached("SELECT start FROM partition WHERE id = ?1")?
        .query_row([partition], |row| row.get(0))?;
    Ok(start)
}

/// Appends one message. It is seen by readers once the batch is committed.
pub(crate) fn append(batch: &mut Batch<'_>, message: &NewMessage) -> Result<(), StoreError> {
    let partitions = message.topic.partitions();
    let partition = partitions.of(message.key.as_deref());
    let id = partitions.id(partition);
    let position_now = next_position(batch.connection(), id)?;
    batch
        .connection()
        .prepare_cached(
            "INSERT INTO message (position, time, key, attributes, expires, content) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            position_now,
            batch.now(),
            message.key,
            message.attributes,
            message.expires,
            message.content.as_ref()
        ])?;
    let end = position_now + 1 - position(id, 0);
    batch.note_append(message.topic.clone(), partition, end);
    Ok(())
}

/// Reads messages of a partition in order, from `from` on: at most `count`, and no more after `bytes` of content.
pub(crate) fn read(
    connection: &Connection,
    partition: i64,
    from: i64,
    count: usize,
    bytes: usize,
) -> Result<Vec<Message>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT position, time, key, attributes, expires, content FROM message
         WHERE position >= ?1 AND position < ?2 ORDER BY position LIMIT ?3",
    )?;
    let range = [position(partition, from), position(partition + 1, 0), i64::try_from(count).unwrap_or(i64::MAX)];
    let mut rows = statement.query(range)?;
    let (mut messages, mut held) = (Vec::new(), 0);
    while held < bytes
        && let Some(row) = rows.next()?
    {
        let message = message(row, partition)?;
        held += message.content.len();
        messages.push(message);
    }
    Ok(messages)
}

/// Reads single messages of a partition. Those that are gone are left out.
pub(crate) fn read_at(connection: &Connection, partition: i64, offsets: &[i64]) -> Result<Vec<Message>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT position, time, key, attributes, expires, content FROM message WHERE position = ?1")?;
    let mut messages = Vec::with_capacity(offsets.len());
    for offset in offsets {
        let found = statement.query_row([position(partition, *offset)], |row| message(row, partition)).optional()?;
        messages.extend(found);
    }
    Ok(messages)
}

/// The positions of a partition: from the first, and before the second.
pub(super) fn range(partition: i64) -> [i64; 2] {
    [position(partition, 0), position(partition + 1, 0)]
}

pub(super) fn message(row: &Row<'_>, partition: i64) -> Result<Message, rusqlite::Error> {
    Ok(Message {
        offset: row.get::<_, i64>(0)? - position(partition, 0),
        time: row.get(1)?,
        key: row.get::<_, Option<String>>(2)?.map(Arc::from),
        attributes: row.get(3)?,
        expires: row.get(4)?,
        content: Bytes::from(row.get::<_, Vec<u8>>(5)?),
    })
}

/// Removes messages of `before` and earlier from the front of a partition, none at or after offset `below`, and says when the
/// first that remains was appended.
pub(crate) fn trim(
    connection: &Connection,
    partition: i64,
    below: i64,
    before: i64,
    count: usize,
) -> Result<(usize, Option<i64>), StoreError> {
    let first = position(partition, start(connection, partition)?);
    let mut remaining = None;
    let mut last = None;
    let mut removed = 0;
    {
        let mut statement = connection.prepare_cached(
            "SELECT position, time FROM message WHERE position >= ?1 AND position < ?2 ORDER BY position LIMIT ?3",
        )?;
        let limit = i64::try_from(count).unwrap_or(i64::MAX);
        let mut rows = statement.query([first, position(partition + 1, 0), limit])?;
        while let Some(row) = rows.next()? {
            let (at, time): (i64, i64) = (row.get(0)?, row.get(1)?);
            if time > before || at >= position(partition, below) {
                remaining = Some(time);
                break;
            }
            last = Some(at);
            removed += 1;
        }
    }
    if let Some(last) = last {
        connection
            .prepare_cached("DELETE FROM message WHERE position >= ?1 AND position <= ?2")?
            .execute([first, last])?;
        connection
            .prepare_cached("UPDATE partition SET start = ?2 WHERE id = ?1")?
            .execute([partition, last + 1 - position(partition, 0)])?;
    }
    Ok((removed, remaining))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_key_never_changes() {
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }
}
