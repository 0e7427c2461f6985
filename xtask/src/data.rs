//! Realistic files of tasks under tests/data, the same on every machine: seeded, without clock or randomness.

mod calendar;
mod json;
mod task;
mod todoist;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::build::root;

use self::task::{Sample, samples};

/// The committed files, by name.
fn files() -> Vec<(&'static str, String)> {
    let thousand = samples(1, 1_000);
    vec![
        ("tasks-1000.json", json::write(&thousand)),
        ("tasks-1000.csv", todoist::write(&thousand)),
        ("tasks-1000.ics", calendar::write(&thousand)),
        ("tasks-10000.json", json::write(&samples(2, 10_000))),
    ]
}

/// Writes the files.
pub(crate) fn write() -> Result<()> {
    std::fs::create_dir_all(folder()).context("could not make tests/data")?;
    for (name, text) in files() {
        std::fs::write(folder().join(name), text).with_context(|| format!("could not write tests/data/{name}"))?;
    }
    Ok(())
}

/// Refuses files that are not what would be written now.
pub(crate) fn check() -> Result<()> {
    for (name, text) in files() {
        if std::fs::read_to_string(folder().join(name)).is_ok_and(|found| found == text) {
            continue;
        }
        bail!("tests/data/{name} is not what its generator writes: run `cargo xtask data`");
    }
    Ok(())
}

fn folder() -> PathBuf {
    root().join("tests/data")
}
