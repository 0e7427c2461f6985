//! What a sidecar has to answer, as a table of cases, and who answers so: sidelet on every backend, and daprd.
//!
//! A [`Case`](case::Case) is a few requests with what has to be answered, and what the app has to be given.
//! It knows neither sidelet nor daprd: both are programs with daprd's command line, started with the same components.
//! Cases run at once, each with keys and topics of its own.
//!
//! - [`cases::all`]: the table;
//! - [`Stores`]: what is behind the components;
//! - [`check`]: runs the table against one program on one set of stores;
//! - [`report`]: two programs side by side, and the page docs/conformance.md.

mod app;
pub mod case;
pub mod cases;
mod pattern;
pub mod report;
mod run;
mod setup;
mod stores;

pub use self::run::{Outcome, Program, check};
pub use self::stores::Stores;
