//! The routes of the component `exports`.

use ::http::Method;

use crate::http::router::Route;

/// What the component does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Gives the tasks as a file.
    ExportTasks,
    /// Gives the calendar of who holds its secret.
    GetCalendar,
}

/// Its paths and methods.
pub const ROUTES: &[Route<Operation>] = &[
    Route::new(Method::GET, "/api/export", Operation::ExportTasks),
    Route::new(Method::GET, "/api/calendar/{secret}.ics", Operation::GetCalendar),
];
