//! CSV with a column `title`: our own export, or any table whose columns have the names of a task's fields.
//!
//! Columns that are no field are left out; those that only the service writes (`id`, `createdAt`) are too.

use serde_json::{Map, Value, json};
use todo_domain::{NewTask, TimeZoneName};

use super::Record;
use crate::{
    table::{split, unguarded},
    wire::{draft_of, folded, task_change},
};

/// A column that is read, folded, and what a cell of it becomes.
type Column = (&'static str, fn(&str) -> Value);

const COLUMNS: [Column; 11] = [
    ("title", plain),
    ("description", plain),
    ("status", plain),
    ("priority", plain),
    ("tags", |cell| json!(split(cell))),
    ("duedate", plain),
    ("timezone", plain),
    ("recurrence", plain),
    ("reminders", |cell| json!(split(cell).iter().map(|text| number(text)).collect::<Vec<_>>())),
    ("subtasks", |cell| {
        json!(cell.lines().map(str::trim).filter(|line| !line.is_empty()).map(step).collect::<Vec<_>>())
    }),
    ("completed", boolean),
];

/// Whether a first line is that of such a table.
pub(super) fn is_ours(header: &csv::StringRecord) -> bool {
    header.iter().any(|name| folded(name.trim()) == "title")
}

/// The task of one row.
pub(super) fn read(header: &csv::StringRecord, row: &csv::StringRecord, line: usize, zone: &TimeZoneName) -> Record {
    let mut object = Map::new();
    for (name, cell) in header.iter().zip(row) {
        let name = folded(name.trim());
        let cell = unguarded(cell);
        if let Some((name, read)) = COLUMNS.iter().find(|(known, _)| *known == name)
            && !cell.trim().is_empty()
        {
            object.insert((*name).to_owned(), read(cell));
        }
    }
    Record { line, task: task(&object, zone), note: None }
}

fn task(object: &Map<String, Value>, zone: &TimeZoneName) -> Result<NewTask, String> {
    task_change(object, zone).map(|change| draft_of(change, zone)).map_err(|error| error.to_string())
}

fn plain(cell: &str) -> Value {
    cell.into()
}

/// A number, or the text as it is, to be refused by name.
fn number(text: &str) -> Value {
    text.parse::<u32>().map_or_else(|_| text.into(), Value::from)
}

fn boolean(cell: &str) -> Value {
    match cell.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" | "x" => true.into(),
        "false" | "no" | "0" => false.into(),
        _ => cell.into(),
    }
}

/// `[x] title`, or a title alone.
fn step(line: &str) -> Value {
    let box_of = |mark: &str| line.strip_prefix(mark).map(str::trim_start);
    let (title, done) = match (box_of("[x]").or_else(|| box_of("[X]")), box_of("[ ]")) {
        (Some(title), _) => (title, true),
        (None, Some(title)) => (title, false),
        (None, None) => (line, false),
    };
    json!({ "title": title, "done": done })
}

#[cfg(test)]
mod tests {
    use todo_domain::{Priority, Status};

    use super::*;
    use crate::import::{Format, read};

    fn records(text: &str) -> Vec<Record> {
        read(Format::Csv, text.as_bytes(), &TimeZoneName::utc()).unwrap()
    }

    #[test]
    fn a_table_with_titles_becomes_tasks() {
        let records = records(
            "Title,due_date,Priority,tags,completed,reminders,subtasks,Owner\r\n\
             Pay rent,2026-03-01,High,\"home, money\",yes,\"10,60\",\"[x] ask\n[ ] pay\",Ada\r\n\
             '=1+1,,,,,,,\r\n,,,,,,,\r\nSoon,tomorrow,,,,,,\r\n",
        );
        let rent = records[0].task.as_ref().unwrap();
        assert_eq!((rent.title.as_str(), rent.priority, rent.status), ("Pay rent", Priority::High, Status::Completed));
        assert_eq!(
            (rent.tags.as_slice(), rent.reminders.as_slice()),
            (["home", "money"].map(String::from).as_slice(), [10, 60].as_slice())
        );
        let steps: Vec<_> = rent.subtasks.iter().map(|step| (step.title.as_str(), step.done)).collect();
        assert_eq!(steps, [("ask", true), ("pay", false)]);
        assert_eq!(records[1].task.as_ref().unwrap().title, "=1+1");
        assert!(records.last().unwrap().task.as_ref().unwrap_err().starts_with("dueDate:"));
        let lines: Vec<usize> = records.iter().map(|record| record.line).collect();
        assert_eq!(lines, [2, 4, 5, 6]);
    }
}
