//! What the application answered.

use anyhow::{Context, Result, bail};
use reqwest::{Response, StatusCode, header::HeaderMap};
use serde_json::Value;

/// An answer that has been read.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON; null when it is empty, text when it is no JSON.
    pub body: Value,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Result<Self> {
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.context("the answer's body")?;
        let body = match serde_json::from_slice(&bytes) {
            Ok(body) => body,
            Err(_) if bytes.is_empty() => Value::Null,
            Err(_) => Value::String(String::from_utf8_lossy(&bytes).into_owned()),
        };
        Ok(Self { status, headers, body })
    }

    /// Gives the body when the status is the expected one.
    ///
    /// # Errors
    /// With status and body when it is another.
    pub fn expect(self, status: u16) -> Result<Value> {
        if self.status.as_u16() != status {
            bail!("expected {status}, got {} with {}", self.status, self.body);
        }
        Ok(self.body)
    }

    /// A header's text; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The path of the next page, where the answer names one.
    pub fn next_page(&self) -> Option<String> {
        let link = self.header("link");
        let (path, relation) = link.strip_prefix('<')?.split_once('>')?;
        relation.contains("rel=\"next\"").then(|| path.to_owned())
    }

    /// The last word of a problem's type, such as `not-found`.
    pub fn problem(&self) -> &str {
        self.body["type"].as_str().and_then(|kind| kind.rsplit(':').next()).unwrap_or_default()
    }

    /// The fields that a problem names.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array();
        errors.into_iter().flatten().filter_map(|error| error["field"].as_str()).collect()
    }
}
