//! The routes of the component `recurring`.

use ::http::Method;

use crate::http::router::Route;

/// What the component does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Makes the next occurrence of a completed task.
    FollowCompletedTask,
}

/// Its paths and methods.
pub const ROUTES: &[Route<Operation>] =
    &[Route::new(Method::POST, "/events/recurring/task-events", Operation::FollowCompletedTask)];
