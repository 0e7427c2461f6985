//! Which paths the sidecar calls, by component: events and jobs. They are no part of the API.

pub mod activity;
pub mod notifier;
pub mod recurring;
pub mod reminders;
pub mod updates;

/// What the paths of events begin with.
pub const EVENTS: &str = "/events/";
