//! Bodies of commands.

use fuzzing::{computed, config, damaged};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};
use todo_app::http::body::parse_json;
use todo_app::wire::{TaskBody, new_task, task_change};
use todo_domain::{Task, TimeZoneName};

use crate::{LIMIT, is_short, now, stored};

const NAMES: [&str; 24] = [
    "title",
    "Title",
    "description",
    "status",
    "priority",
    "PRIORITY",
    "tags",
    "dueDate",
    "due_date",
    "due",
    "timeZone",
    "time-zone",
    "recurrence",
    "reminders",
    "subtasks",
    "completed",
    "isCompleted",
    "id",
    "createdAt",
    "version",
    "_",
    "",
    "colour",
    "isOverdue",
];
const VALUES: [&str; 44] = [
    "null",
    "true",
    "7",
    "-1",
    "10080",
    "10081",
    "1.5",
    "1e400",
    "\"\"",
    "\" \"",
    "\"a\"",
    "\"\\u0000\"",
    "\"\\ud83d\\ude00\"",
    "[]",
    "{}",
    "[[[[[[]]]]]]",
    "\"pending\"",
    "\"In Progress\"",
    "\"urgent\"",
    "\"2026-03-01\"",
    "\"0000-01-01\"",
    "\"9999-12-31\"",
    "\"9998-12-31T23:59:59-23:59\"",
    "\"2026-03-01T09:00:00.123456789+02:00\"",
    "\"Europe/Berlin\"",
    "\"Etc/GMT+12\"",
    "\"daily\"",
    "\"none\"",
    "\"FREQ=MONTHLY;BYDAY=-1FR\"",
    "\"0 9 * * 1-5\"",
    "[10,10,5]",
    "[-1]",
    "[4294967296]",
    "[\"home\",\"HOME\",\" home \"]",
    "[\"\"]",
    "[7,null]",
    "[{\"title\":\"s\"}]",
    "[{\"title\":\"s\",\"done\":true}]",
    "[{\"id\":\"0190163d-8694-739b-aea5-966c26f8ad91\",\"title\":\"s\"},{\"id\":\"0190163d-8694-739b-aea5-966c26f8ad91\",\"title\":\"t\"}]",
    "[{\"colour\":1}]",
    "[{}]",
    "[[]]",
    "\"\\ud800\"",
    "99999999999999999999999999999999",
];

/// Objects of the fields of tasks, each with a value that fits it or another.
fn object() -> impl Strategy<Value = String> {
    let field = (select(&NAMES[..]), select(&VALUES[..])).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let title = prop_oneof![3 => Just("\"title\":\"Pay rent\"".to_owned()), 1 => Just("\"title\":\"\"".to_owned())];
    (title, vec(field, 0..6)).prop_map(|(title, fields)| {
        let fields: Vec<String> = std::iter::once(title).chain(fields).collect();
        format!("{{{}}}", fields.join(","))
    })
}

fn zone() -> TimeZoneName {
    TimeZoneName::parse("Asia/Tokyo").unwrap()
}

/// The task as it is answered, as a body.
fn answered(task: &Task) -> Map<String, Value> {
    let text = serde_json::to_string(&TaskBody::new(task, now())).unwrap();
    serde_json::from_str(&text).unwrap()
}

proptest! {
    #![proptest_config(config(4_000))]

    #[test]
    fn any_body_is_a_task_or_refused_in_few_words(text in damaged(object(), &VALUES)) {
        let Ok(Value::Object(object)) = parse_json(text.as_bytes()) else { return Ok(()) };
        match new_task(&object, &zone(), now()) {
            Ok(draft) => {
                let task = stored(&draft).unwrap();
                // What was answered is taken as it is, and says the same.
                let again = new_task(&answered(&task), &zone(), now());
                let again = again.map(|draft| stored(&draft).unwrap());
                let (said, says) = (answered(&task), answered(&again.unwrap()));
                for field in ["title", "description", "status", "priority", "tags", "dueDate", "timeZone", "recurrence", "reminders"] {
                    prop_assert_eq!(&said[field], &says[field], "{}", field);
                }
            }
            Err(error) => prop_assert!(is_short(&error), "{}", error),
        }
        if let Err(error) = task_change(&object, &zone()) {
            prop_assert!(is_short(&error));
        }
    }

    #[test]
    fn any_bytes_are_json_or_refused(bytes in vec(any::<u8>(), 0..200), text in damaged(object(), &VALUES), cut in 0..100_usize) {
        let _ = parse_json(&bytes);
        let _ = parse_json(&text.as_bytes()[..cut.min(text.len())]);
    }
}

/// A body of a mebibyte of each, the longest that is read.
#[test]
fn large_and_deep_bodies_are_read_or_refused_quickly_and_in_few_words() {
    const BYTES: usize = 1 << 20;
    let many = |piece: &str| piece.repeat(BYTES / piece.len());
    let names: String = (0..BYTES / 12).map(|number| format!("\"a{number:07}\":1,")).collect();
    let bodies = [
        many("["),
        many("{\"a\":"),
        format!("{{\"title\":{}", many("[")),
        format!("{{\"title\":\"t\",\"tags\":[{}\"\"]}}", many("1,")),
        format!("{{\"title\":\"t\",\"tags\":[{}\"\"]}}", many("\"\",")),
        format!("{{\"title\":\"t\",\"tags\":[{}\"\"]}}", many("\"\\u0000\",")),
        format!("{{\"title\":\"t\",\"reminders\":[{}0]}}", many("1,")),
        format!("{{\"title\":\"t\",\"subtasks\":[{}{{}}]}}", many("{\"title\":\"\"},")),
        format!("{{\"title\":\"t\",\"subtasks\":[{}{{}}]}}", many("{\"a\":1},")),
        format!("{{{names}\"title\":\"t\"}}"),
        format!("{{\"title\":\"{}\"}}", many("\\u0000")),
        format!("{{\"title\":\"{}\"}}", many("İ")),
        format!("{{\"title\":\"t\",\"recurrence\":\"FREQ=DAILY{}\"}}", many(";X=1")),
        format!("{{\"title\":\"t\",\"dueDate\":\"{}\"}}", many("9")),
        format!("{{\"title\":\"t\",\"priority\":{}}}", many("9")),
        format!("{{\"{}\":1}}", many("_")),
    ];
    for body in bodies {
        let (_, time) = computed(|| {
            let Ok(Value::Object(object)) = parse_json(body.as_bytes()) else { return };
            for error in
                [new_task(&object, &zone(), now()).err(), task_change(&object, &zone()).err()].into_iter().flatten()
            {
                assert!(is_short(&error), "{} errors for {}...", error.errors.len(), &body[..60]);
            }
        });
        assert!(time < LIMIT, "{time:?} for {}...", &body[..60]);
    }
}
