//! What clients and other programs send: nothing makes a reader panic, work for long or hold much, and what was taken is
//! read back.
//!
//! `FUZZ_FACTOR` runs as many times as many cases; see the crate `fuzzing`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bodies;
mod headers;
mod imports;
mod queries;
mod tokens;

use std::time::Duration;

use todo_domain::{NewTask, Task, TaskId, ValidationError};
use uuid::Uuid;

/// The longest that a reader may compute on one request: a fraction of what a component may.
const LIMIT: Duration = Duration::from_secs(20);

/// Makes the task and reads it back from the form in which it is stored.
fn stored(draft: &NewTask) -> Result<Task, ValidationError> {
    let mut next = 0;
    let mut ids = || {
        next += 1;
        Uuid::from_u128(next)
    };
    let task = draft.build(TaskId::new(Uuid::from_u128(7)), now(), &mut ids)?;
    let text = serde_json::to_string(&task).unwrap();
    let read: Task = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(read, task);
    Ok(task)
}

fn now() -> jiff::Timestamp {
    "2026-03-01T09:00:00Z".parse().unwrap()
}

/// What an answer says of a refusal is bounded, however much was wrong.
fn is_short(error: &ValidationError) -> bool {
    let length: usize = error.errors.iter().map(|error| error.field.len() + error.message.len()).sum();
    error.errors.len() <= 101 && length < 64 * 1024 && error.to_string().len() < 64 * 1024
}
