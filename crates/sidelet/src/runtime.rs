//! Puts the parts together, and takes them apart again.

mod assembly;
mod entrance;
mod migrate;
mod stores;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{self, Server},
    config::Config,
    consumers::{self, ChangeError},
    error::StartError,
    resources::Resources,
    scaler::Scaler,
    sidecar::Sidecar,
};

pub use migrate::migrate;

use assembly::{Databases, Locks};
use entrance::{Entrance, addresses, listen};

/// How often it is looked whether a database that another process has is free.
const LOOK: Duration = Duration::from_millis(100);

/// A sidecar that serves. Dropping it leaves it serving until the runtime ends; [`Running::shutdown`] ends it well.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
    sidecar: Arc<Sidecar>,
    server: Server,
    metrics_address: Option<SocketAddr>,
    metrics: Server,
    /// KEDA's, with the end of its streams.
    scaler: (CancellationToken, Server),
    scaler_address: Option<SocketAddr>,
    config: Arc<Config>,
    /// Looks at the files until it is told to stop.
    watch: (CancellationToken, JoinHandle<()>),
    databases: Databases,
}

/// Work in flight did not end within the grace. Messages stay in the log and come again.
#[derive(Debug, thiserror::Error)]
#[error("work in flight did not end within {} s", grace.as_secs_f64())]
pub struct ShutdownOverdue {
    grace: Duration,
}

/// Reads and checks the whole configuration, opens the stores, and serves.
///
/// While another process has a database, it waits or refuses, as [`Config::waits_for_database`] says.
///
/// # Errors
/// When a file, a store or an address cannot be used; no port is open then.
pub async fn start(config: Config) -> Result<Running, StartError> {
    assembly::check(&config)?;
    let resources = Resources::read(&config)?;
    let measured = resources.configuration.metrics.enabled.unwrap_or(true);
    let (locks, entrance) = own_files(&config, &resources).await?;
    let parts = match assembly::assemble(&config, resources, locks).await {
        Ok(parts) => parts,
        Err(error) => {
            Entrance::close(entrance).await;
            return Err(error);
        }
    };
    let consumers = parts.sidecar.consumers.clone();
    let opened = async {
        let listeners = if entrance.is_some() { Vec::new() } else { listen(&config.listen).await? };
        let metrics = listen(&config.metrics.into_iter().filter(|_| measured).collect::<Vec<_>>()).await?;
        let scaler = listen(&config.scaler).await?;
        consumers.declare(parts.subscriptions, parts.resiliency).await.map_err(refused)?;
        Ok((listeners, metrics, scaler))
    };
    let (listeners, metrics, scaler) = match opened.await {
        Ok(opened) => opened,
        Err(error) => {
            Entrance::close(entrance).await;
            parts.databases.close(Instant::now()).await;
            return Err(error);
        }
    };
    let (metrics_addresses, scaler_addresses) = (addresses(&metrics), addresses(&scaler));
    let (server, addresses) = match entrance {
        Some(entrance) => entrance.admit(parts.sidecar.clone()),
        None => Entrance::to(parts.sidecar.clone(), listeners),
    };
    let sidecar = parts.sidecar.clone();
    let metrics = Server::start(metrics, move |request| api::serve_metrics(sidecar.clone(), request));
    let end_of_streams = CancellationToken::new();
    let scaler = Scaler::start(parts.sidecar.clone(), scaler, end_of_streams.clone());
    consumers.ask_all();
    parts.sidecar.jobs.start(&config.apps);
    parts.sidecar.cron.start();
    let config = Arc::new(config);
    let stop = CancellationToken::new();
    let watch = tokio::spawn(consumers::watch_files(config.clone(), consumers, stop.clone()));
    tracing::info!(app_id = %config.app_id, ?addresses, metrics = ?metrics_addresses, scaler = ?scaler_addresses, "sidelet serves");
    Ok(Running {
        addresses,
        metrics_address: metrics_addresses.first().copied(),
        sidecar: parts.sidecar,
        server,
        metrics,
        scaler: (end_of_streams, scaler),
        scaler_address: scaler_addresses.first().copied(),
        config,
        watch: (stop, watch),
        databases: parts.databases,
    })
}

/// Takes the files of the stores. While another process has one it waits, where the configuration says so, and answers
/// at the entrance meanwhile.
async fn own_files(config: &Config, resources: &Resources) -> Result<(Locks, Option<Entrance>), StartError> {
    let mut entrance = None;
    loop {
        let path = match assembly::lock(resources)? {
            Ok(locks) => return Ok((locks, entrance)),
            Err(path) if config.waits_for_database => path,
            Err(path) => return Err(assembly::in_use(&path)),
        };
        if entrance.is_none() {
            let waiting = Entrance::closed(listen(&config.listen).await?);
            let addresses = waiting.addresses();
            tracing::info!(database = %path.display(), ?addresses, "another process has the database: waiting for its end");
            entrance = Some(waiting);
        }
        sleep(LOOK).await;
    }
}

fn refused(error: ChangeError) -> StartError {
    StartError::Store { message: error.to_string() }
}

/// Ends the deliveries of events, of jobs and of ticks; whether all had ended by `deadline`.
async fn end_deliveries(sidecar: &Sidecar, deadline: Instant) -> bool {
    let Sidecar { consumers, jobs, cron, .. } = sidecar;
    let ended = tokio::join!(consumers.shutdown(deadline), jobs.shutdown(deadline), cron.shutdown(deadline));
    ended == (true, true, true)
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

    /// The address of KEDA's scaler, when it is served.
    pub fn scaler_addr(&self) -> Option<SocketAddr> {
        self.scaler_address
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

    /// Ends deliveries, jobs and schedules, within `grace`; the API goes on. For a caller who ends the app before the sidecar.
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

    /// Ends streams, deliveries, jobs and schedules, then the API, then the stores; each after what is in flight, within `grace` together.
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
        let (end_of_streams, scaler) = self.scaler;
        end_of_streams.cancel();
        ended &= scaler.stop(deadline).await;
        ended &= self.server.stop(deadline).await;
        ended &= self.metrics.stop(deadline).await;
        ended &= self.databases.close(deadline).await;
        // After what is relayed from the databases.
        for pubsub in self.sidecar.pubsubs.values() {
            pubsub.close().await;
        }
        tracing::info!("sidelet has ended");
        if ended { Ok(()) } else { Err(ShutdownOverdue { grace }) }
    }
}
