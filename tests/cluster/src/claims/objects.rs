//! What the chart's objects become.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use backends::within;
use serde_json::Value;

use crate::{
    Setting,
    cluster::PATIENCE,
    people::{Api, User},
    release::NAME,
};

/// What the operator of SpinKube makes for the whole namespace, and leaves there.
const OPERATORS: &str = "secret/spin-ca";

/// The API of the release.
pub(super) async fn api(setting: &Setting) -> Result<Api> {
    Api::at(setting.cluster.service(NAME).await?)
}

/// Installs, with one pod of each handler, so that what is measured is the work and not a wake.
pub(super) async fn install(setting: &Setting) -> Result<String> {
    let begin = Instant::now();
    setting.release.apply(&["handler.minReplicas=1"]).await?;
    all_ready(setting).await?;
    let ready = begin.elapsed();
    let handled = handled_write(setting, "ada").await?;
    Ok(format!("all pods ready after {ready:.1?}, the write handled after {handled:.1?}"))
}

/// Waits until every Deployment has its pod.
pub(super) async fn all_ready(setting: &Setting) -> Result<()> {
    let deployments = setting.cluster.get(&["deployments"]).await?;
    for deployment in deployments["items"].as_array().into_iter().flatten() {
        let name = deployment["metadata"]["name"].as_str().context("a Deployment has a name")?;
        setting.cluster.wait_for_replicas(name, 1).await?;
    }
    Ok(())
}

/// Somebody signs up and writes, and the handler `activity` notes it: how long that took.
pub(super) async fn handled_write(setting: &Setting, name: &str) -> Result<Duration> {
    let api = api(setting).await?;
    // A Service that was made a moment ago leads nowhere for as long as it takes to tell the node.
    let user = within(PATIENCE, "a sign-up is answered", async || api.sign_up(name).await.ok()).await?;
    let written = Instant::now();
    let task = user.create("Buy milk").await?;
    told_once(&user, &task).await?;
    Ok(written.elapsed())
}

/// Waits until the handler `activity` has written down once that a task was made.
pub(super) async fn told_once(user: &User, task: &str) -> Result<()> {
    let told = async || user.told(task).await.is_ok_and(|told| told == 1).then_some(());
    within(PATIENCE, "the handler `activity` has written down the write", told).await
}

/// The SpinApps by name.
pub(super) async fn spin_apps(setting: &Setting) -> Result<Vec<(String, Value)>> {
    let mut listed = setting.cluster.get(&["spinapps"]).await?;
    let apps = listed["items"].as_array_mut().context("a list")?.drain(..);
    let named = apps.map(|app| Ok((app["metadata"]["name"].as_str().context("a SpinApp has a name")?.to_owned(), app)));
    named.collect()
}

/// Looks at the Deployments and Services that SpinKube made.
pub(super) async fn arguments(setting: &Setting) -> Result<String> {
    let apps = spin_apps(setting).await?;
    for (name, app) in &apps {
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

/// `helm test`.
pub(super) async fn test(setting: &Setting) -> Result<String> {
    let begin = Instant::now();
    let said = setting.release.test().await?;
    ensure!(
        said.lines().any(|line| line.trim() == "Phase:          Succeeded"),
        "Helm does not say that it passed: {said}"
    );
    Ok(format!("passed in {:.1?}", begin.elapsed()))
}

/// `helm uninstall`, after which there is what was there before.
pub(super) async fn uninstall(setting: &Setting) -> Result<String> {
    let there = setting.cluster.objects().await?.len();
    let begin = Instant::now();
    setting.release.uninstall().await?;
    let mut left = Vec::new();
    let gone = async || {
        let objects = setting.cluster.objects().await.ok()?;
        left = objects.into_iter().filter(|object| !setting.before.contains(object) && object != OPERATORS).collect();
        left.is_empty().then_some(())
    };
    if let Err(late) = within(PATIENCE, "nothing is left", gone).await {
        bail!("{late}, but there are {}", left.join(", "));
    }
    let before = setting.before.len();
    Ok(format!("of {there} objects {before} are left after {:.0?}, which were there before", begin.elapsed()))
}
