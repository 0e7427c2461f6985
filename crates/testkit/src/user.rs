//! A signed-in user.

use std::sync::Arc;

use anyhow::{Context, Result};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::RwLock;

use crate::Answer;

/// A signed-in user of one application. Clones share the address, which changes when the application starts again.
#[derive(Debug, Clone)]
pub struct User {
    /// The user's id.
    pub id: String,
    /// The access token.
    pub token: String,
    pub(crate) address: Arc<RwLock<String>>,
    pub(crate) client: Client,
}

impl User {
    /// The same user with another token, such as an API token.
    #[must_use]
    pub fn with_token(&self, token: String) -> Self {
        Self { token, ..self.clone() }
    }

    /// Begins a request with the user's token.
    pub async fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address.read().await)).bearer_auth(&self.token)
    }

    /// Sends a request that was begun with [`User::request`].
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer> {
        Answer::read(request.send().await.context("no answer")?).await
    }

    /// `GET`.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.request(Method::GET, path).await).await
    }

    /// `POST` with a JSON body.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request(Method::POST, path).await.json(body)).await
    }

    /// `PATCH` with a JSON body.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request(Method::PATCH, path).await.json(body)).await
    }

    /// `DELETE`.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.send(self.request(Method::DELETE, path).await).await
    }

    /// Makes a task with a title and gives its id.
    ///
    /// # Errors
    /// When it is not answered with 201.
    pub async fn create(&self, title: &str) -> Result<String> {
        let task = self.post("/api/tasks", &json!({ "title": title })).await?.expect(201)?;
        Ok(task["id"].as_str().context("a task has an id")?.to_owned())
    }
}
