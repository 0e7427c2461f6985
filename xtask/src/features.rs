//! One set of features for programs and for tests.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};

use crate::command::output;

/// A crate with its version, and the features that it is compiled with.
type Features = BTreeMap<String, BTreeSet<String>>;

/// Refuses a development dependency that changes how something shared is compiled: then whoever runs the tests after
/// the application, or the other way round, would compile wasmtime each time.
pub(crate) fn check() -> Result<()> {
    let (programs, tests) = (features("normal,build")?, features("all")?);
    for (name, features) in &programs {
        let more: Vec<_> =
            tests.get(name).into_iter().flatten().filter(|feature| !features.contains(*feature)).collect();
        if !more.is_empty() {
            bail!(
                "`{name}` has the features {more:?} in tests alone: find what asks for them with `cargo tree --edges all,features --invert {name}`, and make it a dependency that is not for development only",
                name = name.replace(" v", "@")
            );
        }
    }
    Ok(())
}

/// The crates of programs with the features that these dependencies ask for.
fn features(edges: &str) -> Result<Features> {
    let arguments = ["tree", "--prefix", "none", "--format", "{p}|{f}", "--edges", edges];
    let tree = output("cargo", &arguments).context("cargo tree failed")?;
    let mut crates = Features::new();
    for line in tree.lines() {
        let Some((name, features)) = line.trim_end_matches(" (*)").rsplit_once('|') else { continue };
        // Ours are few and quick.
        if !name.contains('(') || name.contains("(proc-macro)") {
            let features = features.split(',').filter(|feature| !feature.is_empty()).map(str::to_owned);
            crates.entry(name.to_owned()).or_default().extend(features);
        }
    }
    Ok(crates)
}
