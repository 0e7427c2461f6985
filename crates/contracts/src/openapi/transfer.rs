//! What the operations of the component `transfer` take and answer.

use serde_json::json;
use todo_app::routes::transfer::Operation;

use super::described::Described;
use crate::samples::requests;

pub(super) fn describe(operation: Operation) -> Described {
    match operation {
        Operation::ImportTasks => {
            let tasks = json!({ "type": "array", "description": "Tasks as they are made; what is none is skipped.", "items": true });
            let json = json!({
                "schema": { "anyOf": [tasks, { "type": "object", "required": ["tasks"], "properties": { "tasks": tasks } }] },
                "example": requests::import_tasks(),
            });
            let text = |description: &str| json!({ "schema": { "type": "string", "description": description } });
            Described::new("transfer", "Takes over the tasks of a file. A record that cannot be taken is skipped.")
                .writes()
                .body_of([
                    ("application/json", json),
                    ("text/csv", text("Todoist's CSV export.")),
                    ("text/calendar", text("iCalendar with VTODOs.")),
                ])
                .answers_json(200, "What came of it.", "ImportReport")
        }
    }
}
