//! An app that subscribes: it notes what it gets and answers as a test says.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::DEADLINE;

/// One delivery.
#[derive(Debug, Clone)]
pub(crate) struct Delivered {
    pub(crate) method: Method,
    pub(crate) route: String,
    pub(crate) headers: HeaderMap,
    pub(crate) event: Value,
}

impl Delivered {
    pub(crate) fn data(&self) -> &Value {
        &self.event["data"]
    }
}

type Behaviour = Arc<dyn Fn(&Delivered) -> Response + Send + Sync>;

#[derive(Clone)]
struct Shared {
    delivered: Arc<Mutex<Vec<Delivered>>>,
    count: Arc<watch::Sender<usize>>,
    behaviour: Behaviour,
    /// What it answers on `/dapr/subscribe`. None: 404.
    subscriptions: Arc<Mutex<Option<String>>>,
    /// How often it was asked.
    asked: Arc<AtomicUsize>,
}

/// A listening app.
pub(crate) struct App {
    address: SocketAddr,
    shared: Shared,
    task: Option<JoinHandle<()>>,
}

impl App {
    /// Acknowledges everything.
    pub(crate) async fn start() -> Self {
        Self::answering(|_| ().into_response()).await
    }

    /// Answers with what `behaviour` says.
    pub(crate) async fn answering(behaviour: impl Fn(&Delivered) -> Response + Send + Sync + 'static) -> Self {
        let mut app = Self::absent(behaviour);
        app.listen().await;
        app
    }

    /// Has an address, and nobody listens there yet.
    pub(crate) fn absent(behaviour: impl Fn(&Delivered) -> Response + Send + Sync + 'static) -> Self {
        // The port was free a moment ago; nobody else on this machine asks for a certain one.
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let shared = Shared {
            delivered: Arc::default(),
            count: Arc::new(watch::Sender::new(0)),
            behaviour: Arc::new(behaviour),
            subscriptions: Arc::default(),
            asked: Arc::default(),
        };
        Self { address, shared, task: None }
    }

    /// Begins to listen.
    pub(crate) async fn listen(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        let router = Router::new().fallback(receive).with_state(self.shared.clone());
        self.task = Some(tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }));
    }

    /// Goes away.
    pub(crate) async fn leave(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
    }

    /// Says from now on what it subscribes to.
    pub(crate) fn subscribes(&self, list: &Value) {
        *self.shared.subscriptions.lock().unwrap() = Some(list.to_string());
    }

    /// How often it was asked what it subscribes to.
    pub(crate) fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came so far.
    pub(crate) fn delivered(&self) -> Vec<Delivered> {
        self.shared.delivered.lock().unwrap().clone()
    }

    /// Waits until `count` deliveries came, and gives all that came.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Delivered> {
        let mut receiver = self.shared.count.subscribe();
        let came = tokio::time::timeout(DEADLINE, receiver.wait_for(|came| *came >= count)).await;
        assert!(came.is_ok(), "{count} deliveries were expected, {} came", self.delivered().len());
        self.delivered()
    }
}

async fn receive(State(shared): State<Shared>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    if method == Method::GET && uri.path() == "/dapr/subscribe" {
        shared.asked.fetch_add(1, Ordering::SeqCst);
        let list = shared.subscriptions.lock().unwrap().clone();
        return list.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response);
    }
    let event = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let delivered = Delivered { method, route: uri.path().to_owned(), headers, event };
    let answer = (shared.behaviour)(&delivered);
    shared.delivered.lock().unwrap().push(delivered);
    shared.count.send_modify(|count| *count += 1);
    answer
}

/// An answer with a status and a body.
pub(crate) fn answer(status: u16, body: &'static str) -> Response {
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}
