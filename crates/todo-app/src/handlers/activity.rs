//! The routes of the component `activity` that only the sidecar calls.

use ::http::Method;

use crate::http::router::Route;

/// What the component does when the sidecar calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Writes down what happened, or forgets a user who has gone.
    WriteDown,
}

/// Its paths and methods.
pub const ROUTES: &[Route<Operation>] =
    &[Route::new(Method::POST, "/events/activity/task-events", Operation::WriteDown)];
