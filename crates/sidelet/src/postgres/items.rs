//! The statements on items of state.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use tokio::time::Instant;
use tokio_postgres::{Row, types::Type};
use uuid::Uuid;

use super::{Database, Kind, TEXT, error};
use crate::{
    outbox::Message,
    state::{Change, Condition, Item},
    store::StoreError,
};

pub(super) const GET: &str =
    "SELECT key, value, etag, expires FROM {item} WHERE key = $1 AND (expires IS NULL OR expires > now())";

/// The values are null when they are longer than `$2` bytes together.
pub(super) const GET_MANY: &str = "
    SELECT key, CASE WHEN total <= $2 THEN value END, etag, expires
    FROM (
        SELECT *, sum(octet_length(value)) OVER () AS total FROM {item}
        WHERE key = ANY ($1) AND (expires IS NULL OR expires > now())
    ) AS found";

pub(super) const COMMIT: &str = "SELECT {commit}($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

/// Some at a time; what another replica is removing is left to it.
pub(super) const CLEAN: &str = "
    WITH gone AS (
        DELETE FROM {item} WHERE key = ANY (ARRAY(
            SELECT key FROM {item} WHERE expires <= now() LIMIT 1000 FOR UPDATE SKIP LOCKED
        )) RETURNING 1
    ) SELECT count(*) FROM gone";

/// As many as [`CLEAN`] removes at once.
const CLEANED: i64 = 1000;

/// When expired items are removed.
#[derive(Debug)]
pub(super) struct Tidy {
    interval: Option<Duration>,
    last: Mutex<Option<Instant>>,
}

impl Tidy {
    pub(super) fn new(interval: Option<Duration>) -> Self {
        Self { interval, last: Mutex::default() }
    }

    /// Whether it is time, which it is once.
    fn is_due(&self) -> bool {
        let Some(interval) = self.interval else { return false };
        let (mut last, now) = (self.last.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        let due = last.is_none_or(|last| last + interval <= now);
        if due {
            *last = Some(now);
        }
        due
    }
}

impl Database {
    /// Reads one item that has not expired.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Item>, StoreError> {
        let rows = self.ask(Kind::Read, &self.texts.get, &[(&key, TEXT)]).await?;
        rows.first().map(|row| Ok(item(row)?.1)).transpose().map_err(error::meaning)
    }

