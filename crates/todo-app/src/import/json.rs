//! Tasks as JSON.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_json::{Value, value::RawValue};
use todo_domain::TimeZoneName;

use super::{MAX_RECORDS, Record, too_many_records};
use crate::{
    http::problem::Problem,
    wire::{draft_of, task_change},
};

/// The longest JSON that a task can have is less: every field at its longest, each character written as an escape.
const MAX_ITEM_BYTES: usize = 512 * 1024;

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    tasks: Items<'a>,
}

/// The texts of an array's items, and no more of them than a file may have and one: a small file can have millions.
struct Items<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Array;
        impl<'de> de::Visitor<'de> for Array {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array of tasks")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = array.next_element()? {
                    if items.len() <= MAX_RECORDS {
                        items.push(item);
                    }
                }
                Ok(items)
            }
        }
        deserializer.deserialize_seq(Array).map(Items)
    }
}

pub(super) fn read(text: &str, zone: &TimeZoneName) -> Result<Vec<Record>, Problem> {
    let Items(items) = if text.trim_start().starts_with('{') {
        serde_json::from_str::<Wrapped<'_>>(text).map(|wrapped| wrapped.tasks)
    } else {
        serde_json::from_str(text)
    }
    .map_err(|error| {
        Problem::malformed(format!(
            "The file is not an array of tasks, or an object with such an array as `tasks`: line {}, column {}.",
            error.line(),
            error.column()
        ))
    })?;

    if items.len() > MAX_RECORDS {
        return Err(too_many_records());
    }
    let mut records = Vec::with_capacity(items.len());
    let (mut line, mut counted) = (1, 0);
    for item in items {
        // The item is a part of the text, so the distance of their addresses is its offset.
        let offset = (item.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
        line += text.as_bytes()[counted..offset].iter().filter(|byte| **byte == b'\n').count();
        counted = offset;
        records.push(Record { line, task: task(item, zone), note: None });
    }
    Ok(records)
}

fn task(item: &RawValue, zone: &TimeZoneName) -> Result<todo_domain::NewTask, String> {
    if item.get().len() > MAX_ITEM_BYTES {
        return Err(format!("is longer than a task can be: {} bytes", item.get().len()));
    }
    match serde_json::from_str(item.get()) {
        Ok(Value::Object(object)) => {
            task_change(&object, zone).map(|change| draft_of(change, zone)).map_err(|error| error.to_string())
        }
        Ok(_) | Err(_) => Err("is not a task: expected an object".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_record_has_its_line_and_its_own_errors() {
        let text = "[\n  {\"title\": \"a\"},\n  7,\n  {\"title\": \"b\",\n   \"priority\": \"no\"}\n]";
        let records = read(text, &TimeZoneName::utc()).unwrap();
        let lines: Vec<usize> = records.iter().map(|record| record.line).collect();
        assert_eq!(lines, [2, 3, 4]);
        assert!(records[0].task.is_ok() && records[1].task.is_err());
        assert!(records[2].task.as_ref().unwrap_err().starts_with("priority:"));
    }

    #[test]
    fn an_object_with_tasks_is_read_too_and_other_json_is_refused() {
        assert_eq!(read("{\"version\":1,\"tasks\":[{\"title\":\"a\"}]}", &TimeZoneName::utc()).unwrap().len(), 1);
        for text in ["", "7", "{}", "[1,"] {
            assert!(read(text, &TimeZoneName::utc()).is_err(), "{text}");
        }
    }
}
