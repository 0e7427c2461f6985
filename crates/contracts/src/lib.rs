//! The contracts of this release: what clients, consumers and later releases may rely on.
//!
//! Everything in the folder `contracts/` is written by this crate from the code's own types and tables, and committed:
//!
//! - `openapi.yaml`, and the same as `openapi.json`, which the component `openapi` serves;
//! - `events/`: a JSON Schema for the `data` of each topic;
//! - `samples/<release>/`: every message of a release. Those of earlier releases stay as they are, and have to stay readable.
//!
//! It knows no server and no store; `cargo xtask contracts` runs it, and a test refuses a stale copy.

mod events;
pub mod openapi;
pub mod samples;
mod schemas;
mod yaml;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// The release whose samples are written: major and minor of the workspace's version.
pub const RELEASE: &str = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));

/// Every file of the folder, by its path inside, with its text.
pub fn files() -> BTreeMap<String, String> {
    let document = openapi::document();
    let mut files = BTreeMap::from([
        ("openapi.yaml".to_owned(), format!("# Written by `cargo xtask contracts`.\n{}", yaml::document(&document))),
        ("openapi.json".to_owned(), format!("{document}\n")),
    ]);
    for (topic, schema) in events::schemas() {
        files.insert(format!("events/{topic}.json"), pretty(&schema));
    }
    for (path, sample) in samples::all() {
        files.insert(format!("samples/{RELEASE}/{path}.json"), sample);
    }
    files
}

/// Writes the folder anew: what this release no longer writes goes, samples of earlier releases stay.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path) -> Result<()> {
    for part in ["events".to_owned(), format!("samples/{RELEASE}")] {
        let part = folder.join(part);
        if part.exists() {
            std::fs::remove_dir_all(&part).with_context(|| format!("could not clear `{}`", part.display()))?;
        }
    }
    for (path, text) in files() {
        let path = folder.join(path);
        let parent = path.parent().expect("a file is in a folder");
        std::fs::create_dir_all(parent).with_context(|| format!("could not make `{}`", parent.display()))?;
        std::fs::write(&path, text).with_context(|| format!("could not write `{}`", path.display()))?;
    }
    Ok(())
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
