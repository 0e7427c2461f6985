//! Building the components and the command `todo`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::cargo;
use crate::tools;

/// The components of `spin.toml`.
const COMPONENTS: [&str; 11] = [
    "tasks",
    "transfer",
    "exports",
    "accounts",
    "notifications",
    "notifier",
    "openapi",
    "recurring",
    "reminders",
    "activity",
    "updates",
];
/// Components that the scenarios use beside them.
const TEST_COMPONENTS: [&str; 1] = ["recorder"];
/// The most bytes that a component may have.
const COMPONENT_BYTES: u64 = 1 << 20;

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in the workspace").to_owned()
}

/// Where everything is built.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A built program.
pub(crate) fn binary(name: &str) -> PathBuf {
    target().join("release").join(name)
}

pub(crate) fn todo_binary() -> PathBuf {
    binary("todo")
}

/// Builds the components of the application.
pub(crate) fn components() -> Result<()> {
    build_components(&COMPONENTS)
}

/// The components of the application and those of the scenarios.
pub(crate) fn all_components() -> Vec<&'static str> {
    COMPONENTS.into_iter().chain(TEST_COMPONENTS).collect()
}

/// Builds the components of the application and those of the scenarios.
pub(crate) fn test_components() -> Result<()> {
    build_components(&all_components())
}

/// Builds the command `todo`.
pub(crate) fn todo() -> Result<()> {
    programs(&["todo"])
}

/// Builds programs of ours.
///
/// All of the workspace decides on the features of what they share, as it does for tests: with `--package`, cargo would
/// choose fewer, and compile wasmtime again at every change from one to the other.
pub(crate) fn programs(names: &[&str]) -> Result<()> {
    tools::c_compiler()?;
    let mut arguments = vec!["build", "--release"];
    for name in names {
        arguments.extend(["--bin", name]);
    }
    cargo(&arguments)
}

/// Prints the size of every component.
pub(crate) fn print_sizes() -> Result<()> {
    for name in COMPONENTS {
        println!("{name:<10} {:>9} bytes", size(name)?);
    }
    Ok(())
}

/// Refuses a component that has grown too large.
pub(crate) fn check_sizes() -> Result<()> {
    for name in COMPONENTS {
        let bytes = size(name)?;
        if bytes >= COMPONENT_BYTES {
            bail!("the component `{name}` has {bytes} bytes, the most is {COMPONENT_BYTES}");
        }
    }
    Ok(())
}

fn build_components(names: &[&str]) -> Result<()> {
    tools::rust_target(tools::COMPONENT_TARGET)?;
    let mut arguments = vec!["build", "--profile", "wasm", "--target", tools::COMPONENT_TARGET];
    for name in names {
        arguments.extend(["--package", name]);
    }
    // Where spin.toml looks for them, whatever the target directory of the rest.
    arguments.extend(["--target-dir", "target"]);
    cargo(&arguments)
}

fn size(name: &str) -> Result<u64> {
    let path = root().join("target").join(tools::COMPONENT_TARGET).join("wasm").join(format!("{name}.wasm"));
    Ok(std::fs::metadata(&path).with_context(|| format!("could not read `{}`", path.display()))?.len())
}
