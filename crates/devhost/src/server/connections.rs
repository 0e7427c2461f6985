//! Accepts connections and serves each until it ends.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::Application;
use super::respond::respond;
use super::stream::Stream;

/// Pause after the system refused to accept, most often because no file descriptor is left.
const PAUSE: Duration = Duration::from_millis(50);
/// Most headers of one request.
const MAX_HEADERS: usize = 128;

/// Accepts until the application drains.
pub(super) async fn accept(listener: TcpListener, application: Arc<Application>) {
    let places = Arc::new(Semaphore::new(application.host.limits.max_connections));
    let drain = application.tasks.drain.clone();
    let accepting = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let application = Arc::clone(&application);
                    let tracker = application.tasks.tracker.clone();
                    tracker.spawn(async move {
                        serve(stream, peer, application).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(error = %error, "could not accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    };
    drain.run_until_cancelled(accepting).await;
}

async fn serve(stream: TcpStream, peer: SocketAddr, application: Arc<Application>) {
    // Answers are written whole; waiting for more would only delay events of a stream.
    let _ = stream.set_nodelay(true);
    let limits = &application.host.limits;
    let stream = Stream::new(stream, limits.write_time);
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_read_time)
        .max_headers(MAX_HEADERS)
        // Hyper reads into this buffer, so it bounds the head of a request.
        .max_buf_size(limits.header_bytes.max(8 << 10));
    let service = service_fn(|request| {
        let application = Arc::clone(&application);
        async move { Ok::<_, Infallible>(respond(application, peer, request).await) }
    });
    let mut connection = pin!(builder.serve_connection(stream, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = application.tasks.drain.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = application.tasks.cut.cancelled() => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        // Clients that go away and responses that are cut end here; both were logged if they matter.
        tracing::debug!(error = %error, client.address = %peer, "connection ended");
    }
}
