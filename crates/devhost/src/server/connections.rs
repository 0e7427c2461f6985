//! Accepts connections and serves each until it ends.

mod crowd;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream};

use self::crowd::{Crowd, Member};
use super::Application;
use super::respond::respond;
use super::stream::Stream;
use crate::open_files::connections_within;

/// Pause after the system refused to accept, most often because no file descriptor is left.
const PAUSE: Duration = Duration::from_millis(50);
/// Most headers of one request.
const MAX_HEADERS: usize = 128;

/// Accepts until the application drains.
pub(super) async fn accept(listener: TcpListener, application: Arc<Application>) {
    let crowd = Arc::new(Crowd::new(connections_within(application.host.limits.max_connections)));
    let drain = application.tasks.drain.clone();
    let accepting = async {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let member = crowd.enter().await;
                    let application = Arc::clone(&application);
                    let tracker = application.tasks.tracker.clone();
                    tracker.spawn(serve(stream, peer, application, member));
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

async fn serve(stream: TcpStream, peer: SocketAddr, application: Arc<Application>, member: Member) {
    let limits = &application.host.limits;
    if let Err(error) = set_up(&stream, limits.write_time) {
        tracing::debug!(error = %error, client.address = %peer, "a connection could not be set up");
    }
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
        member.has_asked();
        async move { Ok::<_, Infallible>(respond(application, peer, request).await) }
    });
    let mut connection = pin!(builder.serve_connection(stream, service));
    // True for a connection that never asked anything, which has nothing to lose.
    let told_to_end = async {
        tokio::select! {
            () = member.asked_to_go() => !member.has_ever_asked(),
            () = application.tasks.drain.cancelled() => false,
        }
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        at_once = told_to_end => {
            if at_once {
                return;
            }
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

/// Sends what there is at once, and notices when the client's machine is gone without a word.
fn set_up(stream: &TcpStream, write_time: Duration) -> std::io::Result<()> {
    // Answers are written whole; waiting for more would only delay events of a stream.
    stream.set_nodelay(true)?;
    let milliseconds = u32::try_from(write_time.as_millis()).unwrap_or(u32::MAX);
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, write_time.max(Duration::from_secs(1)))?;
    // Counts for what was sent and not confirmed, and for the questions whether the other side is still there.
    sockopt::set_tcp_user_timeout(stream, milliseconds)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_machine_that_is_gone_is_noticed() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        set_up(&stream, Duration::from_secs(60)).unwrap();
        assert!(sockopt::socket_keepalive(&stream).unwrap());
        assert_eq!(sockopt::tcp_keepidle(&stream).unwrap(), Duration::from_secs(60));
        assert_eq!(sockopt::tcp_user_timeout(&stream).unwrap(), 60_000);
    }
}
