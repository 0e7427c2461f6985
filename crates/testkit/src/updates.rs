//! The stream of a user's updates, read as a page reads it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use crate::User;

/// How long the next event may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// An open stream.
#[derive(Debug)]
pub struct Updates {
    response: Response,
    /// What was read of the next event.
    bytes: Vec<u8>,
    /// The last id that the stream said.
    pub last_event_id: Option<u64>,
}

/// One event of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// `ready`, `update`, `reset` or `end`.
    pub kind: String,
    /// Its id; none for events that have none.
    pub id: Option<u64>,
    /// Its data.
    pub data: Value,
}

impl User {
    /// Opens the stream of updates, behind the event that was seen last.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn updates(&self, last_event_id: Option<u64>) -> Result<Updates> {
        let request = self.request(Method::GET, "/api/updates").await;
        Updates::open(match last_event_id {
            Some(id) => request.header("last-event-id", id),
            None => request,
        })
        .await
    }
}

impl Updates {
    /// Opens a stream with a request of one's own.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn open(request: RequestBuilder) -> Result<Self> {
        let response = tokio::time::timeout(DEADLINE, request.send()).await.context("no answer in time")??;
        if response.status() != 200 {
            bail!("the stream was answered with {}: {}", response.status(), response.text().await?);
        }
        Ok(Self { response, bytes: Vec::new(), last_event_id: None })
    }

    /// The next event; `None` at the end. Comments are passed over.
    ///
    /// # Errors
    /// When the connection breaks off, or nothing comes for half a minute.
    pub async fn next(&mut self) -> Result<Option<Update>> {
        loop {
            while let Some(end) = self.bytes.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = self.bytes.drain(..end + 2).collect();
                let event = String::from_utf8(event).context("an event is text")?;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                let Some(kind) = field("event: ") else { continue };
                let id = field("id: ").map(str::parse).transpose().context("an id is a number")?;
                let data = field("data: ").context("an event has data")?;
                let data = serde_json::from_str(data).with_context(|| format!("`{data}` is no JSON"))?;
                self.last_event_id = id.or(self.last_event_id);
                return Ok(Some(Update { kind: kind.to_owned(), id, data }));
            }
            let piece = tokio::time::timeout(DEADLINE, self.response.chunk()).await.context("nothing came in time")?;
            match piece.context("the stream broke off")? {
                Some(piece) => self.bytes.extend_from_slice(&piece),
                None => return Ok(None),
            }
        }
    }

    /// The next event, which has to be of this kind.
    ///
    /// # Errors
    /// When it is of another, or the stream ends.
    pub async fn expect(&mut self, kind: &str) -> Result<Update> {
        match self.next().await? {
            Some(update) if update.kind == kind => Ok(update),
            other => bail!("expected `{kind}`, got {other:?}"),
        }
    }
}
