//! Which crate of ours may name which: the table of docs/ARCHITECTURE.md.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::command::output;

/// What each crate may depend on, development dependencies included.
const ARROWS: &[(&str, &[&str])] = &[
    ("fuzzing", &[]),
    ("backends", &[]),
    ("conformance", &["backends"]),
    ("todo-domain", &["fuzzing"]),
    ("dapr", &[]),
    ("web-push", &[]),
    ("todo-app", &["todo-domain", "dapr", "web-push", "fuzzing"]),
    ("sidelet", &["dapr", "fuzzing", "backends"]),
    ("devhost", &["fuzzing"]),
    ("devhost-guest", &[]),
    ("todo", &["sidelet", "devhost"]),
    ("testkit", &["backends"]),
    ("tasks", &["todo-app", "todo-domain"]),
    ("transfer", &["todo-app", "todo-domain"]),
    ("accounts", &["todo-app", "todo-domain"]),
    ("exports", &["todo-app"]),
    ("notifications", &["todo-app", "web-push"]),
    ("notifier", &["todo-app", "todo-domain"]),
    ("openapi", &["todo-app"]),
    ("recurring", &["todo-app"]),
    ("reminders", &["todo-app"]),
    ("activity", &["todo-app", "todo-domain"]),
    ("updates", &["todo-app"]),
    ("contracts", &["todo-app", "todo-domain", "dapr"]),
    ("recorder", &["todo-app", "dapr"]),
    ("scenarios", &["testkit", "backends"]),
    ("cluster-test", &["backends"]),
    ("bench", &["testkit", "backends", "devhost"]),
    ("xtask", &[]),
];

/// Refuses an arrow that the table lacks, and a crate that it does not know.
pub(crate) fn check() -> Result<()> {
    let metadata =
        output("cargo", &["metadata", "--format-version", "1", "--no-deps"]).context("cargo metadata failed")?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata is JSON")?;
    let empty = Vec::new();
    let packages = metadata["packages"].as_array().unwrap_or(&empty);
    let names: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
            bail!(
                "the crate `{name}` is not in the table of arrows: add it to xtask/src/arrows.rs and docs/ARCHITECTURE.md"
            );
        };
        for dependency in package["dependencies"].as_array().unwrap_or(&empty) {
            let target = dependency["name"].as_str().unwrap_or_default();
            if names.contains(&target) && !allowed.contains(&target) {
                bail!("`{name}` may not depend on `{target}`: the table of arrows is in docs/ARCHITECTURE.md");
            }
        }
    }
    Ok(())
}
