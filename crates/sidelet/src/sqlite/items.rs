//! The statements on items of state.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

use super::writer::Batch;
use crate::{
    state::{Change, Condition, Item},
    store::StoreError,
};

/// Reads one item that has not expired.
pub(crate) fn get(connection: &Connection, table: &str, key: &str, now: i64) -> Result<Option<Item>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT value, etag, expires FROM item WHERE store = ?1 AND key = ?2 AND (expires IS NULL OR expires > ?3)",
    )?;
    let item = statement
        .query_row(params![table, key, now], |row| {
            let value = Bytes::copy_from_slice(row.get_ref(0)?.as_bytes()?);
            Ok(Item { value, etag: row.get(1)?, expires: row.get(2)? })
        })
        .optional()?;
    Ok(item)
}

/// Makes one change, or refuses it with [`StoreError::Conflict`].
pub(crate) fn change(batch: &mut Batch<'_>, table: &str, change: &Change) -> Result<(), StoreError> {
    match change {
        Change::Upsert { key, value, condition, time_to_live } => {
            let expires = time_to_live.map(|seconds| batch.now().saturating_add(seconds.saturating_mul(1000)));
            if let Some(expires) = expires {
                batch.note_expiry(expires);
            }
            upsert(batch, table, key, value, condition, expires)
        }
        Change::Delete { key, condition } => delete(batch, table, key, condition),
    }
}

fn upsert(
    batch: &Batch<'_>,
    table: &str,
    key: &str,
    value: &Bytes,
    condition: &Condition,
    expires: Option<i64>,
) -> Result<(), StoreError> {
    // A tag is never used twice, so that an item which went and came back is not taken for the old one.
    let etag = uuid::Uuid::new_v4().to_string();
    let value = std::str::from_utf8(value).map_err(|_| StoreError::failed("a value is not UTF-8"))?;
    let now = batch.now();
    let changed = match condition {
        Condition::None => batch
            .connection()
            .prepare_cached(
                "INSERT INTO item (store, key, value, etag, expires) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET value = ?3, etag = ?4, expires = ?5",
            )?
            .execute(params![table, key, value, etag, expires])?,
        Condition::Absent => batch
            .connection()
            .prepare_cached(
                "INSERT INTO item (store, key, value, etag, expires) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET value = ?3, etag = ?4, expires = ?5 WHERE item.expires <= ?6",
            )?
            .execute(params![table, key, value, etag, expires, now])?,
        Condition::Matches(expected) => batch
            .connection()
            .prepare_cached(
                "UPDATE item SET value = ?3, etag = ?4, expires = ?5
                 WHERE store = ?1 AND key = ?2 AND etag = ?7 AND (expires IS NULL OR expires > ?6)",
            )?
            .execute(params![table, key, value, etag, expires, now, expected])?,
    };
    if changed == 0 { Err(StoreError::Conflict) } else { Ok(()) }
}

fn delete(batch: &Batch<'_>, table: &str, key: &str, condition: &Condition) -> Result<(), StoreError> {
    let Condition::Matches(expected) = condition else {
        batch
            .connection()
            .prepare_cached("DELETE FROM item WHERE store = ?1 AND key = ?2")?
            .execute(params![table, key])?;
        return Ok(());
    };
    let removed = batch
        .connection()
        .prepare_cached(
            "DELETE FROM item WHERE store = ?1 AND key = ?2 AND etag = ?3 AND (expires IS NULL OR expires > ?4)",
        )?
        .execute(params![table, key, expected, batch.now()])?;
    if removed == 0 { Err(StoreError::Conflict) } else { Ok(()) }
}
