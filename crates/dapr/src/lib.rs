//! The Dapr HTTP API: its paths, its bodies, and a client over a one-method transport.
//!
//! The client speaks to any sidecar that serves the API (daprd, sidelet), and a server may build on the same
//! [`paths`] and body types, so that the two sides cannot drift apart.
//! The crate does no I/O of its own and knows no runtime: a caller brings a [`Transport`].
//!
//! Only the stable API is here: state, publish, the event envelope, jobs, output bindings, health. The query API is alpha for ever and absent.
//!
//! ```
//! use dapr::{Client, Operation, StateItem, Transaction};
//! # use dapr::Transport;
//! # struct Answer204;
//! # #[derive(Debug, thiserror::Error)] #[error("never")] struct Never;
//! # impl Transport for Answer204 {
//! #     type Error = Never;
//! #     async fn send(&self, _: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, Never> {
//! #         let mut answer = http::Response::new(Vec::new());
//! #         *answer.status_mut() = http::StatusCode::NO_CONTENT;
//! #         Ok(answer)
//! #     }
//! # }
//! # futures::executor::block_on(async {
//! let client = Client::new(Answer204, "http://127.0.0.1:3500");
//! let item = StateItem::new("tasks/7", &["milk"]).expect("a list of text is JSON").with_etag("1");
//! let transaction = Transaction::new(vec![Operation::upsert(item)]);
//! client.transact("statestore", &transaction).await.expect("the sidecar answers 204");
//! # });
//! ```

mod binding;
mod client;
mod error;
mod event;
mod job;
pub mod paths;
mod state;

pub use binding::BindingRequest;
pub use client::{Client, Transport, Versioned};
pub use error::{ApiError, Error, code};
pub use event::{Acknowledgement, CLOUD_EVENT_CONTENT_TYPE, CloudEvent, DeliveryStatus, SPEC_VERSION};
pub use job::{FailurePolicy, Job, JobRetry};
pub use state::{
    BulkGetEntry, BulkGetRequest, Concurrency, Consistency, Metadata, Operation, StateItem, StateOptions, Transaction,
    metadata_key,
};
