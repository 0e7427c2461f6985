//! What the operations of the component `tasks` take and answer.

use serde_json::{Value, json};
use todo_app::routes::tasks::Operation;

use super::described::Described;
use crate::samples::requests;

const TAGGED: &[(&str, &str)] = &[("ETag", "EntityTag")];

const PAGED: &[(&str, &str)] = &[("X-Total-Count", "TotalCount"), ("Link", "Link")];

pub(super) fn describe(operation: Operation) -> Described {
    let task = |summary| Described::new("tasks", summary);
    match operation {
        Operation::CreateTask => task("Makes a task.")
            .writes()
            .body("NewTask", requests::new_task())
            .answers_json(201, "The task.", "Task")
            .headers(201, TAGGED)
            .headers(201, &[("Location", "Location")])
            .links(201, &by_id()),
        Operation::ListTasks => task("Gives a page of the list.")
            .reads()
            .takes(&["status", "priority", "tag", "sort", "order", "ListLimit", "cursor"])
            .answers_array(200, "The tasks of this page.", "Task")
            .headers(200, PAGED)
            .refuses([400]),
        Operation::SearchTasks => task("Finds tasks by text and properties. Filters combine with AND.")
            .reads()
            .takes(&["q", "status", "priority", "tag", "dueDateFrom", "dueDateTo", "overdue"])
            .takes(&["sort", "order", "page", "SearchLimit"])
            .answers_json(200, "What was found.", "SearchResult")
            .refuses([400]),
        Operation::GetTask => task("Gives one task.")
            .reads()
            .takes(&["IfNoneMatch"])
            .answers_json(200, "The task.", "Task")
            .headers(200, TAGGED)
            .answers(304, "You have it as it is.")
            .headers(304, TAGGED)
            .refuses([404]),
        Operation::UpdateTask => {
            changes("Changes the fields that are given.").body("TaskChange", requests::task_change())
        }
        Operation::CompleteTask => changes("Completes a task; nothing happens when it is completed."),
        Operation::ReopenTask => changes("Makes a completed task pending again; nothing happens when it is open."),
        Operation::DeleteTask => task("Puts a task into the trash.")
            .writes()
            .conditional()
            .answers(204, "It is in the trash.")
            .links(204, &from_trash())
            .refuses([404]),
        Operation::ChangeTasks => task("Changes, completes or deletes many tasks, in one commit.")
            .writes()
            .body("Bulk", requests::change_tasks())
            .answers_json(200, "What came of it for each id.", "BulkResult"),
        Operation::QuickAddTask => task("Makes a task from a line of text, and says what it understood.")
            .writes()
            .body("QuickTask", requests::quick_add_task())
            .answers_json(201, "The task.", "QuickTaskResult")
            .headers(201, TAGGED)
            .headers(201, &[("Location", "Location")])
            .links(201, &by_id()),
        Operation::ListTrash => task("Gives a page of the trash, the latest first.")
            .reads()
            .takes(&["ListLimit", "cursor"])
            .answers_array(200, "The tasks of this page.", "Task")
            .headers(200, PAGED)
            .refuses([400]),
        Operation::RestoreTask => task("Takes a task out of the trash; nothing happens when it is not there.")
            .writes()
            .answers_json(200, "The task as it is now.", "Task")
            .headers(200, TAGGED)
            .refuses([404]),
        Operation::PurgeTask => {
            task("Removes a task of the trash for good.").writes().answers(204, "It is gone.").refuses([404])
        }
        Operation::EmptyTrash => {
            task("Removes every task of the trash for good.").writes().answers(204, "They are gone.")
        }
        Operation::ListTags => task("Counts the tasks of each tag.").reads().answers_array(200, "The tags.", "Tag"),
        Operation::GetHealth => Described::new("service", "Says whether the service can serve.")
            .answers_json(200, "It can.", "Health")
            .answers_json(503, "A dependency is away.", "Health")
            .headers(503, &[("Retry-After", "RetryAfter")]),
    }
}

/// A change of one task.
fn changes(summary: &'static str) -> Described {
    Described::new("tasks", summary)
        .writes()
        .conditional()
        .answers_json(200, "The task as it is now.", "Task")
        .headers(200, TAGGED)
        .refuses([404])
}

/// What can be done with a task that was made.
fn by_id() -> Vec<(&'static str, Value)> {
    let id = json!({ "parameters": { "id": "$response.body#/id" } });
    ["get_task", "update_task", "complete_task", "reopen_task", "delete_task"].map(|name| (name, id.clone())).into()
}

/// What can be done with a task that was deleted.
fn from_trash() -> Vec<(&'static str, Value)> {
    let id = json!({ "parameters": { "id": "$request.path.id" } });
    ["restore_task", "purge_task"].map(|name| (name, id.clone())).into()
}
