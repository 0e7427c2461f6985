//! The sidecar as an external push scaler of KEDA's (`externalscaler.ExternalScaler`): an app that is at zero is woken by
//! the first thing that comes for it, and not at KEDA's next poll.
//!
//! - [`target`] reads what a ScaledObject asks for.
//! - [`demand`] finds out what there is to do for an app: told by whoever brings it, so that idle streams cost nothing.
//! - [`service`] answers the four calls, and [`wire`] has their messages.

mod demand;
mod service;
mod target;
mod wire;

use std::sync::Arc;

use hyper::{server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{api::Server, sidecar::Sidecar};

/// Calls of one connection at once. KEDA has one connection for each address, and on it one stream for each trigger.
const STREAMS: u32 = 1000;
/// How often a silent connection is asked whether it is still there, and how long it may take to say so.
const PING: std::time::Duration = std::time::Duration::from_secs(30);
const PONG: std::time::Duration = std::time::Duration::from_secs(20);

/// What answers KEDA.
#[derive(Debug)]
pub(crate) struct Scaler {
    sidecar: Arc<Sidecar>,
    /// Streams end.
    stop: CancellationToken,
}

impl Scaler {
    /// Begins to serve, until `stop`: then streams end.
    pub(crate) fn start(sidecar: Arc<Sidecar>, listeners: Vec<TcpListener>, stop: CancellationToken) -> Server {
        let scaler = Arc::new(Self { sidecar, stop });
        Server::accepting(listeners, move |stream| {
            // Answers are small and each is waited for.
            let _ = stream.set_nodelay(true);
            let scaler = scaler.clone();
            http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .keep_alive_interval(PING)
                .keep_alive_timeout(PONG)
                .max_concurrent_streams(STREAMS)
                .serve_connection(
                    TokioIo::new(stream),
                    service_fn(move |request| service::serve(scaler.clone(), request)),
                )
        })
    }
}
