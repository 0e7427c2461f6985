//! SpinApps: what SpinKube's operator refuses, and what would only be seen when the pods are there.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::manifest::Manifest;
use super::rendering::{Rendering, list, objects, text, texts, title};

/// The partitions of the topics: more replicas than that have nothing to read.
const PARTITIONS: u64 = 3;

pub(super) fn check(rendering: &Rendering) -> Result<()> {
    let apps: Vec<&Value> = rendering.of_kind("SpinApp").collect();
    if apps.is_empty() {
        return Ok(());
    }
    let manifest = Manifest::read()?;
    for app in &apps {
        check_app(app, rendering, &manifest).with_context(|| title(app))?;
    }
    for component in &manifest.components {
        let runs = apps.iter().any(|app| texts(app, "/spec/components").contains(&component.as_str()));
        ensure!(runs, "no SpinApp runs the component `{component}`");
    }
    for executor in rendering.of_kind("SpinAppExecutor") {
        let config = &executor["spec"]["deploymentConfig"];
        let both = [&config["spinImage"], &config["runtimeClassName"]].map(Value::is_string);
        ensure!(both[0] != both[1], "{} is to have one of `spinImage` and `runtimeClassName`", title(executor));
    }
    for scaled in rendering.of_kind("ScaledObject") {
        check_scaled(scaled, rendering).with_context(|| title(scaled))?;
    }
    Ok(())
}

fn check_app(app: &Value, rendering: &Rendering, manifest: &Manifest) -> Result<()> {
    let spec = &app["spec"];
    let name = text(app, "/metadata/name");
    let executor = text(spec, "/executor");
    ensure!(rendering.object("SpinAppExecutor", executor).is_some(), "its executor `{executor}` is not there");
    for component in texts(spec, "/components") {
        ensure!(manifest.components.iter().any(|known| known == component), "`{component}` is not in spin.toml");
    }

    let scales = spec["enableAutoscaling"] == true;
    ensure!(scales != spec["replicas"].is_u64(), "it is to have one of `replicas` and `enableAutoscaling`");
    let targets = |kind| rendering.of_kind(kind).filter(|by| text(by, "/spec/scaleTargetRef/name") == name).count();
    let scalers = targets("ScaledObject") + targets("HorizontalPodAutoscaler");
    ensure!(scalers == usize::from(scales), "{scalers} objects scale it");

    let variables: Vec<&str> = list(spec, "/variables").iter().map(|variable| text(variable, "/name")).collect();
    for variable in &variables {
        let known = manifest.variables.iter().any(|known| known == variable);
        ensure!(known, "the variable `{variable}` is not in spin.toml");
    }
    for required in &manifest.required {
        ensure!(variables.contains(&required.as_str()), "the variable `{required}` is missing");
    }
    // The operator's delay of 10 s would be a part of every wake.
    let delay = spec.pointer("/checks/readiness/initialDelaySeconds").and_then(Value::as_u64);
    ensure!(delay.is_some_and(|delay| delay <= 1), "it is ready {delay:?} s after it could be");
    Ok(())
}

/// A ScaledObject, which says in text what is not checked by any schema.
fn check_scaled(scaled: &Value, rendering: &Rendering) -> Result<()> {
    let most =
        scaled.pointer("/spec/maxReplicaCount").and_then(Value::as_u64).context("it has no `maxReplicaCount`")?;
    ensure!(most <= PARTITIONS, "{most} pods share {PARTITIONS} partitions");
    let target = text(scaled, "/spec/scaleTargetRef/name");
    ensure!(rendering.object("SpinApp", target).is_some(), "`{target}`, which it scales, is not there");
    // With Dapr, and in the sidecar's files, an app's id is that of its subscriptions' scopes.
    let app = target.strip_prefix("todo-").context("a handler is named after its app")?;
    let subscribed = topics(rendering, app)?;

    let triggers = list(scaled, "/spec/triggers");
    ensure!(!triggers.is_empty(), "nothing wakes it");
    let mut asked = Vec::new();
    for trigger in triggers {
        let metadata = trigger["metadata"].as_object().context("a trigger has no metadata")?;
        ensure!(metadata.values().all(Value::is_string), "KEDA takes text only as a trigger's metadata");
        match text(trigger, "/type") {
            "kafka" => {
                ensure!(metadata["consumerGroup"] == app, "the consumer group of `{app}` has another name");
                ensure!(metadata["activationLagThreshold"] == "0", "one event is to be enough");
                let brokers = text(trigger, "/metadata/bootstrapServers");
                let is_known = brokers.split(',').all(|broker| broker.contains('.'));
                ensure!(is_known, "KEDA, in another namespace, knows no `{brokers}`");
                asked.push(text(trigger, "/metadata/topic").to_owned());
            }
            "external-push" => ensure!(metadata["app"] == app, "the sidecar knows it as `{app}`"),
            other => anyhow::bail!("`{other}` is no trigger of ours"),
        }
    }
    asked.sort();
    ensure!(asked.is_empty() || asked == subscribed, "KEDA asks for {asked:?}, and it reads {subscribed:?}");
    Ok(())
}

/// The topics that an app reads, by the documents of the rendering or else by those of the folder.
fn topics(rendering: &Rendering, app: &str) -> Result<Vec<String>> {
    let mut documents: Vec<Value> = rendering.objects.clone();
    if let Some(files) = rendering.object("ConfigMap", "todo-sidelet") {
        for content in files["data"].as_object().into_iter().flatten().filter_map(|(_, content)| content.as_str()) {
            documents.extend(objects(content)?);
        }
    }
    if !documents.iter().any(|document| text(document, "/kind") == "Subscription") {
        documents = Rendering::of_folder("dapr/cluster")?.objects;
    }
    let subscriptions = documents.iter().filter(|document| text(document, "/kind") == "Subscription");
    let own = subscriptions.filter(|subscription| texts(subscription, "/scopes").contains(&app));
    let mut topics: Vec<String> = own.map(|subscription| text(subscription, "/spec/topic").to_owned()).collect();
    topics.sort();
    Ok(topics)
}
