//! The routes of the component `notifier`.

use ::http::Method;

use crate::http::router::Route;

/// What the component does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A task changed, or a user has gone.
    TaskEvents,
    /// A reminder or a digest is due.
    Reminders,
    /// A message is to go to a receiver.
    Deliveries,
}

/// Its paths and methods.
pub const ROUTES: &[Route<Operation>] = &[
    Route::new(Method::POST, "/events/notifier/task-events", Operation::TaskEvents),
    Route::new(Method::POST, "/events/notifier/reminders", Operation::Reminders),
    Route::new(Method::POST, "/events/notifier/deliveries", Operation::Deliveries),
];
