//! A call under way: a future that owns its instance and stops with it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::Proxy;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

use super::meter::Meter;
use super::state::GuestState;
use crate::component::Prepared;
use crate::config::Limits;
use crate::engine::{Alive, Ticker};
use crate::outbound::{Clients, Outbound};

/// What a guest answers: a response, or why it has none.
pub(crate) type GuestResponse = Result<Response<HyperOutgoingBody>, ErrorCode>;
/// A request's body on its way to a guest.
pub(crate) type RequestBody = UnsyncBoxBody<Bytes, wasmtime_wasi_http::Error>;

/// What all calls share.
pub(crate) struct Host {
    pub(crate) engine: Engine,
    pub(crate) ticker: Ticker,
    pub(crate) clients: Clients,
    pub(crate) limits: Limits,
}

/// A guest that runs whenever it is polled, until it returns, fails or is dropped.
pub(crate) struct Call {
    future: Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>,
    meter: Meter,
}

/// Why a guest did not return.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It computed for longer than it may.
    Time,
    /// It trapped after it was refused memory.
    Memory(wasmtime::Error),
    /// It trapped, or could not be started.
    Trap(wasmtime::Error),
}

impl Call {
    /// Sets up a call; nothing runs before the first poll.
    pub(crate) fn new(
        host: &Arc<Host>,
        component: &Arc<Prepared>,
        request: Request<RequestBody>,
        response: oneshot::Sender<GuestResponse>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let meter = Meter::new(host.limits.compute_time);
        let alive = host.ticker.guest();
        let future = run(Arc::clone(host), Arc::clone(component), request, response, meter.clone(), (alive, permit));
        Self { future: Box::pin(future), meter }
    }
}

impl Future for Call {
    type Output = Result<(), Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { future, meter } = &mut *self;
        meter.measure(|| future.as_mut().poll(context))
    }
}

/// A store with an instance in it, as each call makes one.
pub(crate) async fn instantiate(
    host: &Host,
    component: &Prepared,
    inbound: &HeaderMap,
) -> wasmtime::Result<(Store<GuestState>, Proxy)> {
    let mut store = store(host, component, inbound, Meter::new(host.limits.compute_time))?;
    let proxy = component.proxy.instantiate_async(&mut store).await?;
    Ok((store, proxy))
}

fn store(host: &Host, component: &Prepared, inbound: &HeaderMap, meter: Meter) -> wasmtime::Result<Store<GuestState>> {
    let permissions = &component.permissions;
    let outbound = Outbound::new(host.clients.clone(), Arc::clone(permissions), inbound);
    let state = GuestState::new(permissions, outbound, host.limits.memory_bytes)?;
    let mut store = Store::new(&host.engine, state);
    store.limiter(|state| &mut state.memory);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        Ok(if meter.is_over() {
            UpdateDeadline::Interrupt
        } else {
            // Others get their turn once in each tick, sockets and timers included: this yield, unlike
            // a plain one, comes back only after the runtime has looked at them.
            UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))
        })
    });
    Ok(store)
}

async fn run(
    host: Arc<Host>,
    component: Arc<Prepared>,
    request: Request<RequestBody>,
    response: oneshot::Sender<GuestResponse>,
    meter: Meter,
    // Given back when the instance is gone.
    _place: (Alive, OwnedSemaphorePermit),
) -> Result<(), Failure> {
    let mut store = store(&host, &component, request.headers(), meter.clone()).map_err(Failure::Trap)?;
    let called = call(&mut store, &component, request, response).await;
    called.map_err(|error| {
        if meter.was_exceeded() {
            Failure::Time
        } else if store.data().memory.was_reached() {
            Failure::Memory(error)
        } else {
            Failure::Trap(error)
        }
    })
}

async fn call(
    store: &mut Store<GuestState>,
    component: &Prepared,
    request: Request<RequestBody>,
    response: oneshot::Sender<GuestResponse>,
) -> wasmtime::Result<()> {
    let mut http = store.data_mut().http();
    let request = http.new_incoming_request(Scheme::Http, request)?;
    let response = http.new_response_outparam(response)?;
    let proxy = component.proxy.instantiate_async(&mut *store).await?;
    proxy.wasi_http_incoming_handler().call_handle(store, request, response).await
}
