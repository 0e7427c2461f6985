//! Brings a cluster to what was published, and back where that does not work.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value;

use crate::command::{output, run};
use crate::smoke;

/// The release's name.
const RELEASE: &str = "todo";
/// How long pods may take to be ready, forwards and back: with the smoke test's patience, and three minutes for what a workflow
/// installs before, ten minutes are enough even where everything fails at its last moment.
const FORWARDS: &str = "150s";
const BACK: &str = "2m";

/// What is deployed and where.
#[derive(Args)]
pub(crate) struct Options {
    /// The digests that `cargo xtask publish` wrote.
    #[arg(long, default_value = "target/digests.json")]
    digests: PathBuf,
    /// Where the application is reached afterwards, such as https://todo.example.com.
    #[arg(long)]
    address: String,
    /// Values as for `helm --values`, over the chart's own; the later ones count more.
    #[arg(long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// Where the application is.
    #[arg(long, default_value = "todo")]
    namespace: String,
}

/// Upgrades, tries it from outside, and goes back to what ran before where it fails.
pub(crate) fn run_all(options: &Options) -> Result<()> {
    let text = std::fs::read_to_string(&options.digests)
        .with_context(|| format!("could not read `{}`", options.digests.display()))?;
    let digests = serde_json::from_str(&text).with_context(|| format!("`{}`", options.digests.display()))?;
    let before = deployed(&history(&options.namespace)?);
    let arguments = upgrade(options, &digests)?;
    run("helm", &arguments.iter().map(String::as_str).collect::<Vec<_>>())?;

    let Err(error) = smoke::run(&options.address) else {
        return Ok(());
    };
    eprintln!("error: {error:#}");
    let Some(revision) = before else {
        bail!("the first release does not work, and there is none to go back to: see above");
    };
    eprintln!("going back to revision {revision}");
    let revision = revision.to_string();
    run("helm", &["rollback", RELEASE, &revision, "--namespace", &options.namespace, "--wait", "--timeout", BACK])?;
    bail!("the new release does not work, and the one before it runs again: see above")
}

/// What Helm is told: the very bytes that were published, and all or nothing.
fn upgrade(options: &Options, digests: &Value) -> Result<Vec<String>> {
    let (chart, app, sidelet) =
        (Published::of(digests, "chart")?, Published::of(digests, "app")?, Published::of(digests, "sidelet")?);
    let chart = format!("oci://{}@{}", chart.repository, chart.digest);
    let mut words: Vec<String> = ["upgrade", "--install", RELEASE, &chart, "--namespace", &options.namespace]
        .into_iter()
        .chain(["--create-namespace", "--atomic", "--wait", "--timeout", FORWARDS])
        .map(str::to_owned)
        .collect();
    for file in &options.values {
        words.extend(["--values".to_owned(), file.display().to_string()]);
    }
    for (path, published) in [("image", app), ("sidelet.image", sidelet)] {
        for (key, value) in [("repository", published.repository), ("digest", published.digest)] {
            words.extend(["--set-string".to_owned(), format!("{path}.{key}={value}")]);
        }
    }
    Ok(words)
}

/// One thing of the digests.
struct Published<'a> {
    repository: &'a str,
    digest: &'a str,
}

impl<'a> Published<'a> {
    fn of(digests: &'a Value, name: &str) -> Result<Self> {
        let field = |key| digests[name][key].as_str().with_context(|| format!("the digests have no {name}.{key}"));
        let (repository, digest) = (field("repository")?, field("digest")?);
        let digits = digest.strip_prefix("sha256:").unwrap_or_default();
        ensure!(
            digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
            "{name}.digest is `{digest}`, and has to be `sha256:` and 64 hexadecimal digits"
        );
        Ok(Self { repository, digest })
    }
}

/// The releases that Helm knows; none before the first.
fn history(namespace: &str) -> Result<Value> {
    match output("helm", &["history", RELEASE, "--namespace", namespace, "--max", "20", "--output", "json"]) {
        Some(text) => serde_json::from_str(&text).context("could not read what `helm history` says"),
        None => Ok(Value::Null),
    }
}

/// The revision that runs.
fn deployed(history: &Value) -> Option<u64> {
    let runs = history.as_array()?.iter().rev().find(|release| release["status"] == "deployed")?;
    runs["revision"].as_u64()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::{Value, json};

    use super::{Options, deployed, upgrade};

    fn options() -> Options {
        Options {
            digests: PathBuf::from("digests.json"),
            address: "https://todo.example.com".to_owned(),
            values: vec![PathBuf::from("charts/todo/values-oke-12g.yaml"), PathBuf::from("mine.yaml")],
            namespace: "todo".to_owned(),
        }
    }

    fn digests(digit: &str) -> Value {
        let one = |name: &str| json!({"repository": format!("ghcr.io/ada/todo/{name}"), "digest": format!("sha256:{}", digit.repeat(64))});
        json!({"chart": one("charts/todo"), "app": one("app"), "sidelet": one("sidelet")})
    }

    #[test]
    fn what_was_published_is_deployed_by_its_digest_and_all_or_nothing() {
        let line = upgrade(&options(), &digests("a")).unwrap().join(" ");
        let digest = format!("sha256:{}", "a".repeat(64));
        for part in [
            format!("oci://ghcr.io/ada/todo/charts/todo@{digest}"),
            "--atomic --wait".to_owned(),
            "--values charts/todo/values-oke-12g.yaml --values mine.yaml".to_owned(),
            format!("--set-string image.repository=ghcr.io/ada/todo/app --set-string image.digest={digest}"),
            format!("--set-string sidelet.image.digest={digest}"),
        ] {
            assert!(line.contains(&part), "{part} in {line}");
        }
    }

    #[test]
    fn a_tag_in_place_of_a_digest_is_refused() {
        let mut digests = digests("a");
        digests["app"]["digest"] = json!("latest");
        let error = upgrade(&options(), &digests).unwrap_err().to_string();
        assert!(error.contains("app.digest is `latest`"), "{error}");
    }

    #[test]
    fn the_way_back_leads_to_what_runs() {
        let history = json!([
            {"revision": 3, "status": "superseded"},
            {"revision": 4, "status": "deployed"},
            {"revision": 5, "status": "failed"},
        ]);
        assert_eq!(deployed(&history), Some(4));
        assert_eq!(deployed(&Value::Null), None);
        assert_eq!(deployed(&json!([{"revision": 1, "status": "failed"}])), None);
    }
}
