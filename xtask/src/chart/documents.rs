//! What the sidecar and the hooks are given is what the folders `dapr` and `kafka` have.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::cases::Case;
use super::rendering::{Rendering, files, list, objects, text};
use super::same;

/// The documents that the chart fits to the values; the others are the folder's to the letter.
const FITTED: [&str; 2] = ["statestore-postgres.yaml", "pubsub-kafka.yaml"];

pub(super) fn check(case: &Case, rendering: &Rendering) -> Result<()> {
    // As many copies as there are brokers.
    let topics = rendering.object("ConfigMap", "todo-topics");
    if let Some(topics) = topics.filter(|_| !case.values.contains("kafka.replicas")) {
        same_files("kafka/topics", topics, &[])?;
    }
    let mail = case.values.contains("mail.host");
    if mail {
        told_of_mail(rendering)?;
    }
    if case.says("sidecar=dapr") {
        let folders = if mail { &["dapr/cluster", "dapr/mail"][..] } else { &["dapr/cluster"] };
        return folders.iter().try_for_each(|folder| as_objects(folder, rendering));
    }
    let sidelet = rendering.object("ConfigMap", "todo-sidelet").context("the sidecar has no files")?;
    same_files("dapr/cluster", sidelet, &FITTED)?;
    let component = |file: &str| -> Result<Value> {
        let content = sidelet.pointer(&format!("/data/{file}")).and_then(Value::as_str);
        let documents = objects(content.with_context(|| format!("`{file}` is missing"))?)?;
        documents.into_iter().next().with_context(|| format!("`{file}` has nothing in it"))
    };
    for (file, template) in [("statestore.yaml", FITTED[0]), ("pubsub.yaml", FITTED[1])] {
        let (found, local) = (component(file)?, Rendering::of_folder("dapr/local")?);
        let embedded = local.object("Component", text(&found, "/metadata/name"));
        if embedded != Some(&found) {
            fitted(&found, "dapr/cluster", template)?;
        }
    }
    ensure!(mail == sidelet["data"]["mail.yaml"].is_string(), "there is a way for mail where none is asked for");
    if mail {
        fitted(&component("mail.yaml")?, "dapr/mail", "mail.yaml")?;
    }
    Ok(())
}

/// Whoever brings messages to people knows the component by its name.
fn told_of_mail(rendering: &Rendering) -> Result<()> {
    let folder = Rendering::of_folder("dapr/mail")?;
    let name = text(folder.of_kind("Component").next().context("dapr/mail has no component")?, "/metadata/name");
    let notifier = rendering.object("SpinApp", "todo-notifier").context("nobody brings messages to people")?;
    let told = list(notifier, "/spec/variables").iter().find(|variable| variable["name"] == "email_binding");
    same("`email_binding`", &told.map_or("", |variable| text(variable, "/value")), &name)
}

/// Each file of a folder is in a ConfigMap, to the letter.
fn same_files(folder: &str, config: &Value, fitted: &[&str]) -> Result<()> {
    for (file, content) in files(folder)? {
        if !fitted.contains(&file.as_str()) {
            let found = config["data"][&file].as_str().unwrap_or_default();
            same(&format!("`{file}` of {folder}"), &found.trim(), &content.trim())?;
        }
    }
    Ok(())
}

/// With Dapr the documents are objects of the cluster.
fn as_objects(folder: &str, rendering: &Rendering) -> Result<()> {
    for document in Rendering::of_folder(folder)?.objects {
        let (kind, name) = (text(&document, "/kind"), text(&document, "/metadata/name"));
        let found = rendering.object(kind, name).with_context(|| format!("{kind} `{name}` is missing"))?;
        if kind == "Component" {
            same(&format!("{kind} `{name}`"), &found["spec"]["type"], &document["spec"]["type"])?;
        } else {
            same(&format!("{kind} `{name}`"), &found["spec"], &document["spec"])?;
        }
        same(&format!("the scopes of {kind} `{name}`"), &found["scopes"], &document["scopes"])?;
    }
    let statestore = rendering.object("Component", "statestore").context("there is no state store")?;
    ensure!(!statestore.to_string().contains("outbox"), "daprd's outbox stops where two writers meet");
    Ok(())
}

/// What the folder says of a component is there, but for values that were replaced.
fn fitted(found: &Value, folder: &str, file: &str) -> Result<()> {
    let files = files(folder)?;
    let (_, content) = files.iter().find(|(name, _)| name == file).with_context(|| format!("`{file}` is missing"))?;
    let document = objects(content)?.into_iter().next().with_context(|| format!("`{file}` is empty"))?;
    same(&format!("the type of `{file}`"), &found["spec"]["type"], &document["spec"]["type"])?;
    let names = |component: &Value| -> Vec<String> {
        let metadata = component["spec"]["metadata"].as_array().into_iter().flatten();
        metadata.map(|item| text(item, "/name").to_owned()).collect()
    };
    let there = names(found);
    for name in names(&document) {
        ensure!(there.contains(&name), "`{name}` of `{file}` was left out");
    }
    Ok(())
}
