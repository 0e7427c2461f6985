//! Calls with the tokens that the sidecar and the application ask of each other.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::Value;

use crate::{Answer, Todo};

impl Todo {
    /// Calls the application as the sidecar does, such as with an event or a job.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn deliver(&self, path: &str, body: &Value) -> Result<Answer> {
        let request = self.request(Method::POST, path).await.header("dapr-api-token", self.key("appApiToken")?);
        self.send(request.json(body)).await
    }

    /// Calls the sidecar as the application does.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn call_sidecar(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.sidecar()));
        let request = request.header("dapr-api-token", self.key("daprApiToken")?);
        self.send(body.iter().fold(request, |request, body| request.json(body))).await
    }

    fn key(&self, name: &str) -> Result<String> {
        let text = std::fs::read_to_string(self.data().join("keys.json")).context("the keys of the data folder")?;
        let keys: Value = serde_json::from_str(&text)?;
        Ok(keys[name].as_str().with_context(|| format!("there is no key `{name}`"))?.to_owned())
    }
}
