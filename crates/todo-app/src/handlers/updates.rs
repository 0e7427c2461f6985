//! The routes of the component `updates` that only the sidecar calls.

use ::http::Method;

use crate::http::router::Route;

/// What the component does when the sidecar calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Tells open pages what changed, or that a user has gone.
    TellPages,
}

/// Its paths and methods.
pub const ROUTES: &[Route<Operation>] =
    &[Route::new(Method::POST, "/events/updates/task-events", Operation::TellPages)];
