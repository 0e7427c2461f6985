//! Puts the parts together, and takes them apart again.

mod assembly;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{self, Server},
    config::Config,
    consumers::{self, ChangeError},
    error::StartError,
    resources::Resources,
    sidecar::Sidecar,
    sqlite::Database,
};

/// A sidecar that serves. Dropping it leaves it serving until the runtime ends; [`Running::shutdown`] ends it well.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
    sidecar: Arc<Sidecar>,
    server: Server,
    metrics_address: Option<SocketAddr>,
    metrics: Server,
    config: Arc<Config>,
    /// Looks at the files until it is told to stop.
    watch: (CancellationToken, JoinHandle<()>),
    databases: Vec<Arc<Database>>,
}

/// Work in flight did not end within the grace. Messages stay in the log and come again.
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
    assembly::check(&config)?;
    let resources = Resources::read(&config)?;
    let parts = assembly::assemble(&config, resources).await?;
    let consumers = parts.sidecar.consumers.clone();
    let opened = async {
        let listeners = listeners(&config, &parts.sidecar).await?;
        consumers.declare(parts.subscriptions, parts.resiliency).await.map_err(refused)?;
        Ok(listeners)
    };
    let (listeners, metrics) = match opened.await {
        Ok(listeners) => listeners,
        Err(error) => {
            for database in &parts.databases {
                database.close().await;
            }
            return Err(error);
        }
    };
    let bound = |listeners: &[TcpListener]| -> Vec<_> {
        listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    };
    let (addresses, metrics_addresses) = (bound(&listeners), bound(&metrics));
    let sidecar = parts.sidecar.clone();
    let server = Server::start(listeners, move |request| api::serve(sidecar.clone(), request));
    let sidecar = parts.sidecar.clone();
    let metrics = Server::start(metrics, move |request| api::serve_metrics(sidecar.clone(), request));
    consumers.ask_all();
    parts.sidecar.jobs.start(&config.apps);
    let config = Arc::new(config);
    let stop = CancellationToken::new();
    let watch = tokio::spawn(consumers::watch_files(config.clone(), consumers, stop.clone()));
    tracing::info!(app_id = %config.app_id, ?addresses, metrics = ?metrics_addresses, "sidelet serves");
    Ok(Running {
        addresses,
        metrics_address: metrics_addresses.first().copied(),
        sidecar: parts.sidecar,
        server,
        metrics,
        config,
        watch: (stop, watch),
        databases: parts.databases,
    })
}

/// Of the API, and of the metrics, when there are any.
async fn listeners(config: &Config, sidecar: &Sidecar) -> Result<(Vec<TcpListener>, Vec<TcpListener>), StartError> {
    let measured = sidecar.resources.configuration.metrics.enabled.unwrap_or(true);
    let metrics: Vec<_> = config.metrics.into_iter().filter(|_| measured).collect();
    Ok((listen(&config.listen).await?, listen(&metrics).await?))
}

fn refused(error: ChangeError) -> StartError {
    StartError::Store { message: error.to_string() }
}

async fn listen(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, StartError> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses.iter().copied() {
        let listener = TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?;
        listeners.push(listener);
    }
    Ok(listeners)
}

/// Ends the deliveries of events and of jobs; whether all had ended by `deadline`.
async fn end_deliveries(sidecar: &Sidecar, deadline: Instant) -> bool {
    let (delivered, fired) = tokio::join!(sidecar.consumers.shutdown(deadline), sidecar.jobs.shutdown(deadline));
    delivered && fired
}

impl Running {
    /// The first address of the API, with the port that was taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// All addresses of the API.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The address of the metrics, when they are served.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Waits until a caller of the API asks for the end (`POST /v1.0/shutdown`).
    pub async fn asked_to_stop(&self) {
        self.sidecar.asked_to_stop.cancelled().await;
    }

    /// Reads subscriptions and resiliency from the files again, and asks the apps anew for their own subscriptions.
    ///
    /// Deliveries on their way end as they began. When the files cannot be served, what was before stays and the log
    /// says why. Files that change are read without this call too, within some two seconds.
    pub async fn reload(&self) {
        consumers::reload(&self.config, &self.sidecar.consumers).await;
        self.sidecar.consumers.ask_all();
    }

    /// Ends deliveries, within `grace`; the API goes on. For a caller who ends the app before the sidecar.
    ///
    /// # Errors
    /// When something was still in flight after `grace`: it comes again after the next start.
    pub async fn stop_deliveries(&self, grace: Duration) -> Result<(), ShutdownOverdue> {
        if end_deliveries(&self.sidecar, Instant::now() + grace).await {
            Ok(())
        } else {
            Err(ShutdownOverdue { grace })
        }
    }

    /// Ends the streams of topics, each with a word to its reader. None begins any more; all else goes on.
    ///
    /// Who is to end what reads them first calls this before: a stream has no end of its own.
    pub fn end_streams(&self) {
        self.sidecar.streams.end();
    }

    /// Ends streams and deliveries, then the API, then the stores; each after what is in flight, within `grace` together.
    ///
    /// The API outlives the deliveries, since handlers call it while they work.
    ///
    /// # Errors
    /// When something was still in flight after `grace`; the stores are closed well all the same.
    pub async fn shutdown(self, grace: Duration) -> Result<(), ShutdownOverdue> {
        let deadline = Instant::now() + grace;
        self.end_streams();
        let (stop, watch) = self.watch;
        stop.cancel();
        let mut ended = timeout_at(deadline, watch).await.is_ok();
        ended &= end_deliveries(&self.sidecar, deadline).await;
        ended &= self.server.stop(deadline).await;
        ended &= self.metrics.stop(deadline).await;
        for database in &self.databases {
            database.close().await;
        }
        tracing::info!("sidelet has ended");
        if ended { Ok(()) } else { Err(ShutdownOverdue { grace }) }
    }
}
