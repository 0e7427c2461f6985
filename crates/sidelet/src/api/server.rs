//! Accepts connections and ends them with grace.

mod patient;

use std::{convert::Infallible, sync::Arc, time::Duration};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulConnection, GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinHandle,
    time::timeout_at,
};
use tokio_util::sync::CancellationToken;

use super::answer::Answer;
use patient::Patient;

/// Connections at once on one address, some 18 KB each while idle. The next waits to be accepted.
const CONNECTIONS: usize = 16_384;
/// The longest head of a request. What is longer is answered with 431.
const HEAD_SIZE: usize = 64 << 10;
/// How long an answer may wait for its reader.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a connection may be without a request, so that one that was forgotten gives its place back.
const HEAD: Duration = Duration::from_secs(300);

/// The open addresses.
#[derive(Debug)]
pub(crate) struct Server {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<GracefulShutdown>>,
}

impl Server {
    /// Begins to accept, and answers with `handler`.
    pub(crate) fn start<H, F>(listeners: Vec<TcpListener>, handler: H) -> Self
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Answer, Infallible>> + Send + 'static,
    {
        Self::accepting(listeners, move |stream| connection(stream, handler.clone()))
    }

    /// Begins to accept, and leaves each connection to `connect`.
    pub(crate) fn accepting<C, S>(listeners: Vec<TcpListener>, connect: C) -> Self
    where
        C: Fn(TcpStream) -> S + Clone + Send + 'static,
        S: GracefulConnection<Error: Send> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let start = |listener| tokio::spawn(accept(listener, connect.clone(), stop.clone()));
        let tasks = listeners.into_iter().map(start).collect();
        Self { stop, tasks }
    }

    /// Accepts nothing more and waits for what is in flight. Says whether all of it ended in time.
    pub(crate) async fn stop(self, deadline: tokio::time::Instant) -> bool {
        self.stop.cancel();
        let mut ended = true;
        for task in self.tasks {
            if let Ok(connections) = task.await {
                ended &= timeout_at(deadline, connections.shutdown()).await.is_ok();
            }
        }
        ended
    }
}

async fn accept<C, S>(listener: TcpListener, connect: C, stop: CancellationToken) -> GracefulShutdown
where
    C: Fn(TcpStream) -> S + Send + 'static,
    S: GracefulConnection<Error: Send> + Send + 'static,
{
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return connections,
            accepted = async {
                let place = places.clone().acquire_owned().await;
                (place, listener.accept().await)
            } => accepted,
        };
        let (place, stream) = match accepted {
            (Ok(place), Ok((stream, _))) => (place, stream),
            (_, Err(error)) => {
                // Too many open files, say: it passes, and trying at once would only spin.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            (Err(_), _) => return connections,
        };
        let connection = connections.watch(connect(stream));
        tokio::spawn(async move {
            // A client that goes away is no event.
            let _ = connection.await;
            drop(place);
        });
    }
}

fn connection<H, F>(stream: TcpStream, handler: H) -> impl GracefulConnection<Error = hyper::Error> + Send
where
    H: Fn(Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Result<Answer, Infallible>> + Send + 'static,
{
    // Answers are small and each is waited for.
    let _ = stream.set_nodelay(true);
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_SIZE)
        .serve_connection(Patient::new(TokioIo::new(stream), PATIENCE), service_fn(handler))
}
