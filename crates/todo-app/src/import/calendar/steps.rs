//! VTODOs that belong to others (`RELATED-TO`, as task programs write subtasks) become steps of those.

use std::collections::HashMap;

use todo_domain::task::MAX_SUBTASKS;
use todo_domain::{NewSubtask, NewTask, Status};

use super::Record;

/// A VTODO's record, with what says where it belongs.
pub(super) struct Related {
    pub(super) record: Record,
    /// Its `UID`; empty when it has none.
    pub(super) uid: String,
    /// The `UID` that it belongs to; empty when it stands alone.
    pub(super) parent: String,
}

/// Makes steps of what belongs to another of the same file. Tasks have one level of steps: those below belong to the
/// outermost. What its task has no room for stays a task of its own.
pub(super) fn gather(todos: Vec<Related>) -> Vec<Record> {
    let owners: Vec<Option<usize>> = {
        let mut by_uid: HashMap<&str, usize> = HashMap::new();
        for (index, todo) in todos.iter().enumerate().filter(|(_, todo)| !todo.uid.is_empty()) {
            by_uid.entry(&todo.uid).or_insert(index);
        }
        let parents: Vec<Option<usize>> = todos.iter().map(|todo| by_uid.get(todo.parent.as_str()).copied()).collect();
        (0..todos.len()).map(|index| outermost(index, &parents)).collect()
    };
    let mut records: Vec<Option<Record>> = todos.into_iter().map(|todo| Some(todo.record)).collect();
    for (index, owner) in owners.into_iter().enumerate() {
        let Some(owner) = owner else { continue };
        let Some(step) = records[index].take() else { continue };
        match records[owner].as_mut().and_then(|record| add(record, &step)) {
            Some(()) => {}
            None => records[index] = Some(step),
        }
    }
    records.into_iter().flatten().collect()
}

/// The one at the end of the chain of parents; `None` for one without a parent, and for a chain that bites its tail.
fn outermost(index: usize, parents: &[Option<usize>]) -> Option<usize> {
    /// More levels than anyone divides a task into; it bounds the work.
    const LEVELS: usize = 16;

    let mut found = parents[index]?;
    for _ in 0..LEVELS {
        match parents[found] {
            None => return Some(found).filter(|found| *found != index),
            Some(next) => found = next,
        }
    }
    None
}

/// Adds a record as a step of another's task; `None` when it has to stay a task.
fn add(owner: &mut Record, step: &Record) -> Option<()> {
    let step = step.task.as_ref().ok()?;
    let task = owner.task.as_mut().ok()?;
    if task.subtasks.len() >= MAX_SUBTASKS {
        return None;
    }
    let done = step.status == Status::Completed;
    task.subtasks.push(NewSubtask { id: None, title: step.title.clone(), done });
    if has_more(step) {
        let title: String = step.title.chars().take(64).collect();
        let message = format!("the step `{title}` keeps its title and whether it is done, and nothing else");
        match &mut owner.note {
            Some(note) => note.push_str(&format!("; {message}")),
            None => owner.note = Some(message),
        }
    }
    Some(())
}

/// Whether a task says more than a step can.
fn has_more(task: &NewTask) -> bool {
    task.description.is_some() || task.due_date.is_some() || task.recurrence.is_some() || !task.tags.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn todo(uid: &str, parent: &str) -> Related {
        let task = NewTask { title: uid.to_owned(), ..NewTask::default() };
        let record = Record { line: 1, task: Ok(task), note: None };
        Related { record, uid: uid.to_owned(), parent: parent.to_owned() }
    }

    fn titles(todos: Vec<Related>) -> Vec<(String, Vec<String>)> {
        let tasks = gather(todos).into_iter().map(|record| record.task.unwrap());
        tasks.map(|task| (task.title, task.subtasks.into_iter().map(|step| step.title).collect())).collect()
    }

    #[test]
    fn what_belongs_to_another_becomes_its_step_at_any_depth_and_in_any_order() {
        let todos = vec![todo("c", "b"), todo("a", ""), todo("b", "a"), todo("d", "elsewhere")];
        let expected = [("a".to_owned(), vec!["c".to_owned(), "b".to_owned()]), ("d".to_owned(), vec![])];
        assert_eq!(titles(todos), expected);
    }

    #[test]
    fn what_belongs_to_itself_and_what_finds_no_room_stays_a_task() {
        assert_eq!(titles(vec![todo("a", "a"), todo("b", "c"), todo("c", "b")]).len(), 3);
        let steps = (0..=MAX_SUBTASKS).map(|number| todo(&format!("s{number}"), "a"));
        let found = titles(std::iter::once(todo("a", "")).chain(steps).collect());
        assert_eq!((found.len(), found[0].1.len()), (2, MAX_SUBTASKS));
    }
}