    /// Reads the items of many keys. `None` when their values are longer than `limit` bytes together.
    pub(crate) async fn get_many(
        &self,
        keys: &[String],
        limit: usize,
    ) -> Result<Option<HashMap<String, Item>>, StoreError> {
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let parameters: [super::Parameter<'_>; 2] = [(&keys, Type::TEXT_ARRAY), (&most, Type::INT8)];
        let rows = self.ask(Kind::Read, &self.texts.get_many, &parameters).await?;
        let mut items = HashMap::with_capacity(rows.len());
        for row in &rows {
            if row.try_get::<_, Option<&str>>(1).map_err(error::meaning)?.is_none() {
                return Ok(None);
            }
            let (key, item) = item(row).map_err(error::meaning)?;
            items.insert(key, item);
        }
        Ok(Some(items))
    }

    /// Makes all changes and stores all messages for the relay, or none. With `tells`, other replicas hear of the messages.
    pub(crate) async fn commit(
        self: &Arc<Self>,
        mut changes: Vec<Change>,
        messages: Vec<Message>,
        tells: bool,
    ) -> Result<(), StoreError> {
        // In one order everywhere, so that two transactions never wait for each other. What is of one key stays in its order.
        changes.sort_by(|one, other| one.key().cmp(other.key()));
        let Changes { keys, values, conditions, tags, lives } = columns(&changes)?;
        let pubsubs: Vec<_> = messages.iter().map(|message| &*message.pubsub).collect();
        let topics: Vec<_> = messages.iter().map(|message| &*message.topic).collect();
        let message_keys: Vec<_> = messages.iter().map(|message| message.key.as_deref()).collect();
        let attributes: Vec<_> = messages.iter().map(|message| &*message.attributes).collect();
        let expiries: Vec<_> = messages.iter().map(|message| message.expires).collect();
        let contents: Vec<_> = messages.iter().map(|message| &message.content[..]).collect();
        let channel = tells.then(|| self.settings.names.channel());
        let word = super::outbox::WORD;
        let parameters: [super::Parameter<'_>; 13] = [
            (&keys, Type::TEXT_ARRAY),
            (&values, Type::TEXT_ARRAY),
            (&conditions, Type::INT2_ARRAY),
            (&tags, Type::UUID_ARRAY),
            (&lives, Type::INT8_ARRAY),
            (&pubsubs, Type::TEXT_ARRAY),
            (&topics, Type::TEXT_ARRAY),
            (&message_keys, Type::TEXT_ARRAY),
            (&attributes, Type::TEXT_ARRAY),
            (&expiries, Type::INT8_ARRAY),
            (&contents, Type::BYTEA_ARRAY),
            (&channel, TEXT),
            (&word, TEXT),
        ];
        let rows = self.ask(Kind::Write, &self.texts.commit, &parameters).await?;
        let done: bool = match rows.first() {
            Some(row) => row.try_get(0).map_err(error::meaning)?,
            None => return Err(StoreError::failed("a commit gave no answer")),
        };
        if self.tidy.is_due() {
            tokio::spawn(self.clone().clean());
        }
        if done { Ok(()) } else { Err(StoreError::Conflict) }
    }

    /// Removes what has expired.
    async fn clean(self: Arc<Self>) {
        loop {
            let removed = self.ask(Kind::Write, &self.texts.clean, &[]).await;
            match removed.map(|rows| rows.first().map_or(0, |row| row.try_get::<_, i64>(0).unwrap_or(0))) {
                Ok(CLEANED) => {}
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(%error, "what has expired could not be removed; it is tried again later");
                    return;
                }
            }
        }
    }
}

/// Changes as the commit function takes them.
#[derive(Default)]
struct Changes<'changes> {
    keys: Vec<&'changes str>,
    values: Vec<Option<&'changes str>>,
    conditions: Vec<i16>,
    tags: Vec<Option<Uuid>>,
    lives: Vec<Option<i64>>,
}

fn columns(changes: &[Change]) -> Result<Changes<'_>, StoreError> {
    let mut columns = Changes::default();
    for change in changes {
        if change.key().contains('\0') {
            return Err(StoreError::rejected("PostgreSQL stores no key with the letter U+0000"));
        }
        let (value, condition, life) = match change {
            Change::Upsert { value, condition, time_to_live, .. } => {
                let value = std::str::from_utf8(value).map_err(|_| StoreError::failed("a value is not UTF-8"))?;
                (Some(value), condition, *time_to_live)
            }
            Change::Delete { condition, .. } => (None, condition, None),
        };
        let (condition, tag) = match (condition, value) {
            (Condition::None, _) => (0, None),
            // A delete that asks for nothing to be there has nothing to do with it.
            (Condition::Absent, None) => (0, None),
            (Condition::Absent, Some(_)) => (1, None),
            // What is no tag of ours matches nothing.
            (Condition::Matches(tag), _) => (2, Some(Uuid::try_parse(tag).unwrap_or_default())),
        };
        columns.keys.push(change.key());
        columns.values.push(value);
        columns.conditions.push(condition);
        columns.tags.push(tag);
        columns.lives.push(life);
    }
    Ok(columns)
}

fn item(row: &Row) -> Result<(String, Item), tokio_postgres::Error> {
    let (value, etag, expires): (&str, Uuid, Option<SystemTime>) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
    let expires = expires.map(|time| {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    });
    let value = Bytes::copy_from_slice(value.as_bytes());
    Ok((row.try_get(0)?, Item { value, etag: etag.to_string(), expires }))
}
