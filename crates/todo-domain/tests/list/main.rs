//! One user's list: what holds after any commands, and what queries answer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod commands;
mod documents;
mod occurrences;
mod properties;
mod queries;
mod steps;
mod store;
