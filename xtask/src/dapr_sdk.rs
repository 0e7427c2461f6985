//! The official Dapr SDK for JavaScript against the built sidecar: the tests under tests/dapr-sdk.

use anyhow::Result;

use crate::build::root;
use crate::command::{cargo, run};
use crate::tools;

/// Installs what changed, and runs the tests.
pub(crate) fn test() -> Result<()> {
    tools::node()?;
    if is_stale() {
        run("npm", &["ci", "--prefix", "tests/dapr-sdk"])?;
    }
    cargo(&["build", "--release", "--package", "sidelet"])?;
    let tests = ["tests/dapr-sdk/client.test.js", "tests/dapr-sdk/server.test.js"];
    run("node", &["--test", "--test-reporter=spec", tests[0], tests[1]])
}

/// Whether the packages are missing or older than their lock file.
fn is_stale() -> bool {
    let folder = root().join("tests/dapr-sdk");
    let changed = |file: &str| folder.join(file).metadata().and_then(|file| file.modified()).ok();
    // npm writes this one when it has installed everything.
    match (changed("node_modules/.package-lock.json"), changed("package-lock.json")) {
        (Some(installed), Some(locked)) => installed < locked,
        _ => true,
    }
}
