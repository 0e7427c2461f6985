//! The routes of the component `updates`.

use ::http::Method;

use crate::http::router::Route;

/// What the component does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Streams what changes on the user's tasks.
    StreamUpdates,
}

/// Its paths and methods.
pub const ROUTES: &[Route<Operation>] = &[Route::new(Method::GET, "/api/updates", Operation::StreamUpdates)];
