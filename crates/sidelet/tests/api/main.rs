//! The sidecar at its seam: real HTTP, real files, real apps, and the real binary where something is killed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bindings;
mod bounds;
mod bulk;
mod clock;
mod cluster;
mod configuration;
mod connections;
mod crash;
mod cron;
mod delivery;
mod disk;
mod files;
mod harness;
mod idle;
mod invoke;
mod jobs;
mod kafka;
mod kubernetes;
mod lifecycle;
mod metrics;
mod operate;
mod outbox;
mod parsers;
mod postgres;
mod publish;
mod reload;
mod resiliency;
mod routing;
mod scaler;
mod secrets;
mod state;
mod streams;
mod subscribe;
mod takeover;
