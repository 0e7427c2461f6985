//! Reads of the log for people who look into it. They may walk all of a topic.

use rusqlite::{Connection, params};

use super::log;
use crate::{
    log::{Message, Progress},
    store::StoreError,
};

/// The names of a component's topics.
pub(crate) fn topics(connection: &Connection, pubsub: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT name FROM topic WHERE pubsub = ?1 ORDER BY name")?;
    let names = statement.query_map([pubsub], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(names)
}

/// How far each group has come in a partition, as far as that is written.
pub(crate) fn groups(connection: &Connection, partition: i64) -> Result<Vec<(String, Progress)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT consumer_group, next, unfinished FROM consumer_offset WHERE partition = ?1 ORDER BY consumer_group",
    )?;
    let mut rows = statement.query([partition])?;
    let mut groups = Vec::new();
    while let Some(row) = rows.next()? {
        let unfinished: String = row.get(2)?;
        let unfinished =
            serde_json::from_str(&unfinished).map_err(|_| StoreError::failed("a list of offsets is not readable"))?;
        groups.push((row.get(0)?, Progress { next: row.get(1)?, unfinished }));
    }
    Ok(groups)
}

/// Messages of a partition whose content has `text` somewhere, the oldest first.
pub(crate) fn containing(
    connection: &Connection,
    partition: i64,
    text: &str,
    count: usize,
) -> Result<Vec<Message>, StoreError> {
    let [first, last] = log::range(partition);
    let mut statement = connection.prepare_cached(
        "SELECT position, time, key, attributes, expires, content FROM message
         WHERE position >= ?1 AND position < ?2 AND instr(content, ?3) > 0 ORDER BY position LIMIT ?4",
    )?;
    let limit = i64::try_from(count).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![first, last, text.as_bytes(), limit])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        messages.push(log::message(row, partition)?);
    }
    Ok(messages)
}

/// The newest messages of a partition, the newest first.
pub(crate) fn newest(connection: &Connection, partition: i64, count: usize) -> Result<Vec<Message>, StoreError> {
    let [first, last] = log::range(partition);
    let mut statement = connection.prepare_cached(
        "SELECT position, time, key, attributes, expires, content FROM message
         WHERE position >= ?1 AND position < ?2 ORDER BY position DESC LIMIT ?3",
    )?;
    let mut rows = statement.query([first, last, i64::try_from(count).unwrap_or(i64::MAX)])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        messages.push(log::message(row, partition)?);
    }
    Ok(messages)
}

/// How many messages a partition holds.
pub(crate) fn count(connection: &Connection, partition: i64) -> Result<i64, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT count(*) FROM message WHERE position >= ?1 AND position < ?2")?;
    Ok(statement.query_row(log::range(partition), |row| row.get(0))?)
}
