//! What the operations of the component `activity` take and answer.

use todo_app::routes::activity::Operation;

use super::described::Described;

pub(super) fn describe(operation: Operation) -> Described {
    let page = |summary| {
        Described::new("activity", summary)
            .reads()
            .takes(&["ActivityLimit", "cursor"])
            .answers_array(200, "What happened, the newest first; 90 days of it.", "Activity")
            .headers(200, &[("Link", "Link")])
            .refuses([400])
    };
    match operation {
        Operation::ListActivity => page("Gives a page of what happened to your tasks."),
        Operation::ListTaskActivity => page("Gives a page of what happened to one task.").refuses([404]),
    }
}
