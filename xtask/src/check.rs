//! Formatting, lints, licences, workflows, and the arrows between the crates.

use anyhow::Result;

use crate::command::cargo;
use crate::{arrows, build, data, features, infra, subscriptions, tools, workflows};

/// Everything that can be said without running the code.
pub(crate) fn all() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    arrows::check()?;
    features::check()?;
    data::check()?;
    subscriptions::check()?;
    infra::check()?;
    workflows::check()?;
    tools::cargo_deny()?;
    cargo(&["deny", "--log-level", "error", "check", "licenses", "bans", "sources"])?;
    cargo(&["clippy", "--release", "--all-targets", "--", "--deny", "warnings"])?;
    // A build of the sidecar may leave backends out.
    for features in ["", "kafka", "postgres"] {
        let alone = ["clippy", "--release", "--package", "sidelet", "--no-default-features", "--features", features];
        cargo(&[&alone[..], &["--", "--deny", "warnings"]].concat())?;
    }
    tools::rust_target(tools::COMPONENT_TARGET)?;
    let components = build::all_components().into_iter().flat_map(|name| ["--package", name]);
    let mut arguments =
        vec!["clippy", "--profile", "wasm", "--target", tools::COMPONENT_TARGET, "--target-dir", "target"];
    arguments.extend(components);
    arguments.extend(["--", "--deny", "warnings"]);
    cargo(&arguments)
}
