//! Requests that guests make: checked against `allowed_outbound_hosts`, sent over connections that
//! are kept and shared.
//!
//! `http` and `https` are spoken. A host that no entry names, but only one that allows every host, must have a public
//! address: so whoever chooses a URL for a component does not choose a machine of the host's own network.

mod body;
mod connect;
mod networks;
mod tls;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::uri::Scheme;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks,
};

use crate::allowed_hosts::{AllowedHost, default_port};
use crate::component::Permissions;
use body::TimedBody;
use connect::Connector;

/// How long an unused connection is kept; shorter than servers keep theirs.
const IDLE_TIME: Duration = Duration::from_secs(15);
/// Unused connections that are kept for each server.
const MAX_IDLE: usize = 64;
/// Requests that one guest may have under way at once.
const MAX_REQUESTS: usize = 64;
/// Largest piece that a guest may write at once; two of them may wait for their reader.
const CHUNK_BYTES: usize = 64 << 10;
/// Waits that a guest sets no time for; Spin's default.
const DEFAULT_TIME: Duration = Duration::from_secs(600);
/// Headers of the trace that the request belongs to; they go on to what the guest calls.
const TRACE_HEADERS: [HeaderName; 2] = [HeaderName::from_static("traceparent"), HeaderName::from_static("tracestate")];

type Client = legacy::Client<Connector, WasiBody>;

/// The connections that all guests share.
#[derive(Clone)]
pub(crate) struct Clients {
    /// To hosts that an entry names.
    named: Client,
    /// To hosts that only an entry for every host allows. What it has connected to may be called by such guests.
    wild: Client,
}

impl Clients {
    /// Without connections. With `allow_private_networks`, every host may have any address.
    pub(crate) fn new(allow_private_networks: bool) -> Self {
        let named = client(true);
        let wild = if allow_private_networks { named.clone() } else { client(false) };
        Self { named, wild }
    }
}

fn client(private: bool) -> Client {
    legacy::Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE_TIME)
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(MAX_IDLE)
        // Only requests of which nothing was written are sent again.
        .retry_canceled_requests(true)
        .build(Connector::new(private))
}

/// One guest's way out.
pub(crate) struct Outbound {
    clients: Clients,
    permissions: Arc<Permissions>,
    trace: Vec<(HeaderName, HeaderValue)>,
    places: Arc<Semaphore>,
}

type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl Outbound {
    /// Lets a guest that answers a request with these headers out.
    pub(crate) fn new(clients: Clients, permissions: Arc<Permissions>, inbound: &HeaderMap) -> Self {
        let trace =
            TRACE_HEADERS.into_iter().filter_map(|name| Some((name.clone(), inbound.get(name)?.clone()))).collect();
        Self { clients, permissions, trace, places: Arc::new(Semaphore::new(MAX_REQUESTS)) }
    }

    /// The client for a request that may go out.
    fn check(&self, request: &Request<WasiBody>) -> Result<&Client, Error> {
        let uri = request.uri();
        let scheme = uri.scheme().unwrap_or(&Scheme::HTTP);
        let host = uri.host().ok_or(Error::HttpRequestUriInvalid)?;
        let port = uri.port_u16().or_else(|| default_port(scheme.as_str())).ok_or(Error::HttpRequestUriInvalid)?;
        let hosts = self.permissions.allowed_hosts.iter();
        let mut allowing = hosts.filter(|entry| entry.allows(scheme.as_str(), host, port)).peekable();
        if allowing.peek().is_none() {
            tracing::warn!(
                component.id = %self.permissions.id,
                url.scheme = scheme.as_str(),
                server.address = host,
                server.port = port,
                "a component may not call this host: add it to its `allowed_outbound_hosts`"
            );
            return Err(Error::HttpRequestDenied);
        }
        Ok(if allowing.any(AllowedHost::is_named) { &self.clients.named } else { &self.clients.wild })
    }
}

impl WasiHttpHooks for Outbound {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        static FILTER: LazyLock<ForbiddenHeaderFilter> =
            LazyLock::new(|| Arc::new(|name| DEFAULT_FORBIDDEN_HEADERS.contains(name)));
        Arc::clone(&FILTER)
    }

    fn default_scheme(&mut self) -> Option<Scheme> {
        Some(Scheme::HTTP)
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK_BYTES
    }

    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let client = match self.check(&request) {
            Ok(client) => client.clone(),
            Err(denied) => return Box::new(std::future::ready(Err(denied))),
        };
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Box::new(std::future::ready(Err(Error::ConnectionLimitReached)));
        };
        for (name, value) in &self.trace {
            request.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        Box::new(send(client, request, options.unwrap_or_default(), place))
    }
}

async fn send(
    client: Client,
    request: Request<WasiBody>,
    options: RequestOptions,
    place: OwnedSemaphorePermit,
) -> Sent {
    let connect_time = options.connect_timeout.unwrap_or(DEFAULT_TIME);
    let first_byte_time = options.first_byte_timeout.unwrap_or(DEFAULT_TIME);
    let between_bytes_time = options.between_bytes_timeout.unwrap_or(DEFAULT_TIME);
    let sent = connect::within(connect_time, client.request(request));
    let response = tokio::time::timeout(first_byte_time, sent)
        .await
        .map_err(|_| Error::ConnectionReadTimeout)?
        .map_err(connect::client_error)?;
    let response = response.map(|body| TimedBody::new(body, between_bytes_time, place).boxed_unsync());
    // The connection belongs to the pool, so nothing is left to be driven here.
    Ok((response, Box::new(std::future::ready(Ok(())))))
}

#[cfg(test)]
mod tests;
