//! From a configuration to an open port.

mod prepare;
mod templates;

use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};

use crate::config::Config;
use crate::engine::Ticker;
use crate::error::StartError;
use crate::guest::Host;
use crate::outbound::Clients;
use crate::server::{self, Running};
use prepare::Ready;

/// Connections that may wait to be accepted, as many as [`TcpListener::bind`] allows.
const BACKLOG: u32 = 1024;

/// Starts the application and serves it.
///
/// The manifest, the variables and every component are read, checked and compiled before the port
/// is opened, so nothing is served by halves.
///
/// # Errors
///
/// Says which file, key, variable or component is not as it should be. Nothing runs then.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let address = config.listen;
    let (host, ready) = prepare(config).await?;
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    server::serve(listener, host, ready.router).map_err(failed)
}

/// As [`start`], on a socket that is bound and does not listen: [`Config::listen`] is not looked at.
///
/// So a caller knows the port, and that nobody else takes it, before there is anything to serve; until then
/// connections are refused.
///
/// # Errors
///
/// As [`start`].
pub async fn start_on(socket: TcpSocket, config: Config) -> Result<Running, StartError> {
    let address = socket.local_addr().unwrap_or(config.listen);
    let (host, ready) = prepare(config).await?;
    let failed = |source| StartError::Listen { address, source };
    let listener = socket.listen(BACKLOG).map_err(failed)?;
    server::serve(listener, host, ready.router).map_err(failed)
}

/// Does everything of a start that needs no port.
pub(crate) async fn prepare(config: Config) -> Result<(Arc<Host>, Ready), StartError> {
    let (limits, clients) = (config.limits.clone(), Clients::new(config.allow_private_networks));
    let prepared = tokio::task::spawn_blocking(move || prepare::prepare(config)).await;
    let (engine, ready) = match prepared {
        Ok(ready) => ready?,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    };
    let ticker = Ticker::start(engine.clone()).map_err(|error| StartError::Engine { source: error.into() })?;
    let host = Arc::new(Host { engine, ticker, clients, limits });
    Ok((host, ready))
}
