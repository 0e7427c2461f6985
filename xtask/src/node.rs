//! Tests in JavaScript: a folder with a lock file each, run by Node's own runner.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::build::{binary, root};
use crate::command::run;
use crate::tools;

/// Installs a folder's packages where they changed, and runs its tests, which find programs by these variables.
pub(crate) fn test(folder: &str, variables: &[(&str, &Path)]) -> Result<()> {
    run_tests(folder, variables, Command::new("node"))
}

/// As [`test`], beside servers that the tests find by variables: the built command `backends` says which.
pub(crate) fn test_beside(servers: &[&str], folder: &str) -> Result<()> {
    let mut command = Command::new(binary("backends"));
    // One file after the other: they share the servers.
    command.args(servers).args(["--", "node", "--test-concurrency=1"]);
    run_tests(folder, &[], command)
}

fn run_tests(folder: &str, variables: &[(&str, &Path)], mut node: Command) -> Result<()> {
    tools::node()?;
    let path = root().join(folder);
    if is_stale(&path) {
        run("npm", &["ci", "--prefix", folder])?;
    }
    let status = node
        .args(["--test", "--test-reporter=spec"])
        .current_dir(path)
        .envs(variables.iter().copied())
        .status()
        .context("could not run `node`")?;
    if !status.success() {
        bail!("the tests in `{folder}` failed");
    }
    Ok(())
}

/// Whether the packages are missing or older than their lock file.
fn is_stale(folder: &Path) -> bool {
    let changed = |file: &str| folder.join(file).metadata().and_then(|file| file.modified()).ok();
    // npm writes this one when it has installed everything.
    match (changed("node_modules/.package-lock.json"), changed("package-lock.json")) {
        (Some(installed), Some(locked)) => installed < locked,
        _ => true,
    }
}
