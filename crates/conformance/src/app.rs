//! The suite's app: it notes what it gets and answers as the cases say.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Called {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// What the app was given, and what it answers.
#[derive(Debug, Default)]
struct Book {
    called: Vec<Called>,
    answers: BTreeMap<String, Vec<(u16, String)>>,
    subscriptions: Value,
}

type Shared = Arc<Mutex<Book>>;

/// A listening app. It ends with this value.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) port: u16,
    book: Shared,
    task: JoinHandle<()>,
}

impl App {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn start(subscriptions: Value, answers: BTreeMap<String, Vec<(u16, String)>>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a port for the app")?;
        let port = listener.local_addr()?.port();
        let book = Arc::new(Mutex::new(Book { called: Vec::new(), answers, subscriptions }));
        let router = Router::new().fallback(receive).with_state(Arc::clone(&book));
        let task = tokio::spawn(async move {
            // It serves until it is dropped.
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self { port, book, task })
    }

    /// What came to a path so far.
    pub(crate) fn called(&self, path: &str) -> Vec<Called> {
        let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.called.iter().filter(|call| call.path == path).cloned().collect()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn receive(State(book): State<Shared>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
    let path = uri.path().to_owned();
    let called = Called {
        method: method.clone(),
        path: path.clone(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    book.called.push(called.clone());
    if method == Method::GET && path == "/dapr/subscribe" {
        return json(200, book.subscriptions.to_string());
    }
    if let Some(answers) = book.answers.get_mut(&path) {
        let (status, body) = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        let echo =
            serde_json::json!({ "method": method.as_str(), "path": path, "query": called.query, "body": called.body });
        return json(status, if body == ECHO { echo.to_string() } else { body });
    }
    StatusCode::OK.into_response()
}

/// As a body: what was asked.
pub(crate) const ECHO: &str = "<echo>";

fn json(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
