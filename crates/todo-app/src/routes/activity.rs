//! The routes of the component `activity`.

use ::http::Method;

use crate::http::router::Route;

/// What the component does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Gives a page of what happened to the user's tasks.
    ListActivity,
    /// Gives a page of what happened to one task.
    ListTaskActivity,
}

/// Its paths and methods.
pub const ROUTES: &[Route<Operation>] = &[
    Route::new(Method::GET, "/api/activity", Operation::ListActivity),
    Route::new(Method::GET, "/api/tasks/{id}/activity", Operation::ListTaskActivity),
];
