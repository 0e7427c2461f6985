//! The routes of the component `reminders`, which is the application's scheduler: every job comes to it.

use ::http::Method;

use crate::http::router::Route;

/// What the component does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Brings the jobs of reminders in step with a task.
    KeepReminders,
    /// Begins the daily walk over all users; the input binding `daily` calls it.
    BeginWalk,
    /// Does what a job is for.
    TakeJob,
}

/// Its paths and methods.
pub const ROUTES: &[Route<Operation>] = &[
    Route::new(Method::POST, "/events/reminders/task-events", Operation::KeepReminders),
    Route::new(Method::POST, "/events/reminders/daily", Operation::BeginWalk),
    Route::new(Method::POST, "/job/{name}", Operation::TakeJob),
];
