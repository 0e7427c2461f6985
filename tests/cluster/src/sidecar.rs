//! The sidecar, as its operators and its apps ask it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;

use crate::{cluster::Cluster, release::SIDELET};

/// The way to it, with what opens its API.
#[derive(Debug)]
pub(crate) struct Sidecar {
    client: Client,
    address: String,
    token: String,
}

impl Sidecar {
    /// That of the release.
    pub(crate) async fn of(cluster: &Cluster) -> Result<Self> {
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(Duration::from_secs(10)).build()?;
        let address = format!("{}:3500", cluster.service(SIDELET).await?);
        Ok(Self { client, address, token: cluster.secret("todo-api-token", "token").await? })
    }

    /// How many messages of a topic a consumer group has not finished.
    pub(crate) async fn behind(&self, group: &str, topic: &str) -> Result<i64> {
        let answer = self.get("/sidelet/v1/groups").await?;
        let status = answer.status();
        ensure!(status.is_success(), "the sidecar was asked for its groups and answered {status}");
        let groups: Value = answer.json().await.context("groups are JSON")?;
        let found = groups.as_array().into_iter().flatten();
        let found = found.into_iter().find(|found| found["group"] == group && found["topic"] == topic);
        found.and_then(|found| found["behind"].as_i64()).with_context(|| format!("`{group}` never read `{topic}`"))
    }

    /// How an app's question for a Secret is answered.
    pub(crate) async fn secret(&self, name: &str) -> Result<StatusCode> {
        Ok(self.get(&format!("/v1.0/secrets/kubernetes/{name}")).await?.status())
    }

    async fn get(&self, path: &str) -> Result<Response> {
        let request = self.client.get(format!("{}{path}", self.address)).header("dapr-api-token", &self.token);
        request.send().await.with_context(|| format!("no answer of the sidecar on {path}"))
    }
}
