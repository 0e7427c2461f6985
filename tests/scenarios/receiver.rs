//! A server of the user's: it takes what webhooks and push services are sent, and answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use testkit::{TodoOptions, eventually};

/// How an application is started that may call a receiver on this machine.
pub(crate) fn reachable() -> TodoOptions {
    TodoOptions {
        variables: vec![("webhook_private_targets", "allow".to_owned())],
        environment: vec![("DEVHOST_ALLOW_PRIVATE_NETWORKS", "true".to_owned())],
        ..TodoOptions::default()
    }
}

/// One request that came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

#[derive(Default)]
struct Inner {
    received: Vec<Received>,
    /// What the next requests are answered; 200 when there is nothing left.
    answers: VecDeque<(u16, Option<&'static str>)>,
    /// What everything is answered that has no answer of its own.
    otherwise: u16,
}

/// The server. It ends with this value.
pub(crate) struct Receiver {
    address: String,
    inner: Arc<Mutex<Inner>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(State(inner): State<Arc<Mutex<Inner>>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut inner = inner.lock().unwrap_or_else(PoisonError::into_inner);
    inner.received.push(Received { path: uri.path().to_owned(), headers, body: body.to_vec() });
    let (status, retry_after) = inner.answers.pop_front().unwrap_or((inner.otherwise, None));
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    match retry_after {
        Some(seconds) => (status, [("retry-after", seconds)]).into_response(),
        None => status.into_response(),
    }
}

impl Receiver {
    pub(crate) async fn start() -> Result<Self> {
        let inner = Arc::new(Mutex::new(Inner { otherwise: 204, ..Inner::default() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.context("a port for the receiver")?;
        let address = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(take).with_state(Arc::clone(&inner));
        let task = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { address, inner, task })
    }

    /// Its address with a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the next request with a status, and perhaps the seconds to wait.
    pub(crate) fn answer_next(&self, status: u16, retry_after: Option<&'static str>) {
        self.inner().answers.push_back((status, retry_after));
    }

    /// Answers everything else with a status from now on.
    pub(crate) fn answer_all(&self, status: u16) {
        self.inner().otherwise = status;
    }

    /// What came in so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.inner().received.clone()
    }

    /// Waits until as many requests came in.
    pub(crate) async fn wait_for(&self, count: usize) -> Result<Vec<Received>> {
        let what = format!("{count} requests at the receiver");
        eventually(&what, async || Some(self.received()).filter(|received| received.len() >= count)).await
    }
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).context("a webhook's body is JSON")
    }

    /// Checks one of the signatures, as the Standard Webhooks specification says.
    pub(crate) fn verify(&self, secret: &str) -> Result<()> {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").context("a secret has a prefix")?)?;
        let mac = Hmac::<Sha256>::new_from_slice(&key)?
            .chain_update(format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp")))
            .chain_update(&self.body);
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        let signatures = self.header("webhook-signature");
        ensure!(signatures.split(' ').any(|one| one == expected), "no signature of {signatures} is {expected}");
        Ok(())
    }
}
