//! What the chart's objects become.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use backends::within;
use serde_json::Value;

use crate::{Setting, cluster::PATIENCE, people::Api, release::NAME};

/// The API of the release.
pub(super) async fn api(setting: &Setting) -> Result<Api> {
    Api::at(setting.cluster.service(NAME).await?)
}

/// Installs, with one pod of each handler, so that what is measured is the work and not a wake.
pub(super) async fn install(setting: &Setting) -> Result<String> {
    let begin = Instant::now();
    setting.release.apply(&["handler.minReplicas=1"]).await?;
    let deployments = setting.cluster.get(&["deployments"]).await?;
    for deployment in deployments["items"].as_array().into_iter().flatten() {
        let name = deployment["metadata"]["name"].as_str().context("a Deployment has a name")?;
        setting.cluster.wait_for_replicas(name, 1).await?;
    }
    let ready = begin.elapsed();
    let api = api(setting).await?;
    // A Service that was made a moment ago leads nowhere for as long as it takes to tell the node.
    let ada = within(PATIENCE, "a sign-up is answered", async || api.sign_up("ada").await.ok()).await?;
    let task = ada.create("Buy milk").await?;
    let written = Instant::now();
    let told = async || ada.told(&task).await.is_ok_and(|told| told == 1).then_some(());
    within(PATIENCE, "the handler `activity` has written down the write", told).await?;
    Ok(format!("all pods ready after {ready:.1?}, the write handled after {:.0?}", written.elapsed()))
}

/// Looks at the Deployments and Services that SpinKube made.
pub(super) async fn arguments(setting: &Setting) -> Result<String> {
    let apps = setting.cluster.get(&["spinapps"]).await?;
    let apps = apps["items"].as_array().context("a list")?;
    for app in apps {
        let name = app["metadata"]["name"].as_str().context("a SpinApp has a name")?;
        let deployment = setting.cluster.get(&["deployment", name]).await?;
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut expected: Vec<String> = ["up", "--listen", "0.0.0.0:80", "-f"].map(str::to_owned).into();
        expected.push(text(&app["spec"]["image"]));
        expected.extend(["--runtime-config-file", "/runtime-config.toml"].map(str::to_owned));
        for component in app["spec"]["components"].as_array().into_iter().flatten() {
            expected.extend(["--component-id".to_owned(), text(component)]);
        }
        let arguments: Vec<String> = container["args"].as_array().into_iter().flatten().map(text).collect();
        ensure!(arguments == expected, "`{name}` has the arguments {arguments:?}, expected {expected:?}");
        let service = setting.cluster.get(&["service", name]).await?;
        ensure!(service["spec"]["ports"][0]["port"] == 80, "the Service `{name}` is not at port 80");
    }
    Ok(format!("{} SpinApps", apps.len()))
}
