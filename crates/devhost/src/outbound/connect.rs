//! New connections, and what their failures mean to a guest.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tower_service::Service;
use wasmtime_wasi_http::Error;

use super::networks::is_public;
use super::tls;
use crate::allowed_hosts::default_port;

tokio::task_local! {
    /// How long the request that asks for a connection lets it take.
    static CONNECT_TIME: Duration;
}

/// Lets connections that `request` opens take at most `limit`.
pub(super) fn within<F: Future>(limit: Duration, request: F) -> impl Future<Output = F::Output> {
    CONNECT_TIME.scope(limit, request)
}

/// Opens connections, with TLS where the scheme is `https`.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    tcp: Tcp,
}

/// Opens TCP connections.
#[derive(Clone, Copy, Debug)]
struct Tcp {
    /// Whether addresses that are not public are connected to.
    private: bool,
}

/// Every address of a host is one that a guest may not reach.
#[derive(Debug, thiserror::Error)]
#[error("the host has no public address")]
struct Prohibited;

type BoxError = Box<dyn StdError + Send + Sync>;
type Connecting<S, E> = Pin<Box<dyn Future<Output = Result<S, E>> + Send>>;

impl Connector {
    /// With `private`, hosts on this machine and in its networks are connected to as well.
    pub(super) fn new(private: bool) -> Self {
        Self { tcp: Tcp { private } }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Connecting<Self::Response, BoxError>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // The pool calls this within the request that needs the connection.
        let limit = CONNECT_TIME.try_with(|limit| *limit).unwrap_or(super::DEFAULT_TIME);
        let mut tcp = self.tcp;
        let connecting = async move {
            if uri.scheme() == Some(&Scheme::HTTPS) {
                return HttpsConnector::from((tcp, tls::config().await?)).call(uri).await;
            }
            Ok(MaybeHttpsStream::Http(tcp.call(uri).await?))
        };
        Box::pin(async move {
            tokio::time::timeout(limit, connecting).await.map_err(|_| io::Error::from(ErrorKind::TimedOut))?
        })
    }
}

impl Service<Uri> for Tcp {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Connecting<Self::Response, io::Error>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let private = self.private;
        Box::pin(async move {
            let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
            let port = uri.port_u16().or_else(|| default_port(uri.scheme_str()?)).unwrap_or(80);
            let found: Vec<SocketAddr> = lookup_host((host, port)).await?.collect();
            // What is judged here is what is dialled: a name that means another address a moment later gains nothing.
            let reachable: Vec<_> = found.iter().copied().filter(|at| private || is_public(at.ip())).collect();
            if reachable.is_empty() && !found.is_empty() {
                tracing::warn!(
                    server.address = host,
                    "a component may not call hosts on private networks, unless its `allowed_outbound_hosts` name them \
                     or private networks are allowed"
                );
                return Err(io::Error::other(Prohibited));
            }
            let stream = TcpStream::connect(reachable.as_slice()).await?;
            stream.set_nodelay(true)?;
            Ok(TokioIo::new(stream))
        })
    }
}

/// Says what a failed request means in the words of `wasi:http`.
pub(super) fn client_error(error: legacy::Error) -> Error {
    if tls::cause::<Prohibited>(&error).is_some() {
        return Error::DestinationIpProhibited;
    }
    if let Some(cause) = tls::cause::<rustls::Error>(&error) {
        tracing::warn!(error = %cause, "a component's request failed on TLS");
        return tls::error(cause);
    }
    if let Some(mut cause) = tls::cause::<io::Error>(&error) {
        // The innermost has the kind that says what happened.
        while let Some(inner) = cause.get_ref().and_then(|inner| tls::cause::<io::Error>(inner)) {
            cause = inner;
        }
        return io_error(cause, error.is_connect());
    }
    if let Some(cause) = tls::cause::<hyper::Error>(&error)
        && (cause.is_incomplete_message() || cause.is_closed() || cause.is_canceled())
    {
        return Error::ConnectionTerminated;
    }
    Error::HttpProtocolError
}

fn io_error(error: &io::Error, connecting: bool) -> Error {
    match error.kind() {
        ErrorKind::TimedOut if connecting => Error::ConnectionTimeout,
        ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Error::DestinationIpUnroutable,
        // TLS that ends before it has begun.
        ErrorKind::UnexpectedEof if connecting => Error::TlsProtocolError,
        ErrorKind::NotFound if connecting => Error::InternalError(Some(error.to_string())),
        // What the resolver says of names that it does not have.
        _ if connecting => Error::DnsError { rcode: Some(error.to_string()), info_code: None },
        _ => Error::ConnectionTerminated,
    }
}
