//! What changed, field by field, as the topic `task-updates` carries it to the user's open pages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{EventType, TaskEvent};
use crate::ids::{TaskId, UpdateId, UserId};
use crate::instant;

/// Everything that one event changed: one message of the topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TaskUpdates {
    /// Whose; the partition key.
    pub user_id: UserId,
    /// The number of the event.
    pub sequence: u64,
    /// At least one.
    pub updates: Vec<TaskUpdate>,
}

/// One field of one task has another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TaskUpdate {
    /// What consumers remember to see repeats.
    pub update_id: UpdateId,
    /// The task.
    pub task_id: TaskId,
    /// Whose; the partition key.
    pub user_id: UserId,
    /// The number of the event that it comes from; the updates of one event share it.
    pub sequence: u64,
    /// The field's canonical name, or `created` or `deleted`. A task that is restored is `created` to who shows tasks.
    pub update_type: String,
    /// The field's value as answers give it; the whole task for `created`, null for `deleted`.
    #[serde(default)]
    pub new_value: Value,
    /// When it happened.
    #[serde(deserialize_with = "instant::read")]
    pub timestamp: Timestamp,
}

impl TaskUpdates {
    /// What a task event changed. The same event gives the same updates, their ids too.
    pub fn of(event: &TaskEvent) -> Self {
        let payload = &event.payload;
        let task = &payload.task;
        let names: Vec<&str> = payload.changed.iter().map(String::as_str).collect();
        let restored = names.contains(&"deletedAt") && !task.is_trashed();
        let values: Vec<(&str, Value)> = match event.event_type {
            EventType::Deleted => vec![("deleted", Value::Null)],
            EventType::Created => vec![("created", whole(event))],
            _ if restored || names.is_empty() => vec![("created", whole(event))],
            EventType::Updated | EventType::Completed => {
                let mut values = task.values_of(&names);
                names.iter().filter_map(|name| Some((*name, values.remove(*name)?))).collect()
            }
        };
        let updates = (1..).zip(values).map(|(number, (update_type, new_value))| TaskUpdate {
            update_id: UpdateId::new(Uuid::from_u128(event.event_id.as_uuid().as_u128() ^ number)),
            task_id: event.task_id,
            user_id: event.user_id,
            sequence: event.sequence,
            update_type: update_type.to_owned(),
            new_value,
            timestamp: event.timestamp,
        });
        Self { user_id: event.user_id, sequence: event.sequence, updates: updates.collect() }
    }
}

/// The task as answers give it at the moment of the event.
fn whole(event: &TaskEvent) -> Value {
    let task = &event.payload.task;
    let mut values = task.values();
    if !task.is_trashed() {
        values.remove("deletedAt");
    }
    values.insert("isOverdue".to_owned(), task.is_overdue(event.timestamp).into());
    Value::Object(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list::{Command, TaskList};
    use crate::task::{NewTask, Patch, TaskChange};

    #[test]
    fn a_change_is_told_field_by_field_and_what_comes_and_goes_as_a_whole() {
        let mut last = 0;
        let mut ids = || {
            last += 16;
            Uuid::from_u128(last)
        };
        let now = "2026-03-01T09:00:00Z".parse().unwrap();
        let mut list = TaskList::empty(UserId::new(ids()));
        let mut run = |command: Command| {
            let outcome = list.apply(&command, now, &mut ids).unwrap();
            (outcome.task.unwrap().id, TaskUpdates::of(&outcome.events[0]))
        };
        let told = |updates: &TaskUpdates| {
            let told = updates.updates.iter().map(|update| format!("{} {}", update.update_type, update.new_value));
            told.collect::<Vec<_>>()
        };
        let (id, created) = run(Command::create(NewTask { title: "milk".into(), ..NewTask::default() }));
        assert_eq!(created.updates.len(), 1);
        assert_eq!(created.updates[0].update_type, "created");
        let task = &created.updates[0].new_value;
        assert_eq!((&task["title"], &task["isOverdue"], task.get("deletedAt")), (&"milk".into(), &false.into(), None));
        let tags = Patch::Set(vec!["home".to_owned()]);
        let change = TaskChange { title: Patch::Set("Milk".into()), tags, ..TaskChange::default() };
        let (_, changed) = run(Command::update(id, change));
        assert_eq!(told(&changed), ["title \"Milk\"", "tags [\"home\"]"]);
        assert_ne!(changed.updates[0].update_id, changed.updates[1].update_id);
        assert!(changed.updates.iter().all(|update| update.sequence == 2 && changed.sequence == 2));
        let (_, completed) = run(Command::Complete { id, expected_version: None });
        assert_eq!(told(&completed), ["status \"completed\""]);
        let (_, deleted) = run(Command::Delete { id, expected_version: None });
        assert_eq!(told(&deleted), ["deleted null"]);
        let (_, restored) = run(Command::Restore(id));
        assert_eq!(restored.updates[0].update_type, "created");
    }
}
