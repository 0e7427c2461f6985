//! Where messages wait for the relay.

use std::sync::Arc;

use tokio::time::Instant;
use uuid::Uuid;

use super::{Waiting, Way, relay::LEASE};
#[cfg(feature = "postgres")]
use crate::postgres;
use crate::{
    sqlite::{Database, outbox as table},
    store::StoreError,
};

/// Bytes of one batch, unless one message alone has more.
pub(crate) const BATCH_BYTES: usize = 4 << 20;

/// What there is to do.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Nothing.
    Nothing,
    /// These messages, until the lease ends. There may be others for ways that are closed.
    Ours { until: Instant, waiting: Vec<Waiting> },
    /// Another holds the lease.
    Others { until: Instant },
}

/// A table of messages.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// In a SQLite database, which has one process, and so one relay.
    Sqlite(Arc<Database>),
    /// In a PostgreSQL database.
    #[cfg(feature = "postgres")]
    Postgres(Arc<postgres::Database>),
}

impl Source {
    /// Removes what was relayed and takes what comes next, `most` messages and none for ways that are `closed`, where `me`
    /// holds the lease or can take it.
    pub(super) async fn next(&self, me: Uuid, relayed: &[i64], most: u32, closed: &[Way]) -> Result<Turn, StoreError> {
        match self {
            Self::Sqlite(database) => {
                if !relayed.is_empty() {
                    let relayed = relayed.to_vec();
                    database.write(move |batch| table::remove(batch, &relayed)).await?;
                }
                let until = Instant::now() + LEASE;
                let closed = closed.to_vec();
                let waiting =
                    database.read(move |connection| table::next(connection, most, BATCH_BYTES, &closed)).await?;
                Ok(if waiting.is_empty() { Turn::Nothing } else { Turn::Ours { until, waiting } })
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.relay(me, relayed, most, closed).await,
        }
    }

    /// Sets a message aside, which no pub/sub will ever take.
    pub(super) async fn set_aside(&self, id: i64, reason: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(database) => {
                let reason = reason.to_owned();
                database.write(move |batch| table::set_aside(batch, id, &reason)).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.set_aside(id, reason).await,
        }
    }
}
