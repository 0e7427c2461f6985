//! Tasks as CSV (RFC 4180), for spreadsheets: one row for each task, its lists in one cell each.

use todo_domain::{Subtask, Task};

use crate::table::{COLUMNS, guarded, join};

/// The table, with its first line.
pub(super) fn write(tasks: &[Task]) -> String {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // A vector takes every byte, and a row has as many fields as the first.
    let written = "a table in memory can be written";
    writer.write_record(COLUMNS).expect(written);
    for task in tasks {
        writer.write_record(row(task)).expect(written);
    }
    let bytes = writer.into_inner().expect(written);
    String::from_utf8(bytes).expect("cells are text")
}

/// One cell for each of [`COLUMNS`].
fn row(task: &Task) -> [String; COLUMNS.len()] {
    let optional = |value: Option<String>| value.unwrap_or_default();
    let reminders: Vec<String> = task.reminders.iter().map(u32::to_string).collect();
    [
        task.id.to_string(),
        guarded(&task.title),
        guarded(task.description.as_deref().unwrap_or_default()),
        task.status.as_str().to_owned(),
        task.priority.as_str().to_owned(),
        guarded(&join(&task.tags)),
        optional(task.due_date.map(|due| due.to_string())),
        task.time_zone.to_string(),
        optional(task.recurrence.as_ref().map(|recurrence| recurrence.to_string())),
        reminders.join(","),
        guarded(&task.subtasks.iter().map(step).collect::<Vec<_>>().join("\n")),
        task.created_at.to_string(),
        task.updated_at.to_string(),
        optional(task.completed_at.map(|at| at.to_string())),
    ]
}

fn step(subtask: &Subtask) -> String {
    format!("[{}] {}", if subtask.done { 'x' } else { ' ' }, subtask.title)
}
