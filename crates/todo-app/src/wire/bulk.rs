//! One thing done to many tasks, in one commit.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};
use todo_domain::{
    TaskChange, TaskId, TimeZoneName, ValidationError,
    list::{Command, CommandError},
};

use super::{Fields, task_change};
use crate::{failure::Failure, http::problem::Problem, lists::Results};

/// The most ids of one request.
pub const MAX_BULK: usize = 500;

const ONE_ACTION: &str = "give one of set, complete and delete";

/// What is to be done to which tasks.
#[derive(Debug, Clone)]
pub struct Bulk {
    /// As they were sent, without repeats; a text that is no id is of no task.
    ids: Vec<(String, Option<TaskId>)>,
    action: Action,
}

#[derive(Debug, Clone)]
enum Action {
    Set(Box<TaskChange>),
    Complete,
    Delete,
}

/// What came of it, for each id in the order of the request.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "BulkResult"))]
pub struct BulkBody<'a> {
    /// One for each id.
    pub results: Vec<BulkResultBody<'a>>,
}

/// What came of it for one task.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "BulkItem"))]
pub struct BulkResultBody<'a> {
    /// The id as it was sent.
    pub id: &'a str,
    /// What the task alone would have been answered with: 200, 204, 400 or 404.
    pub status: u16,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Reads `{"ids": [..], "set": {..}}`, or `"complete": true` or `"delete": true` in place of `set`.
///
/// # Errors
/// Every refused field; those of `set` by their own names.
pub fn bulk(object: &Map<String, Value>, zone: &TimeZoneName) -> Result<Bulk, ValidationError> {
    let mut fields = Fields::new(object);
    let texts = fields.texts("ids");
    if !(1..=MAX_BULK).contains(&texts.len()) {
        fields.refuse("ids", "use 1 to 500 ids of tasks");
    }
    let set = fields.object("set");
    let (complete, delete) = (fields.flag("complete"), fields.flag("delete"));
    let action = match (set, complete, delete) {
        (Some(change), false, false) => Some(Action::Set(Box::new(task_change(change, zone)?))),
        (None, true, false) => Some(Action::Complete),
        (None, false, true) => Some(Action::Delete),
        _ => {
            fields.refuse("set", ONE_ACTION);
            None
        }
    };
    fields.finish()?;
    let action = action.ok_or_else(|| ValidationError::of("set", ONE_ACTION))?;
    let mut seen = BTreeSet::new();
    let ids = texts.into_iter().filter(|text| seen.insert(text.clone()));
    Ok(Bulk { ids: ids.map(|text| (text.clone(), TaskId::parse(&text).ok())).collect(), action })
}

impl Bulk {
    /// One command for each id that is one, in order.
    pub fn commands(&self) -> Vec<Command> {
        let expected_version = None;
        let command = |id| match &self.action {
            Action::Set(change) => Command::Update { id, change: change.clone(), expected_version },
            Action::Complete => Command::Complete { id, expected_version },
            Action::Delete => Command::Delete { id, expected_version },
        };
        self.ids.iter().filter_map(|(_, id)| id.map(command)).collect()
    }

    /// What to answer when the commands came to this.
    pub fn body(&self, results: Results) -> BulkBody<'_> {
        let done = if matches!(self.action, Action::Delete) { 204 } else { 200 };
        let mut results = results.into_iter();
        let mut result = |id: &Option<TaskId>| match id {
            None => Err(Problem::not_found("There is no such task.")),
            Some(id) => {
                let result = results.next().unwrap_or(Err(CommandError::NotFound(*id)));
                result.map_err(|error| Problem::from(Failure::from(error)))
            }
        };
        let results = self.ids.iter().map(|(text, id)| match result(id) {
            Ok(_) => BulkResultBody { id: text, status: done, message: None },
            Err(problem) => {
                let (status, message) = (problem.status().as_u16(), problem.message().to_owned());
                BulkResultBody { id: text, status, message: Some(message) }
            }
        });
        BulkBody { results: results.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Bulk, Vec<String>> {
        let object: Map<String, Value> = serde_json::from_str(text).unwrap();
        let fields = |error: ValidationError| error.errors.into_iter().map(|error| error.field).collect();
        bulk(&object, &TimeZoneName::utc()).map_err(fields)
    }

    #[test]
    fn one_action_for_ids_without_repeats() {
        let id = TaskId::new(crate::fresh_id()).to_string();
        let bulk = read(&format!(r#"{{"ids":["{id}","x","{id}"],"complete":true,"delete":false}}"#)).unwrap();
        assert_eq!(bulk.commands().len(), 1);
        let body = bulk.body(vec![Ok(None)]);
        assert_eq!(body.results.iter().map(|result| result.status).collect::<Vec<_>>(), [200, 404]);
    }

    #[test]
    fn what_is_no_bulk_is_refused_by_name() {
        assert_eq!(read(r#"{"ids":[],"complete":true}"#).unwrap_err(), ["ids"]);
        assert_eq!(read(r#"{"ids":["a"]}"#).unwrap_err(), ["set"]);
        assert_eq!(read(r#"{"ids":["a"],"complete":true,"delete":true}"#).unwrap_err(), ["set"]);
        assert_eq!(read(r#"{"ids":["a",1],"complete":"yes"}"#).unwrap_err(), ["ids[1]", "complete", "set"]);
        assert_eq!(read(r#"{"ids":["a"],"set":{"priority":"asap"}}"#).unwrap_err(), ["priority"]);
        assert_eq!(read(r#"{"ids":["a"],"complete":true,"colour":1}"#).unwrap_err(), ["colour"]);
        let many = serde_json::to_string(&vec!["a"; 501]).unwrap();
        assert_eq!(read(&format!(r#"{{"ids":{many},"delete":true}}"#)).unwrap_err(), ["ids"]);
    }
}
