//! What people and other programs write: nothing makes a reader panic or work for long, and what was taken is read back.
//!
//! `FUZZ_FACTOR` runs as many times as many cases; see the crate `fuzzing`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cursors;
mod dates;
mod documents;
mod quick_add;
mod recurrences;
mod words;

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use todo_domain::{DueDate, NewTask, Task, TaskId, TimeZoneName};
use uuid::Uuid;

/// The longest that a reader may compute on one line of text: a fraction of what a component may.
const LIMIT: Duration = Duration::from_secs(20);

/// Instants and days, over the whole calendar and near its ends.
fn due_date() -> impl Strategy<Value = DueDate> {
    let year = prop_oneof![4 => 1970..2100_i32, 1 => 1..=9998_i32, 1 => Just(1), 1 => Just(9998)];
    (year, 1..=12_u8, 1..=28_u8, 0..24_u8, 0..60_u8, any::<bool>()).prop_map(
        |(year, month, day, hour, minute, is_day)| {
            let date = format!("{year:04}-{month:02}-{day:02}");
            DueDate::parse(&if is_day { date } else { format!("{date}T{hour:02}:{minute:02}:00Z") }).unwrap()
        },
    )
}

/// Zones with every oddity: half hours, skipped days, long and backward daylight saving.
fn zone() -> impl Strategy<Value = TimeZoneName> {
    let names = [
        "UTC",
        "Europe/Berlin",
        "Europe/Dublin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Pacific/Kiritimati",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "Antarctica/Troll",
        "Etc/GMT+12",
        "America/Havana",
    ];
    select(names.to_vec()).prop_map(|name| TimeZoneName::parse(name).unwrap())
}

/// Makes the task and reads it back from the form in which it is stored; `None` when it is refused.
fn stored(draft: &NewTask) -> Option<Task> {
    let mut next = 0;
    let mut ids = || {
        next += 1;
        Uuid::from_u128(next)
    };
    let now = "2026-03-01T09:00:00Z".parse().unwrap();
    let task = draft.build(TaskId::new(Uuid::from_u128(7)), now, &mut ids).ok()?;
    let text = serde_json::to_string(&task).unwrap();
    let read: Task = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(read, task);
    Some(task)
}
