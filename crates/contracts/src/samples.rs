//! Sample messages of this release, the same on every machine: made without clock or randomness.
//!
//! - `requests/<operation>.json`: bodies that are sent;
//! - `answers/<operation>.<status>.json` and `answers/problems/<code>.json`: bodies that are answered;
//! - `events/<topic>.<what>.json`: CloudEvents as they are delivered;
//! - `documents/<name>.json`: documents as they are stored.

mod answers;
mod documents;
mod events;
mod notifications;
pub(crate) mod requests;
mod story;

use std::collections::BTreeMap;

use serde_json::Value;
use todo_domain::TaskId;

/// Every sample: its path without the ending, and its text.
pub fn all() -> Vec<(String, String)> {
    let story = story::Story::tell();
    let mut all = Vec::new();
    for (name, value) in requests::all() {
        all.push((format!("requests/{name}"), crate::pretty(&value)));
    }
    for (name, value) in answers::all(&story).into_iter().chain(notifications::answers(&story)) {
        all.push((format!("answers/{name}"), crate::pretty(&value)));
    }
    for (name, value) in events::all(&story) {
        all.push((format!("events/{name}"), crate::pretty(&value)));
    }
    for (name, text) in documents::all(&story).into_iter().chain(notifications::documents(&story)) {
        all.push((format!("documents/{name}"), format!("{text}\n")));
    }
    all
}

/// The bodies of answers, by `<operation>.<status>`.
pub(crate) fn answers() -> BTreeMap<String, Value> {
    let story = story::Story::tell();
    answers::all(&story).into_iter().chain(notifications::answers(&story)).collect()
}

/// The id of a task, for examples.
pub(crate) fn task_id() -> TaskId {
    TaskId::new(story::id(1))
}
