//! Scenarios of the whole system: the built command, the built components, real HTTP, real SQLite.
//!
//! Each file is one thing that people rely on.

mod accounts;
mod activity;
mod clock;
mod concurrent_writers;
mod daprd;
mod dead_letters;
mod disk;
mod exactly_once;
mod exports;
mod hostile_input;
mod idempotency;
mod import;
mod inbox;
mod journey;
mod killed;
mod mail;
mod mornings;
mod rates;
mod receiver;
mod recurring;
mod refused;
mod reminders;
mod sidecar_away;
mod starting;
mod strange_events;
mod support;
mod tokens;
mod trash;
mod updates;
mod web_push;
mod webhooks;
