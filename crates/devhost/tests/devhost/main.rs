//! The host as its users see it: a manifest in, HTTP out, with a real component behind.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod bounds;
mod cache;
mod command;
mod connections;
mod files;
mod hostile;
mod manifests;
mod outbound;
mod routing;
mod shutdown;
mod slow;
mod streaming;
mod support;
mod tls;
mod upstream;
mod variables;
