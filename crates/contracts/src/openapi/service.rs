//! What the operations of the component `openapi` take and answer.

use serde_json::json;
use todo_app::routes::openapi::Operation;

use super::described::Described;

pub(super) fn describe(operation: Operation) -> Described {
    match operation {
        Operation::GetDocument => Described::new("service", "Gives this document.").answers_with(
            200,
            "The document.",
            json!({ "application/json": { "schema": { "type": "object", "required": ["openapi", "paths"] } } }),
        ),
    }
}
