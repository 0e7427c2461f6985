//! Publishes what a cluster runs: the sidecar's image, the application and the chart, all of one version, and says the
//! digest of each. Whoever installs by digests runs these bytes and no others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::command::run;
use crate::image::Architecture;
use crate::{build, go, image};

/// Where to and as what. `skopeo login`, `spin registry login` and `helm registry login` have been done.
#[derive(Args)]
pub(crate) struct Options {
    /// The registry and the folder in it, such as ghcr.io/ada/todo.
    #[arg(long)]
    registry: String,
    /// The commit, which becomes a part of the version; without it, this is the release itself.
    #[arg(long, conflicts_with = "tag")]
    revision: Option<String>,
    /// The tag of the release, which has to be `v` and the version of Cargo.toml.
    #[arg(long)]
    tag: Option<String>,
    /// Where the digests are written, for `cargo xtask deploy`.
    #[arg(long, default_value = "target/digests.json")]
    digests: PathBuf,
}

/// Builds and pushes all three.
pub(crate) fn run_all(options: &Options) -> Result<()> {
    let version = version(options.revision.as_deref(), options.tag.as_deref())?;
    build::components()?;
    image::build(&[Architecture::Arm64, Architecture::Amd64])?;

    let registry = &options.registry;
    let mut published = BTreeMap::new();
    let sidelet = format!("docker://{registry}/sidelet:{version}");
    run("skopeo", &["copy", "--all", "--preserve-digests", "oci:target/image/sidelet", &sidelet])?;
    published.insert("sidelet", entry(&format!("{registry}/sidelet"), &version)?);

    run("spin", &["registry", "push", &format!("{registry}/app:{version}")])?;
    published.insert("app", entry(&format!("{registry}/app"), &version)?);

    let helm = go::HELM.path()?.display().to_string();
    let package =
        ["package", "charts/todo", "--version", &version, "--app-version", &version, "--destination", "target/chart"];
    run(&helm, &package)?;
    run(&helm, &["push", &format!("target/chart/todo-{version}.tgz"), &format!("oci://{registry}/charts")])?;
    published.insert("chart", entry(&format!("{registry}/charts/todo"), &version)?);

    write(&options.digests, &json!(published))
}

/// As semantic versions have it: what is before a release comes before it.
fn version(revision: Option<&str>, tag: Option<&str>) -> Result<String> {
    let release = env!("CARGO_PKG_VERSION");
    if let Some(tag) = tag {
        ensure!(tag.strip_prefix('v') == Some(release), "the tag is `{tag}`, and Cargo.toml has the version {release}");
    }
    Ok(match revision {
        Some(revision) => format!("{release}-g{}", revision.get(..12).unwrap_or(revision)),
        None => release.to_owned(),
    })
}

/// What was pushed, by the bytes of the manifest that the registry has.
fn entry(repository: &str, version: &str) -> Result<Value> {
    let reference = format!("docker://{repository}:{version}");
    let output = Command::new("skopeo").args(["inspect", "--raw", &reference]).output();
    let output = output.context("could not run `skopeo`")?;
    if !output.status.success() {
        bail!("`{reference}` cannot be read back: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let digest: String = Sha256::digest(&output.stdout).iter().map(|byte| format!("{byte:02x}")).collect();
    println!("{repository}:{version} is sha256:{digest}");
    Ok(json!({"repository": repository, "version": version, "digest": format!("sha256:{digest}")}))
}

fn write(path: &Path, digests: &Value) -> Result<()> {
    std::fs::write(path, format!("{digests:#}\n")).with_context(|| format!("could not write `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn a_commit_makes_a_version_before_the_release() {
        let release = env!("CARGO_PKG_VERSION");
        assert_eq!(version(None, None).unwrap(), release);
        assert_eq!(version(Some("0123456789abcdef0123"), None).unwrap(), format!("{release}-g0123456789ab"));
    }

    #[test]
    fn a_tag_of_another_version_is_refused() {
        let release = env!("CARGO_PKG_VERSION");
        assert_eq!(version(None, Some(&format!("v{release}"))).unwrap(), release);
        for tag in [release, "v9.9.9"] {
            assert!(version(None, Some(tag)).unwrap_err().to_string().contains(tag), "{tag}");
        }
    }
}
