//! The HTTP/1.1 server: connections in, calls of components, and an orderly end.

mod connections;
mod places;
mod problem;
mod request;
mod respond;
mod response;
mod stream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::component::Prepared;
use crate::guest::Host;
use crate::routes::Router;
use places::Places;

/// What all connections share.
struct Application {
    host: Arc<Host>,
    router: Router<Arc<Prepared>>,
    places: Places,
    local: SocketAddr,
    tasks: Tasks,
}

/// Connections and guests that outlive their response, and the two ways to end them.
#[derive(Clone, Debug)]
struct Tasks {
    tracker: TaskTracker,
    /// No new requests.
    drain: CancellationToken,
    /// No requests at all.
    cut: CancellationToken,
}

/// An application that is being served.
///
/// Dropping it ends it at once, without waiting for requests in flight.
#[derive(Debug)]
#[must_use = "dropping it stops the application"]
pub struct Running {
    local: SocketAddr,
    host: HostHandle,
    tasks: Tasks,
    accepting: Option<JoinHandle<()>>,
}

struct HostHandle(Arc<Host>);

impl std::fmt::Debug for HostHandle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Host").field(&self.0.limits).finish()
    }
}

/// Serves the routes on the listener until the returned value is shut down or dropped.
pub(crate) fn serve(listener: TcpListener, host: Arc<Host>, router: Router<Arc<Prepared>>) -> std::io::Result<Running> {
    let local = listener.local_addr()?;
    let tasks = Tasks { tracker: TaskTracker::new(), drain: CancellationToken::new(), cut: CancellationToken::new() };
    let application = Arc::new(Application {
        places: Places::new(&host.limits),
        host: Arc::clone(&host),
        router,
        local,
        tasks: tasks.clone(),
    });
    let accepting = tokio::spawn(connections::accept(listener, application));
    Ok(Running { local, host: HostHandle(host), tasks, accepting: Some(accepting) })
}

impl Running {
    /// The address that is served, with the port that was taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Instances alive at this moment.
    pub fn instances(&self) -> usize {
        self.host.0.ticker.alive()
    }

    /// Stops accepting, closes idle connections, lets requests in flight end, and cuts those that
    /// have not ended after `grace`; zero cuts at once.
    ///
    /// Returns when no instance is left. True if nothing had to be cut.
    pub async fn shutdown(mut self, grace: Duration) -> bool {
        self.tasks.drain.cancel();
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.await;
        }
        self.tasks.tracker.close();
        let drained = tokio::time::timeout(grace, self.tasks.tracker.wait()).await.is_ok();
        self.tasks.cut.cancel();
        self.tasks.tracker.wait().await;
        drained
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.drain.cancel();
        self.tasks.cut.cancel();
    }
}
