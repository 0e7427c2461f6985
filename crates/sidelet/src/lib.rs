//! A small drop-in for the Dapr sidecar: state, pub/sub with a transactional outbox, and delivery over HTTP.
//!
//! It serves the Dapr HTTP API to the apps on one machine, or in one cluster, and calls them with what they subscribe to.
//! It does not know what an app does: keys, values and events are text to it.
//!
//! - [`Config`] is written by hand or read from daprd's command line ([`CommandLine`]).
//! - [`start`] reads every file and checks all of it before a port opens.
//! - [`Running`] tells the address and shuts down without losing or repeating anything.
//! - [`migrate`] brings the tables of databases up to date, before a new release starts.
//!
//! SQLite is always in it, on the disk and in memory. What else it is built with are features: `kafka` and `postgres`.
//!
//! ```no_run
//! # async fn example() -> Result<(), sidelet::StartError> {
//! let config = sidelet::Config {
//!     resources: vec!["dapr/local".into()],
//!     data_directory: "data".into(),
//!     apps: [("todo".to_owned(), sidelet::AppAddress::parse("http://127.0.0.1:3000").expect("an address"))].into(),
//!     ..sidelet::Config::new("todo")
//! };
//! let running = sidelet::start(config).await?;
//! println!("{}", running.local_addr());
//! # Ok(()) }
//! ```

#![cfg_attr(
    not(all(feature = "kafka", feature = "postgres")),
    allow(
        dead_code,
        unused_imports,
        unused_variables,
        reason = "what replicas and brokers need is of no use without them"
    )
)]

mod activity;
mod api;
mod apps;
mod bindings;
mod config;
mod consumers;
mod cron;
mod dead_letter;
mod delivery;
pub mod env;
mod envelope;
mod error;
mod expression;
mod inspect;
mod jobs;
#[cfg(feature = "kafka")]
mod kafka;
mod log;
mod metrics;
mod outbox;
#[cfg(feature = "postgres")]
mod postgres;
mod pubsub;
mod replay;
mod resiliency;
mod resources;
mod runtime;
mod scaler;
mod secrets;
mod sidecar;
mod sqlite;
mod state;
mod store;
mod streams;
#[cfg(feature = "kafka")]
mod topics;

pub use config::{AppAddress, CommandLine, Config, InvalidAddress};
pub use error::StartError;
pub use runtime::{Running, ShutdownOverdue, migrate, start};
#[cfg(feature = "kafka")]
pub use topics::topics;
