//! Connections that are used in turn.
//!
//! A connection that nobody uses is only a socket: nothing is asked over it, and it is closed after a while.
//! One that broke meanwhile is noticed before it is used, when the other side said so.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit},
    time::{Instant, sleep_until, timeout_at},
};
use tokio_postgres::Client;
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::sync::CancellationToken;

use super::{address::Address, error};
use crate::store::StoreError;

/// Open connections.
#[derive(Debug)]
pub(super) struct Pool {
    places: Semaphore,
    connector: Connector,
    idle: Arc<Idle>,
}

/// What makes connections.
#[derive(Clone)]
pub(super) struct Connector {
    config: tokio_postgres::Config,
    tls: MakeRustlsConnect,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connector").finish_non_exhaustive()
    }
}

impl Connector {
    /// The error is a sentence on a file of certificates.
    pub(super) fn new(address: &Address) -> Result<Self, String> {
        Ok(Self { config: address.config.clone(), tls: address.tls.connector()? })
    }

    /// Opens a connection that lives as long as its client.
    async fn open(&self) -> Result<Client, StoreError> {
        let (client, connection) = self.config.connect(self.tls.clone()).await.map_err(error::of_connecting)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the database has ended");
            }
        });
        Ok(client)
    }

    /// Opens a connection whose messages somebody else reads.
    pub(super) async fn open_raw(
        &self,
    ) -> Result<
        (
            Client,
            tokio_postgres::Connection<
                tokio_postgres::Socket,
                <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<tokio_postgres::Socket>>::Stream,
            >,
        ),
        StoreError,
    > {
        self.config.connect(self.tls.clone()).await.map_err(error::of_connecting)
    }
}

/// What nobody uses, the longest unused first.
#[derive(Debug, Default)]
struct Idle {
    clients: Mutex<Vec<(Client, Instant)>>,
    returned: Notify,
    closed: CancellationToken,
}

impl Idle {
    fn clients(&self) -> MutexGuard<'_, Vec<(Client, Instant)>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes what was not used for `longest`.
    async fn tidy(self: Arc<Self>, longest: Duration) {
        loop {
            let first = self.clients().first().map(|(_, since)| *since + longest);
            tokio::select! {
                () = self.closed.cancelled() => return,
                () = self.returned.notified(), if first.is_none() => {}
                () = sleep_until(first.unwrap_or_else(Instant::now)), if first.is_some() => {
                    let now = Instant::now();
                    self.clients().retain(|(client, since)| *since + longest > now && !client.is_closed());
                }
            }
        }
    }
}

/// A connection in use. It is closed when it is dropped, unless it is given back.
pub(super) struct Connection<'pool> {
    pub(super) client: Client,
    idle: &'pool Idle,
    _place: SemaphorePermit<'pool>,
}

impl Connection<'_> {
    /// For the next one.
    pub(super) fn give_back(self) {
        if !self.client.is_closed() && !self.idle.closed.is_cancelled() {
            self.idle.clients().push((self.client, Instant::now()));
            self.idle.returned.notify_one();
        }
    }
}

impl Pool {
    /// Opens nothing yet: `most` connections at most, each closed after `longest` without use.
    pub(super) fn new(connector: Connector, most: usize, longest: Duration) -> Self {
        let idle = Arc::<Idle>::default();
        tokio::spawn(idle.clone().tidy(longest));
        Self { places: Semaphore::new(most), connector, idle }
    }

    /// A connection, which is a new one if `fresh` or if there is none unused.
    pub(super) async fn take(&self, fresh: bool, deadline: Instant) -> Result<Connection<'_>, StoreError> {
        let place = timeout_at(deadline, self.places.acquire()).await.map_err(|_| busy())?;
        let place = place.map_err(|_| StoreError::unavailable("it is closed"))?;
        let unused = if fresh { None } else { self.unused() };
        let client = match unused {
            Some(client) => client,
            None => timeout_at(deadline, self.connector.open()).await.map_err(|_| silent())??,
        };
        Ok(Connection { client, idle: &self.idle, _place: place })
    }

    /// The one that was used last, so that the others may end.
    fn unused(&self) -> Option<Client> {
        let mut clients = self.idle.clients();
        std::iter::from_fn(|| clients.pop()).map(|(client, _)| client).find(|client| !client.is_closed())
    }

    /// Closes what is unused: one connection broke, and the others may have broken with it.
    pub(super) fn forget(&self) {
        self.idle.clients().clear();
    }

    /// Gives no connection any more.
    pub(super) fn close(&self) {
        self.places.close();
        self.idle.closed.cancel();
        self.forget();
    }
}

fn busy() -> StoreError {
    StoreError::unavailable("all connections are in use; `maxConns` says how many there are")
}

pub(super) fn silent() -> StoreError {
    StoreError::unavailable("it did not answer in time")
}
