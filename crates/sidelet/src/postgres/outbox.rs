//! The statement of the relay.

use bytes::Bytes;
use tokio::time::Instant;
use tokio_postgres::{Row, types::Type};
use uuid::Uuid;

use super::{Database, Kind, error};
use crate::{
    outbox::{BATCH_BYTES, LEASE, Message, Turn, Waiting, Way},
    store::StoreError,
};

pub(super) const RELAY: &str = "SELECT held, remaining, id, pubsub, topic, key, attributes, expires, content FROM {relay}($1, $2, $3, $4, $5, $6, $7)";

/// What replicas are told when there are messages.
pub(crate) const WORD: &str = "outbox";

pub(super) const SET_ASIDE: &str = "UPDATE {outbox} SET refused = $2 WHERE id = $1";

impl Database {
    /// Removes what was relayed and takes what comes next, `most` messages and none for ways that are `closed`, where `me`
    /// holds the lease or can take it.
    pub(crate) async fn relay(&self, me: Uuid, relayed: &[i64], most: u32, closed: &[Way]) -> Result<Turn, StoreError> {
        let bytes = i64::try_from(BATCH_BYTES).expect("a batch is small");
        let lasts = i64::try_from(LEASE.as_millis()).expect("a lease is short");
        // Reckoned from before the question, it ends here no later than there.
        let (asked, most) = (Instant::now(), i64::from(most));
        let (pubsubs, topics): (Vec<&str>, Vec<&str>) =
            closed.iter().map(|(pubsub, topic)| (&**pubsub, &**topic)).unzip();
        let parameters: [super::Parameter<'_>; 7] = [
            (&me, Type::UUID),
            (&lasts, Type::INT8),
            (&relayed, Type::INT8_ARRAY),
            (&most, Type::INT8),
            (&bytes, Type::INT8),
            (&pubsubs, Type::TEXT_ARRAY),
            (&topics, Type::TEXT_ARRAY),
        ];
        // Removing twice, and reading again, does no harm.
        let rows = self.ask(Kind::Read, &self.texts.relay, &parameters).await?;
        read(&rows, asked).map_err(error::meaning)
    }

    /// Sets a message aside, which no pub/sub will ever take.
    pub(crate) async fn set_aside(&self, id: i64, reason: &str) -> Result<(), StoreError> {
        let parameters: [super::Parameter<'_>; 2] = [(&id, Type::INT8), (&reason, Type::TEXT)];
        self.ask(Kind::Read, &self.texts.set_aside, &parameters).await.map(drop)
    }
}

fn read(rows: &[Row], asked: Instant) -> Result<Turn, tokio_postgres::Error> {
    let (mut waiting, mut holds) = (Vec::with_capacity(rows.len()), false);
    for row in rows {
        let remaining: i64 = row.try_get(1)?;
        if !row.try_get::<_, bool>(0)? {
            let remaining = u64::try_from(remaining).unwrap_or_default();
            return Ok(Turn::Others { until: Instant::now() + std::time::Duration::from_millis(remaining) });
        }
        holds |= remaining > 0;
        let Some(id) = row.try_get(2)? else { continue };
        let message = Message {
            pubsub: row.try_get::<_, &str>(3)?.into(),
            topic: row.try_get::<_, &str>(4)?.into(),
            key: row.try_get(5)?,
            attributes: row.try_get(6)?,
            expires: row.try_get(7)?,
            content: Bytes::copy_from_slice(row.try_get(8)?),
        };
        waiting.push(Waiting { id, message });
    }
    Ok(if holds { Turn::Ours { until: asked + LEASE, waiting } } else { Turn::Nothing })
}
