//! The addresses of the API, which may be open before there is anything behind them.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use tokio::{net::TcpListener, time::Instant};

use crate::{
    api::{self, Server},
    error::StartError,
    sidecar::Sidecar,
};

/// Open addresses. Until [`Entrance::admit`] every call is told to come later.
#[derive(Debug)]
pub(super) struct Entrance {
    addresses: Vec<SocketAddr>,
    server: Server,
    behind: Arc<OnceLock<Arc<Sidecar>>>,
}

impl Entrance {
    /// Tells every call to come later.
    pub(super) fn closed(listeners: Vec<TcpListener>) -> Self {
        Self::start(listeners, Arc::default())
    }

    /// Answers with `sidecar` from the first call on.
    pub(super) fn to(sidecar: Arc<Sidecar>, listeners: Vec<TcpListener>) -> (Server, Vec<SocketAddr>) {
        let entrance = Self::start(listeners, Arc::new(OnceLock::from(sidecar)));
        (entrance.server, entrance.addresses)
    }

    fn start(listeners: Vec<TcpListener>, behind: Arc<OnceLock<Arc<Sidecar>>>) -> Self {
        let addresses = addresses(&listeners);
        let sidecar = behind.clone();
        let server = Server::start(listeners, move |request| {
            let sidecar = sidecar.get().cloned();
            async move {
                match sidecar {
                    Some(sidecar) => api::serve(sidecar, request).await,
                    None => Ok(api::not_yet(&request)),
                }
            }
        });
        Self { addresses, server, behind }
    }

    /// Where it is.
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Answers with `sidecar` from now on.
    pub(super) fn admit(self, sidecar: Arc<Sidecar>) -> (Server, Vec<SocketAddr>) {
        // An entrance is given one sidecar.
        let _ = self.behind.set(sidecar);
        (self.server, self.addresses)
    }

    /// Closes the addresses, where there are any.
    pub(super) async fn close(entrance: Option<Self>) {
        if let Some(entrance) = entrance {
            entrance.server.stop(Instant::now()).await;
        }
    }
}

/// Opens addresses, all of them or none.
pub(super) async fn listen(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, StartError> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses.iter().copied() {
        let listener = TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?;
        listeners.push(listener);
    }
    Ok(listeners)
}

/// The addresses with the ports that were taken.
pub(super) fn addresses(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
}
