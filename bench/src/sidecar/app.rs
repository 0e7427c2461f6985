//! The app beside a sidecar: it takes every event at once and notes how long each was on its way.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, server::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// How long to wait for the next event of those that are on their way.
const SILENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Arrivals {
    times: Mutex<Vec<Duration>>,
    more: Notify,
}

/// A running app. It ends with this value.
pub(super) struct App {
    pub(super) port: u16,
    /// Times are told from here on.
    epoch: Instant,
    arrivals: Arc<Arrivals>,
    task: JoinHandle<()>,
}

impl Drop for App {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl App {
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (port, epoch, arrivals) = (listener.local_addr()?.port(), Instant::now(), Arc::<Arrivals>::default());
        let kept = arrivals.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let kept = kept.clone();
                let service = service_fn(move |request| take(request, epoch, kept.clone()));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(Self { port, epoch, arrivals, task })
    }

    /// The data of an event that leaves now.
    pub(super) fn event(&self) -> String {
        format!(r#"{{"at":{},"title":"Buy milk","description":"{:60}"}}"#, self.epoch.elapsed().as_nanos(), "")
    }

    /// Waits for so many events and gives how long each was on its way.
    pub(super) async fn take(&self, count: usize) -> Result<Vec<Duration>> {
        loop {
            let more = self.arrivals.more.notified();
            let there = {
                let mut times = self.arrivals.times.lock().unwrap_or_else(PoisonError::into_inner);
                if times.len() >= count {
                    return Ok(std::mem::take(&mut *times));
                }
                times.len()
            };
            let waited = tokio::time::timeout(SILENCE, more).await;
            ensure!(waited.is_ok(), "{there} of {count} events came, and then none for {SILENCE:?}");
        }
    }
}

async fn take(
    request: Request<Incoming>,
    epoch: Instant,
    arrivals: Arc<Arrivals>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let is_event = request.uri().path() == "/events";
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let mut answer = Response::new(Full::default());
    if !is_event {
        // It is asked for its configuration and its subscriptions, of which it has none.
        *answer.status_mut() = hyper::StatusCode::NOT_FOUND;
        return Ok(answer);
    }
    if let Some(sent) = sent(&body) {
        let mut times = arrivals.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.push(epoch.elapsed().saturating_sub(sent));
        drop(times);
        arrivals.more.notify_waiters();
    }
    Ok(answer)
}

/// When an event left.
fn sent(body: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(body).ok()?;
    let digits = text.split(r#""at":"#).nth(1)?.split(',').next()?;
    digits.parse().ok().map(Duration::from_nanos)
}
