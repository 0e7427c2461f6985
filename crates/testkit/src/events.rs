//! What the test component has seen.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

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
    /// The first events of a topic, each as its CloudEvent, read back from the log.
    ///
    /// # Errors
    /// When there are fewer after half a minute.
    pub async fn published_events(&self, topic: &str, count: usize) -> Result<Vec<Value>> {
        let path = format!("/sidelet/v1/subscribe/pubsub/{topic}?from=earliest");
        let request = self.sidecar_request(reqwest::Method::GET, &path)?;
        let mut stream = request.send().await.context("no answer")?.error_for_status()?;
        let (mut events, mut rest) = (Vec::with_capacity(count), Vec::new());
        let read = async {
            while events.len() < count {
                let chunk = stream.chunk().await.context("the stream broke off")?.context("the stream has ended")?;
                rest.extend_from_slice(&chunk);
                while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = rest.drain(..=end).collect();
                    if let Some(data) = line.strip_prefix(b"data: ") {
                        events.push(serde_json::from_slice(data).context("an event is JSON")?);
                    }
                }
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(Duration::from_secs(30), read).await.context("fewer events than expected")??;
        events.truncate(count);
        Ok(events)
    }

    /// The events that the test component has seen of a user, in the order in which they came first.
    ///
    /// # Errors
    /// When the application does not answer.
    pub async fn seen_events(&self, user: &User) -> Result<Vec<SeenEvent>> {
        let answer = user.get(&format!("/recorder/{}", user.id)).await?.expect(200)?;
        Ok(serde_json::from_value(answer)?)
    }
}
