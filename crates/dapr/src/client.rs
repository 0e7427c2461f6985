//! The client.

use std::future::Future;

use http::{Method, Request, Response, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::{
    binding::BindingRequest,
    error::Error,
    job::Job,
    paths,
    state::{BulkGetEntry, BulkGetRequest, Metadata, StateItem, Transaction},
};

/// Sends one request and reads the whole answer.
///
/// Any answer is an `Ok`, whatever its status; an error means that there was none.
pub trait Transport {
    /// Why there was no answer.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Sends `request`, whose URI is absolute.
    fn send(&self, request: Request<Vec<u8>>) -> impl Future<Output = Result<Response<Vec<u8>>, Self::Error>>;
}

/// A stored value with the entity tag that guards its next write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// The value's JSON text.
    pub value: Vec<u8>,
    /// Its entity tag; empty when the store has none.
    pub etag: String,
}

/// Calls a sidecar.
///
/// No call is tried again here: who calls knows whether that is safe.
#[derive(Debug, Clone)]
pub struct Client<T> {
    transport: T,
    address: String,
    headers: Vec<(&'static str, String)>,
}

impl<T: Transport> Client<T> {
    /// A client of the sidecar at `address`, such as `http://127.0.0.1:3500`.
    pub fn new(transport: T, address: impl Into<String>) -> Self {
        let mut address = address.into();
        address.truncate(address.trim_end_matches('/').len());
        Self { transport, address, headers: Vec::new() }
    }

    /// Sends `token` with every call. An empty token is none.
    #[must_use]
    pub fn with_token(self, token: impl Into<String>) -> Self {
        self.with_header("dapr-api-token", token)
    }

    /// Sends W3C trace context with every call, and so with every event that it publishes. Empty is none.
    #[must_use]
    pub fn with_trace_parent(self, trace_parent: impl Into<String>) -> Self {
        self.with_header("traceparent", trace_parent)
    }

    /// Names the app that calls, where one sidecar serves many: it owns the jobs that it makes. Empty is none.
    #[must_use]
    pub fn with_app_id(self, app_id: impl Into<String>) -> Self {
        self.with_header("dapr-caller-app-id", app_id)
    }

    fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.headers.push((name, value));
        }
        self
    }

    /// Reads one key. `None` when it is absent or has expired.
    ///
    /// # Errors
    /// [`Error::Unavailable`] and [`Error::Refused`].
    pub async fn get(&self, store: &str, key: &str) -> Result<Option<Versioned>, Error> {
        let attempt = || format!("read `{key}` from `{store}`");
        let answer = self.call(&attempt, Method::GET, paths::state_key(store, key), Vec::new(), "").await?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        let etag = answer.headers().get(header::ETAG).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let etag = etag.to_owned();
        Ok(Some(Versioned { value: answer.into_body(), etag }))
    }

    /// Reads many keys in one call. The entries come in any order; an absent key has no `data`.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Refused`] and [`Error::Malformed`]; one key that fails fails the call.
    pub async fn bulk_get(&self, store: &str, keys: Vec<String>) -> Result<Vec<BulkGetEntry>, Error> {
        let attempt = || format!("read many keys from `{store}`");
        let body = to_json(&attempt, &BulkGetRequest { keys, parallelism: None })?;
        let answer = self.call(&attempt, Method::POST, paths::state_bulk(store), body, JSON).await?;
        let entries: Vec<BulkGetEntry> = from_json(&attempt, answer.body())?;
        match entries.iter().find_map(|entry| entry.error.as_ref().map(|error| (entry, error))) {
            Some((entry, error)) => Err(Error::Unavailable {
                attempt: format!("read `{}` from `{store}`", entry.key),
                source: error.as_str().into(),
            }),
            None => Ok(entries),
        }
    }

    /// Saves one item.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the item's entity tag or first-write condition does not hold; [`Error::Unavailable`];
    /// [`Error::Refused`].
    pub async fn save(&self, store: &str, item: &StateItem) -> Result<(), Error> {
        let attempt = || format!("save `{}` in `{store}`", item.key);
        let body = to_json(&attempt, &[item])?;
        self.call(&attempt, Method::POST, paths::state(store), body, JSON).await.map(drop)
    }

    /// Carries out all operations or none.
    ///
    /// # Errors
    /// As [`Client::save`]; a conflict of one operation is one of all.
    pub async fn transact(&self, store: &str, transaction: &Transaction) -> Result<(), Error> {
        let attempt = || format!("commit {} operations in `{store}`", transaction.operations.len());
        // A large one must not be copied again and again while it grows.
        let mut body = Vec::with_capacity(transaction.size_hint());
        serde_json::to_writer(&mut body, transaction)
            .map_err(|source| Error::Malformed { attempt: attempt(), source: source.into() })?;
        self.call(&attempt, Method::POST, paths::state_transaction(store), body, JSON).await.map(drop)
    }

    /// Publishes JSON to a topic. `metadata` may hold `partitionKey`, `ttlInSeconds` or `cloudevent.*`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] and [`Error::Refused`].
    pub async fn publish(&self, pubsub: &str, topic: &str, json: Vec<u8>, metadata: &Metadata) -> Result<(), Error> {
        let attempt = || format!("publish to `{topic}` of `{pubsub}`");
        let mut path = paths::publish(pubsub, topic);
        for (index, (key, value)) in metadata.iter().enumerate() {
            let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            path.push_str(&format!("{}metadata.{key}={value}", if index == 0 { '?' } else { '&' }));
        }
        self.call(&attempt, Method::POST, path, json, JSON).await.map(drop)
    }

    /// Makes a job: the sidecar calls `POST /job/{name}` when its time comes.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is one of this name and the job does not overwrite; [`Error::Unavailable`];
    /// [`Error::Refused`].
    pub async fn schedule_job(&self, name: &str, job: &Job) -> Result<(), Error> {
        let attempt = || format!("make the job `{name}`");
        let body = to_json(&attempt, job)?;
        self.call(&attempt, Method::POST, paths::job(name), body, JSON).await.map(drop)
    }

    /// Takes a job back. One that is not there is no error.
    ///
    /// # Errors
    /// [`Error::Unavailable`] and [`Error::Refused`].
    pub async fn delete_job(&self, name: &str) -> Result<(), Error> {
        let attempt = || format!("delete the job `{name}`");
        self.call(&attempt, Method::DELETE, paths::job(name), Vec::new(), "").await.map(drop)
    }

    /// Asks an output binding for an operation, and gives the bytes that it answers; empty when it answers nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`], also when the binding's own peer refuses; [`Error::Refused`].
    pub async fn invoke_binding(&self, name: &str, request: &BindingRequest) -> Result<Vec<u8>, Error> {
        let attempt = || format!("ask the binding `{name}` to `{}`", request.operation);
        let body = to_json(&attempt, request)?;
        Ok(self.call(&attempt, Method::POST, paths::binding(name), body, JSON).await?.into_body())
    }

    /// Whether the sidecar's API can be called.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it cannot.
    pub async fn healthy(&self) -> Result<(), Error> {
        let attempt = || "ask for the sidecar's health".to_owned();
        self.call(&attempt, Method::GET, paths::HEALTH_OUTBOUND.to_owned(), Vec::new(), "").await.map(drop)
    }

    async fn call(
        &self,
        attempt: &impl Fn() -> String,
        method: Method,
        path: String,
        body: Vec<u8>,
        content_type: &str,
    ) -> Result<Response<Vec<u8>>, Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.address));
        if !content_type.is_empty() {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request =
            request.body(body).map_err(|source| Error::Malformed { attempt: attempt(), source: source.into() })?;
        let answer = self
            .transport
            .send(request)
            .await
            .map_err(|source| Error::Unavailable { attempt: attempt(), source: source.into() })?;
        if answer.status().is_success() {
            Ok(answer)
        } else {
            Err(Error::from_answer(attempt(), answer.status(), answer.body()))
        }
    }
}

const JSON: &str = "application/json";

fn to_json<B: serde::Serialize + ?Sized>(attempt: &impl Fn() -> String, body: &B) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(body).map_err(|source| Error::Malformed { attempt: attempt(), source: source.into() })
}

fn from_json<B: DeserializeOwned>(attempt: &impl Fn() -> String, body: &[u8]) -> Result<B, Error> {
    // From text everywhere, since each form of input costs a component its own copy of every reader.
    match std::str::from_utf8(body).map(serde_json::from_str) {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(source)) => Err(Error::Malformed { attempt: attempt(), source: source.into() }),
        Err(source) => Err(Error::Malformed { attempt: attempt(), source: source.into() }),
    }
}
