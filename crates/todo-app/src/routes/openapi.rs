//! The routes of the component `openapi`.

use ::http::Method;

use crate::http::router::Route;

/// What the component does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Gives the OpenAPI document.
    GetDocument,
}

/// Its paths and methods.
pub const ROUTES: &[Route<Operation>] = &[Route::new(Method::GET, "/api/openapi.json", Operation::GetDocument)];
