//! What the operations of the component `exports` take and answer.

use serde_json::{Value, json};
use todo_app::routes::exports::Operation;

use super::described::{Described, reference};

pub(super) fn describe(operation: Operation) -> Described {
    match operation {
        Operation::ExportTasks => Described::new("transfer", "Gives the tasks as a file.")
            .reads()
            .takes(&["format"])
            .answers_with(
                200,
                "The file.",
                json!({
                    "application/json": { "schema": reference("schemas", "Export") },
                    "text/csv": text("The tasks outside the trash, as a table."),
                    "text/calendar": text("The tasks outside the trash, as VTODOs."),
                }),
            )
            .headers(200, &[("Content-Disposition", "ContentDisposition")])
            .refuses([400]),
        Operation::GetCalendar => {
            Described::new("transfer", "Gives the calendar of who holds its secret: open tasks with a due date.")
                .takes(&["as"])
                .answers_with(200, "The calendar.", json!({ "text/calendar": text("iCalendar (RFC 5545).") }))
                .refuses([400, 404])
        }
    }
}

fn text(description: &str) -> Value {
    json!({ "schema": { "type": "string", "description": description } })
}
