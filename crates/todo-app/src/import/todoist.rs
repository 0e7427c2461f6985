//! Todoist's CSV export.
//!
//! Rows are tasks, sections and notes. Indented tasks are subtasks of the one above, a section becomes a tag of the tasks
//! below it, a note becomes part of the description of the task above it, and `@label`s are tags.
//! Priority 1 is the highest. Dates are free text: ISO dates and `every day|week|month|year` are understood, any other
//! stays readable in the description, with a note in the report.

use std::collections::HashMap;

use todo_domain::task::{MAX_DESCRIPTION, MAX_SUBTASKS, MAX_TAGS};
use todo_domain::{DueDate, NewSubtask, NewTask, Priority, Recurrence, TimeZoneName, iso};

use super::Record;

/// A row, whose cells are found by their columns' names.
pub(super) struct Row<'a> {
    pub(super) row: &'a csv::StringRecord,
    pub(super) columns: &'a HashMap<String, usize>,
}

impl Row<'_> {
    /// A field's text, trimmed; empty when the column or the field is missing.
    fn get(&self, column: &str) -> &str {
        self.columns.get(column).and_then(|index| self.row.get(*index)).unwrap_or_default().trim()
    }
}

/// The columns of a file with this first line, by their names; `None` when it is not one of Todoist's.
pub(super) fn columns(header: &csv::StringRecord) -> Option<HashMap<String, usize>> {
    let names = header.iter().enumerate();
    let columns: HashMap<_, _> = names.map(|(index, name)| (name.trim().to_ascii_uppercase(), index)).collect();
    (columns.contains_key("TYPE") && columns.contains_key("CONTENT")).then_some(columns)
}

/// What has been read so far.
#[derive(Default)]
pub(super) struct File {
    pub(super) records: Vec<Record>,
    section: Option<String>,
    /// The record to which indented tasks and notes belong.
    open: Option<usize>,
}

impl File {
    pub(super) fn take(&mut self, line: usize, row: &Row<'_>, zone: &TimeZoneName) {
        match row.get("TYPE").to_ascii_lowercase().as_str() {
            "task" => self.task(line, row, zone),
            "section" => {
                self.section = tag(row.get("CONTENT"));
                self.open = None;
            }
            "note" => self.note(line, row.get("CONTENT")),
            // Todoist divides projects by rows without a type, and writes its own settings as `meta`.
            "" | "meta" => {}
            other => {
                let other: String = other.chars().take(32).collect();
                let message = format!("`{other}` is not a kind of row: expected task, section or note");
                self.records.push(Record { line, task: Err(message), note: None });
            }
        }
    }

    fn task(&mut self, line: usize, row: &Row<'_>, zone: &TimeZoneName) {
        let (title, mut tags) = labels(row.get("CONTENT"));
        let indent: u32 = row.get("INDENT").parse().unwrap_or(1);
        if indent > 1
            && let Some(parent) = self.open_task()
        {
            // One too many is enough to be refused.
            if parent.subtasks.len() <= MAX_SUBTASKS {
                parent.subtasks.push(NewSubtask { id: None, title, done: false });
            }
            return;
        }
        tags.extend(self.section.clone());
        let zone = match row.get("TIMEZONE") {
            "" => zone.clone(),
            name => TimeZoneName::parse(name).unwrap_or_else(|_| zone.clone()),
        };
        let mut task = NewTask { title, tags, time_zone: zone, ..NewTask::default() };
        task.description = Some(row.get("DESCRIPTION").to_owned()).filter(|text| !text.is_empty());
        task.priority = match row.get("PRIORITY") {
            "1" => Priority::Urgent,
            "2" => Priority::High,
            "3" => Priority::Medium,
            "4" => Priority::Low,
            _ => Priority::default(),
        };
        let note = schedule(&mut task, row);
        self.open = Some(self.records.len());
        self.records.push(Record { line, task: Ok(task), note });
    }

    fn note(&mut self, line: usize, text: &str) {
        match self.open_task() {
            Some(task) => append(task, text),
            None => {
                let message = "is a note without a task above it".to_owned();
                self.records.push(Record { line, task: Err(message), note: None });
            }
        }
    }

    fn open_task(&mut self) -> Option<&mut NewTask> {
        self.records.get_mut(self.open?)?.task.as_mut().ok()
    }
}

