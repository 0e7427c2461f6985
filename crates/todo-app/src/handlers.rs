//! Which paths the sidecar calls, by component: events and jobs. They are no part of the API.

pub mod notifier;
pub mod recurring;
pub mod reminders;
