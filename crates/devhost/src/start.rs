//! From a configuration to an open port.

mod prepare;
mod templates;

use std::sync::Arc;

use tokio::net::TcpListener;

use crate::config::Config;
use crate::engine::Ticker;
use crate::error::StartError;
use crate::guest::Host;
use crate::outbound;
use crate::server::{self, Running};
use prepare::Ready;

/// Starts the application and serves it.
///
/// The manifest, the variables and every component are read, checked and compiled before the port
/// is opened, so nothing is served by halves.
///
/// # Errors
///
/// Says which file, key, variable or component is not as it should be. Nothing runs then.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let listen = config.listen;
    let (host, ready) = prepare(config).await?;
    let listener = TcpListener::bind(listen).await.map_err(|source| StartError::Listen { address: listen, source })?;
    server::serve(listener, host, ready.router).map_err(|source| StartError::Listen { address: listen, source })
}

/// Does everything of a start that needs no port.
pub(crate) async fn prepare(config: Config) -> Result<(Arc<Host>, Ready), StartError> {
    let limits = config.limits.clone();
    let prepared = tokio::task::spawn_blocking(move || prepare::prepare(config)).await;
    let (engine, ready) = match prepared {
        Ok(ready) => ready?,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    };
    let ticker = Ticker::start(engine.clone()).map_err(|error| StartError::Engine { source: error.into() })?;
    let host = Arc::new(Host { engine, ticker, client: outbound::client(), limits });
    Ok((host, ready))
}
