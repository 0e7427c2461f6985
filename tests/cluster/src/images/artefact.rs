//! The application as `spin registry push` writes it: a layer for each component, and the locked application as the last.
//!
//! A locked application is `spin.toml` read: `spin_lock_version` 1, variables, triggers, and components whose sources are
//! the digests of layers. Nodes with a shim take it like an image; its platform is `wasm`, and it has no files.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use super::Image;
use crate::layer::{archive, digest};

const COMPONENT: &str = "application/vnd.wasm.content.layer.v1+wasm";
const LOCKED: &str = "application/vnd.fermyon.spin.application.v1+config";

/// Writes the archive of what `spin.toml` names.
pub(super) fn write(folder: &Path, repository: &str) -> Result<Image> {
    let manifest = fs::read_to_string("spin.toml").context("could not read `spin.toml`")?;
    let manifest: Value = toml::from_str(&manifest).context("`spin.toml` is not TOML")?;
    let mut layers = Vec::new();
    let mut digests = BTreeMap::new();
    for (id, component) in table(&manifest["component"])? {
        let source = component["source"].as_str().with_context(|| format!("the component `{id}` has no source"))?;
        let bytes = fs::read(source).with_context(|| format!("could not read `{source}`"))?;
        digests.insert(id.as_str(), digest(&bytes));
        layers.push((COMPONENT, bytes));
    }
    let locked = locked(&manifest, &digests)?.to_string().into_bytes();
    let configuration = json!({
        "architecture": "wasm",
        "os": "Wasip1",
        "config": { "Labels": { "com.fermyon.spin.lockedAppDigest": digest(&locked) } },
        "rootfs": { "type": "layers", "diff_ids": [] },
    });
    let image = Image::of(folder, repository, &locked);
    layers.push((LOCKED, locked));
    archive(&image.name(), &configuration, &layers, &image.archive)?;
    Ok(image)
}

/// The application with the layers' digests in place of paths.
fn locked(manifest: &Value, digests: &BTreeMap<&str, String>) -> Result<Value> {
    let application = table(&manifest["application"])?;
    let variables = table(&manifest["variables"])?.iter().map(|(name, variable)| {
        let mut kept = variable.as_object().cloned().unwrap_or_default();
        // What has no default is required.
        kept.remove("required");
        (name.clone(), Value::Object(kept))
    });
    let triggers = manifest["trigger"]["http"].as_array().context("`spin.toml` has HTTP triggers")?;
    let triggers = triggers.iter().enumerate().map(|(index, trigger)| {
        json!({ "id": format!("trigger-{index}"), "trigger_type": "http", "trigger_config": trigger })
    });
    let components = table(&manifest["component"])?.iter().map(|(id, component)| {
        let hosts = component.get("allowed_outbound_hosts").cloned().unwrap_or_else(|| json!([]));
        ensure!(component.get("files").is_none(), "the component `{id}` has files, which this does not pack");
        Ok(json!({
            "id": id,
            "metadata": { "allowed_outbound_hosts": hosts },
            "source": { "content_type": "application/wasm", "digest": digests[id.as_str()] },
            "config": component.get("variables").cloned().unwrap_or_else(|| json!({})),
        }))
    });
    Ok(json!({
        "spin_lock_version": 1,
        "metadata": application,
        "variables": variables.collect::<Map<_, _>>(),
        "triggers": triggers.collect::<Vec<_>>(),
        "components": components.collect::<Result<Vec<_>>>()?,
    }))
}

fn table(value: &Value) -> Result<&Map<String, Value>> {
    value.as_object().context("a table of `spin.toml` is missing")
}
