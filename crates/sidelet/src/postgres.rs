//! A PostgreSQL database that holds state and the messages of its transactions.
//!
//! Each question is one statement and one round trip, and needs nothing of the connection's past: no prepared
//! statement, no session setting. So it works through a pooler that gives every transaction another connection.
//! While nothing is asked of the store, nothing is asked of the database.

mod address;
mod error;
mod items;
mod jobs;
mod listener;
mod names;
mod outbox;
mod pool;
mod preparation;
mod schema;
mod tls;

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

use uuid::Uuid;

use crate::{
    metrics::Queries,
    store::{OpenError, StoreError},
};

pub(crate) use address::Address;
pub(crate) use jobs::Told;
pub(crate) use listener::{Hearer, listen};
pub(crate) use names::{Name, Names};
pub(crate) use outbox::WORD;

use items::Tidy;
use pool::{Connector, Pool};
use preparation::Preparation;

const TEXT: Type = Type::TEXT;

/// Which database, and how it is used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// Where it is.
    pub(crate) address: Address,
    /// Where it is reached without a pooler in between, to hear what other replicas tell. None: by the same way.
    pub(crate) direct: Option<Address>,
    /// What is made there.
    pub(crate) names: Names,
    /// How long a question may take, with what it waits for a connection.
    pub(crate) timeout: Duration,
    /// How many connections there are at most.
    pub(crate) connections: usize,
    /// After which time without use a connection is closed.
    pub(crate) idle: Duration,
    /// How often writes remove what has expired. None: never.
    pub(crate) cleanup: Option<Duration>,
}

/// A parameter of a statement with its type, so that the server need not be asked for it.
type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// Whether a statement may be sent again when its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It may: it changes nothing, or the same again.
    Read,
    /// It may not: nobody knows whether it was carried out.
    Write,
}

/// A database that may be away. It is closed by [`Database::close`].
#[derive(Debug)]
pub(crate) struct Database {
    settings: Settings,
    /// For what goes on when a caller has gone.
    itself: Weak<Self>,
    /// Tells this replica from the others.
    me: Uuid,
    pool: Pool,
    direct: Connector,
    tables: Preparation,
    /// When the last question was answered.
    asked: watch::Sender<Instant>,
    texts: Texts,
    tidy: Tidy,
    queries: Queries,
}

/// The statements, with the names filled in.
#[derive(Debug)]
struct Texts {
    get: String,
    get_many: String,
    commit: String,
    clean: String,
    relay: String,
    set_aside: String,
    jobs: jobs::Texts,
}

impl Database {
    /// Nothing is connected yet.
    pub(crate) fn new(settings: Settings, queries: Queries) -> Result<Arc<Self>, OpenError> {
        let connector =
            |address: &Address| Connector::new(address).map_err(|reason| OpenError::new(address.place(), reason));
        let direct = connector(settings.direct.as_ref().unwrap_or(&settings.address))?;
        let names = &settings.names;
        let texts = Texts {
            get: names.fill(items::GET),
            get_many: names.fill(items::GET_MANY),
            commit: names.fill(items::COMMIT),
            clean: names.fill(items::CLEAN),
            relay: names.fill(outbox::RELAY),
            set_aside: names.fill(outbox::SET_ASIDE),
            jobs: jobs::Texts::new(|text| names.fill(text)),
        };
        let pool = Pool::new(connector(&settings.address)?, settings.connections, settings.idle);
        let tidy = Tidy::new(settings.cleanup);
        let (tables, asked) = (Preparation::new(), watch::Sender::new(Instant::now()));
        Ok(Arc::new_cyclic(|itself| {
            let (itself, me) = (itself.clone(), Uuid::new_v4());
            Self { settings, itself, me, pool, direct, tables, asked, texts, tidy, queries }
        }))
    }

    /// Brings the tables up to date, once. It may take as long as the making of an index; who stops waiting stops
    /// nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] while the database is away; anything else does not end by itself.
    pub(crate) async fn prepare(&self) -> Result<(), StoreError> {
        let attempt = || {
            let database = self.itself.upgrade().expect("whoever asks it has it");
            async move { database.migrate().await }
        };
        self.tables.done(attempt).await
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let deadline = Instant::now() + self.settings.timeout;
        let mut connection = self.pool.take(false, deadline).await?;
        self.queries.write.inc();
        let made = schema::prepare(&mut connection.client, &self.settings.names, deadline).await?;
        connection.give_back();
        let (database, table) = (self.place(), self.settings.names.item());
        if made > 0 {
            tracing::info!(database, table, made, "the tables of a store were brought up to date");
        }
        Ok(())
    }

    /// Host, port and database.
    pub(crate) fn place(&self) -> String {
        self.settings.address.place()
    }

    /// Asks one question.
    ///
    /// A connection that broke is replaced: at once when it was known to be broken before anything was sent, and after
    /// a lost answer where the question may be asked twice.
    async fn ask(&self, kind: Kind, text: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, StoreError> {
        let deadline = Instant::now() + self.settings.timeout;
        timeout_at(deadline, self.prepare()).await.map_err(|_| pool::silent())??;
        let mut again = kind == Kind::Read;
        loop {
            // The first try took what was unused, and it may all be broken.
            let fresh = kind == Kind::Read && !again;
            let connection = self.pool.take(fresh, deadline).await?;
            match kind {
                Kind::Read => self.queries.read.inc(),
                Kind::Write => self.queries.write.inc(),
            }
            match timeout_at(deadline, connection.client.query_typed(text, parameters)).await {
                Ok(Ok(rows)) => {
                    connection.give_back();
                    self.asked.send_replace(Instant::now());
                    return Ok(rows);
                }
                Ok(Err(error)) if !error::is_lost(&error) => {
                    connection.give_back();
                    return Err(error::meaning(error));
                }
                Ok(Err(error)) => {
                    self.pool.forget();
                    if !std::mem::take(&mut again) {
                        return Err(error::meaning(error));
                    }
                    tracing::debug!(%error, "a connection broke, and the question is asked on another one");
                }
                // What is on its way over the connection may still be carried out.
                Err(_) => {
                    self.pool.forget();
                    return Err(pool::silent());
                }
            }
        }
    }

    /// Gives no connection any more; what is under way ends as it does.
    pub(crate) fn close(&self) {
        self.pool.close();
    }
}
