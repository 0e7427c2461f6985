//! Those who call the API.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// The API, from the outside.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: Client,
    address: String,
}

/// A signed-in user.
#[derive(Debug, Clone)]
pub(crate) struct User {
    api: Api,
    token: String,
}

impl Api {
    /// Each request has a connection of its own, as those of many people have.
    pub(crate) fn at(address: String) -> Result<Self> {
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(Duration::from_secs(10));
        let client = client.connect_timeout(Duration::from_secs(1)).build()?;
        Ok(Self { client, address })
    }

    pub(crate) async fn sign_up(&self, name: &str) -> Result<User> {
        let account = json!({ "email": format!("{name}@example.com"), "name": name, "password": "correct horse" });
        let request = self.client.post(format!("{}/api/auth/sign-up", self.address)).json(&account);
        let answer = request.send().await.context("no answer to a sign-up")?;
        let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap_or_default());
        let token = body["token"].as_str().with_context(|| format!("a sign-up was answered with {status}: {body}"))?;
        Ok(User { api: self.clone(), token: token.to_owned() })
    }
}

/// Whether nobody took a request: no connection came about.
pub(crate) fn found_nobody(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<reqwest::Error>()).any(reqwest::Error::is_connect)
}

impl User {
    /// Sends a request, and gives the body of an answer of 2xx.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let request = self.api.client.request(method, format!("{}{path}", self.api.address)).bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().await.with_context(|| format!("no answer on {path}"))?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| format!("half an answer on {path}"))?;
        if !status.is_success() {
            bail!("{path} was answered with {status}: {text}");
        }
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// Makes a task, and gives its id.
    pub(crate) async fn create(&self, title: &str) -> Result<String> {
        let task = self.ask(Method::POST, "/api/tasks", Some(&json!({ "title": title }))).await?;
        Ok(task["id"].as_str().context("a task has an id")?.to_owned())
    }

    /// How often the handler `activity` has written down that something happened to a task.
    pub(crate) async fn told(&self, task: &str) -> Result<usize> {
        let rows = self.ask(Method::GET, &format!("/api/tasks/{task}/activity"), None).await?;
        Ok(rows.as_array().map_or(0, Vec::len))
    }
}
