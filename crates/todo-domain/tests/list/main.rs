//! One user's list: what holds after any commands, and what queries answer.

mod commands;
mod documents;
mod properties;
mod queries;
mod store;
