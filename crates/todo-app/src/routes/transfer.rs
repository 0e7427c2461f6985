//! The routes of the component `transfer`.

use ::http::Method;

use crate::http::router::Route;
use crate::import::MAX_IMPORT_BYTES;

/// What the component does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Takes over the tasks of a file.
    ImportTasks,
}

/// Its paths and methods.
pub const ROUTES: &[Route<Operation>] =
    &[Route::new(Method::POST, "/api/import", Operation::ImportTasks).with_body_limit(MAX_IMPORT_BYTES)];
