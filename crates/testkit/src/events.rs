//! What the test component has seen.

use anyhow::Result;
use serde::Deserialize;

use crate::{Todo, User};

/// An event as the test component recorded it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenEvent {
    /// `created`, `updated`, `completed` or `deleted`.
    pub event_type: String,
    /// The event.
    pub event_id: String,
    /// The task.
    pub task_id: String,
    /// The user's count of events.
    pub sequence: u64,
    /// How often it was delivered.
    pub deliveries: u32,
}

impl Todo {
    /// The events that the test component has seen of a user, in the order in which they came first.
    ///
    /// # Errors
    /// When the application does not answer.
    pub async fn seen_events(&self, user: &User) -> Result<Vec<SeenEvent>> {
        let answer = user.get(&format!("/recorder/{}", user.id)).await?.expect(200)?;
        Ok(serde_json::from_value(answer)?)
    }
}
