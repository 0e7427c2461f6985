//! The use cases of the task service, and the HTTP surface that its components share.
//!
//! A component is one call of [`spin::serve`] with its routes and a function that picks the use case; everything with a
//! decision in it is here or, where it is a rule about tasks, in `todo_domain`.
//! This crate reaches the world through a [`dapr::Client`] alone: it knows no database, no broker and, outside
//! [`spin`], no Wasm host.
//!
//! - [`routes`]: which paths and methods there are, and [`handlers`]: those that only the sidecar calls;
//! - [`http`]: routing, bodies, problem details, entity tags, request ids;
//! - [`access`]: who is asking, and what they may do;
//! - [`idempotency`]: writes that happen once, however often they are sent;
//! - [`wire`]: tasks and queries as people write them;
//! - [`lists`]: load a list, apply a command, commit with its events, try again on a conflict;
//! - [`accounts`]: sign-up, sign-in, sessions, profile;
//! - [`events`]: what the event handlers share;
//! - [`recurring`]: what follows a completed task;
//! - [`reminders`]: what is done when a time has come;
//! - [`schedule`]: messages that are published later;
//! - [`notifications`]: the inbox, webhooks, mail and web push;
//! - [`activity`] and [`updates`]: what happened to tasks, later and at once; [`sse`]: streams of events;
//! - [`import`] and [`export`]: JSON, CSV (Todoist's too, on the way in) and iCalendar.

pub mod access;
pub mod accounts;
pub mod activity;
mod documents;
pub mod events;
pub mod export;
pub mod failure;
pub mod handlers;
pub mod http;
pub mod idempotency;
pub mod import;
pub mod lists;
pub mod notifications;
pub mod numbered;
pub mod recurring;
pub mod reminders;
pub mod routes;
pub mod schedule;
pub mod settings;
#[cfg(target_family = "wasm")]
pub mod spin;
pub mod sse;
mod table;
pub mod updates;
pub mod wire;

use dapr::Client;
use jiff::Timestamp;

use crate::settings::Settings;

/// What a use case works with: the sidecar, the settings, and the time of the request.
#[derive(Debug, Clone)]
pub struct App<T> {
    /// The sidecar.
    pub dapr: Client<T>,
    /// What the operator chose.
    pub settings: Settings,
    /// When the request came; the only clock that use cases see.
    pub now: Timestamp,
}

/// A UUIDv8 that is the same each time for the same text, so that what is made twice of one thing is seen to be the same.
pub fn derived_id(text: &str) -> uuid::Uuid {
    use sha2::{Digest, Sha256};

    let hash: [u8; 32] = Sha256::digest(text).into();
    let mut first = [0; 16];
    first.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(first).into_uuid()
}

/// A fresh UUIDv7. Ids of one process grow even within one millisecond.
pub fn fresh_id() -> uuid::Uuid {
    uuid::Uuid::now_v7()
}