/// Sets due date and recurrence from the date's text; gives a note when it is not understood.
fn schedule(task: &mut NewTask, row: &Row<'_>) -> Option<String> {
    let date = row.get("DATE");
    if date.is_empty() {
        let deadline = row.get("DEADLINE");
        task.due_date = iso::date(deadline).and_then(DueDate::try_on);
        return None;
    }
    if let Some(due) = due(date, &task.time_zone) {
        task.due_date = Some(due);
        return None;
    }
    let word = match date.to_ascii_lowercase().as_str() {
        "every day" | "daily" => "daily",
        "every week" | "weekly" => "weekly",
        "every month" | "monthly" => "monthly",
        "every year" | "yearly" => "yearly",
        _ => {
            append(task, &format!("Todoist: {date}"));
            return Some(format!("the date `{}` is not understood: it is in the description", shortened(date)));
        }
    };
    task.recurrence = Recurrence::parse(word).ok().flatten();
    None
}

/// An ISO date, or date and time, in the row's zone unless it has an offset.
fn due(text: &str, zone: &TimeZoneName) -> Option<DueDate> {
    if let Ok(due) = DueDate::parse(text) {
        return Some(due);
    }
    let instant = zone.zone().to_ambiguous_timestamp(iso::date_time(text)?).compatible().ok()?;
    DueDate::try_at(instant)
}

/// Adds a paragraph, unless the description is too long already and will be refused.
fn append(task: &mut NewTask, text: &str) {
    let description = task.description.get_or_insert_default();
    if description.len() > 4 * MAX_DESCRIPTION {
        return;
    }
    if !description.is_empty() {
        description.push_str("\n\n");
    }
    description.push_str(text);
}

/// Takes the `@label`s out of a title.
fn labels(content: &str) -> (String, Vec<String>) {
    let is_label = |word: &&str| word.len() > 1 && word.starts_with('@');
    let tags = content.split_whitespace().filter(is_label).filter_map(|word| tag(&word[1..]));
    // One too many is enough to be refused.
    let tags = tags.take(MAX_TAGS + 1).collect();
    let title: Vec<&str> = content.split_whitespace().filter(|word| !is_label(word)).collect();
    (title.join(" "), tags)
}

fn tag(text: &str) -> Option<String> {
    Some(text.trim().chars().take(50).collect::<String>()).filter(|tag| !tag.is_empty())
}

fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::rows;

    const HEADER: &str = "TYPE,CONTENT,DESCRIPTION,PRIORITY,INDENT,AUTHOR,RESPONSIBLE,DATE,DATE_LANG,TIMEZONE";

    fn tasks(rows: &str) -> Vec<Record> {
        rows::read(&format!("{HEADER}\n{rows}"), &TimeZoneName::parse("Europe/Berlin").unwrap()).unwrap()
    }

    #[test]
    fn a_project_becomes_tasks_with_subtasks_tags_and_notes() {
        let records = tasks(
            "task,Move house @home,\"Boxes, tape\",1,1,,,2026-03-01 09:30,en,\nsection,Later,,,,,,,,\n\
             task,Rent van,,4,1,,,every month,en,\ntask,Ask Ada,,4,2,,,,,\nnote,call first,,,,,,,,\n,,,,,,,,,\n",
        );
        assert_eq!(records.len(), 2);
        let house = records[0].task.as_ref().unwrap();
        assert_eq!(
            (house.title.as_str(), house.priority, house.tags.clone()),
            ("Move house", Priority::Urgent, vec!["home".into()])
        );
        assert_eq!(house.due_date.unwrap().to_string(), "2026-03-01T08:30:00Z");
        let van = records[1].task.as_ref().unwrap();
        assert_eq!((van.subtasks[0].title.as_str(), van.tags.clone()), ("Ask Ada", vec!["Later".into()]));
        assert_eq!(van.recurrence.as_ref().unwrap().as_str(), "monthly");
        assert_eq!(van.description.as_deref(), Some("call first"));
    }

    #[test]
    fn a_date_that_is_not_understood_stays_readable() {
        let records = tasks("task,Water plants,,4,1,,,every 3rd friday,en,\n");
        assert!(records[0].note.as_ref().unwrap().contains("every 3rd friday"));
        assert_eq!(records[0].task.as_ref().unwrap().description.as_deref(), Some("Todoist: every 3rd friday"));
    }

    #[test]
    fn what_is_no_row_is_skipped_with_its_line() {
        let records = tasks("task,a,,4,1,,,,,\nholiday,b,,,,,,,,\nnote,c\n");
        assert_eq!(records[1].line, 3);
        assert!(records[1].task.is_err());
        assert!(rows::read("a,b\n1,2\n", &TimeZoneName::utc()).is_err());
    }
}
