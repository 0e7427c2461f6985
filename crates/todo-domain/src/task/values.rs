//! A task's fields by name, for consumers that show what changed.

use serde_json::{Map, Value};

use super::Task;
use crate::recurrence::Recurrence;

impl Task {
    /// Every field by its canonical name, as answers give it: nothing is left out, absent ones are null or empty.
    ///
    /// Not among them is what only the service needs: `series` is there as `seriesId` alone.
    pub fn values(&self) -> Map<String, Value> {
        let text = serde_json::to_string(self).expect("a task has text keys and finite numbers");
        let mut values: Map<String, Value> = serde_json::from_str(&text).expect("what was just written is read");
        for name in ["description", "dueDate", "completedAt", "deletedAt"] {
            values.entry(name).or_insert(Value::Null);
        }
        for name in ["tags", "reminders", "subtasks"] {
            values.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        }
        values.insert("timeZone".to_owned(), self.time_zone.as_str().into());
        let recurrence = self.recurrence.as_ref().map_or("none", Recurrence::as_str);
        values.insert("recurrence".to_owned(), recurrence.into());
        values.remove("series");
        let series = self.series_id().map_or(Value::Null, |id| id.to_string().into());
        values.insert("seriesId".to_owned(), series);
        values
    }

    /// Some of [`Task::values`]; a name that is no field is left out.
    pub fn values_of(&self, names: &[&str]) -> Map<String, Value> {
        let mut values = self.values();
        names.iter().filter_map(|name| Some(((*name).to_owned(), values.remove(*name)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NewTask;

    #[test]
    fn what_is_left_out_in_storage_is_told() {
        let mut id = || uuid::Uuid::from_u128(7);
        let now = "2026-03-01T09:00:00Z".parse().unwrap();
        let task = NewTask { title: "milk".into(), ..NewTask::default() }
            .build(crate::TaskId::new(id()), now, &mut id)
            .unwrap();
        let values = task.values_of(&["title", "tags", "dueDate", "timeZone", "recurrence", "status", "flavour"]);
        let told = serde_json::json!({"title": "milk", "tags": [], "dueDate": null, "timeZone": "UTC",
            "recurrence": "none", "status": "pending"});
        assert_eq!(Value::Object(values), told);
    }
}
