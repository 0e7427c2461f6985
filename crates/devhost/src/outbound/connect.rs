//! New connections, and what their failures mean to a guest.

use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;
use wasmtime_wasi_http::Error;

use crate::allowed_hosts::default_port;

tokio::task_local! {
    /// How long the request that asks for a connection lets it take.
    static CONNECT_TIME: Duration;
}

/// Lets connections that `request` opens take at most `limit`.
pub(super) fn within<F: Future>(limit: Duration, request: F) -> impl Future<Output = F::Output> {
    CONNECT_TIME.scope(limit, request)
}

/// Opens TCP connections.
#[derive(Clone, Debug)]
pub(crate) struct Connector;

type Connecting = Pin<Box<dyn Future<Output = io::Result<TokioIo<TcpStream>>> + Send>>;

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Connecting;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Connecting {
        // The pool calls this within the request that needs the connection.
        let limit = CONNECT_TIME.try_with(|limit| *limit).unwrap_or(super::DEFAULT_TIME);
        Box::pin(async move {
            let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
            let port = uri.port_u16().or_else(|| default_port("http")).unwrap_or(80);
            let stream = tokio::time::timeout(limit, TcpStream::connect((host, port)))
                .await
                .map_err(|_| io::Error::from(ErrorKind::TimedOut))??;
            stream.set_nodelay(true)?;
            Ok(TokioIo::new(stream))
        })
    }
}

/// Says what a failed request means in the words of `wasi:http`.
pub(super) fn client_error(error: legacy::Error) -> Error {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<io::Error>() {
            return io_error(cause, error.is_connect());
        }
        if let Some(cause) = cause.downcast_ref::<hyper::Error>()
            && (cause.is_incomplete_message() || cause.is_closed() || cause.is_canceled())
        {
            return Error::ConnectionTerminated;
        }
        source = cause.source();
    }
    Error::HttpProtocolError
}

fn io_error(error: &io::Error, connecting: bool) -> Error {
    match error.kind() {
        ErrorKind::TimedOut if connecting => Error::ConnectionTimeout,
        ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Error::DestinationIpUnroutable,
        // What the resolver says of names that it does not have.
        _ if connecting => Error::DnsError { rcode: Some(error.to_string()), info_code: None },
        _ => Error::ConnectionTerminated,
    }
}
