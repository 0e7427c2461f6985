//! Brings a cluster to what was published, and back where that does not work, within a time.

mod history;

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value;

use crate::command::run_within;
use crate::smoke;
use history::{Mend, deployed, mend};

/// The release's name.
const RELEASE: &str = "todo";
/// What is kept for going back: most of the pods that it leads to still run.
const BACK: Duration = Duration::from_secs(120);
/// What is kept for trying what was deployed: a handler has to wake.
const TRIAL: Duration = Duration::from_secs(90);
/// The least for hooks and pods of a new release.
const FORWARDS: Duration = Duration::from_secs(60);
/// What Helm has to say in the end why it did not get there.
const LAST_WORDS: Duration = Duration::from_secs(20);

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
    /// How long all of it may take, going back included.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    within: u64,
}

/// Upgrades, tries it from outside, and goes back to what ran before where either fails.
pub(crate) fn run_all(options: &Options) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(options.within);
    let text = std::fs::read_to_string(&options.digests)
        .with_context(|| format!("could not read `{}`", options.digests.display()))?;
    let digests = serde_json::from_str(&text).with_context(|| format!("`{}`", options.digests.display()))?;
    let arguments = upgrade(options, &digests)?;
    let helm = Helm { namespace: &options.namespace };

    match mend(&helm.history()?) {
        Mend::Nothing => {}
        Mend::GoBack(revision) => {
            eprintln!("an earlier deployment was cut off");
            helm.go_back(revision)?;
        }
        Mend::Remove => {
            eprintln!("the first deployment was cut off, and is removed");
            helm.run(BACK, &["uninstall", RELEASE, "--wait"])?;
        }
    }
    let before = deployed(&helm.history()?);
    let forwards = forwards(end.saturating_duration_since(Instant::now()))?;
    let upgraded = helm.run(forwards, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let Err(error) = upgraded.and_then(|()| smoke::run(&options.address, TRIAL)) else {
        return Ok(());
    };
    eprintln!("error: {error:#}");
    let Some(revision) = before else {
        bail!("the first release does not work, and there is none to go back to: see above");
    };
    helm.go_back(revision)?;
    bail!("the new release does not work, and the one before it runs again: see above")
}

/// What of the time that is left the upgrade may take.
fn forwards(left: Duration) -> Result<Duration> {
    let forwards = left.saturating_sub(TRIAL + BACK);
    ensure!(
        forwards >= FORWARDS,
        "{} seconds are left, and a deployment that may have to go back needs {}: nothing was changed",
        left.as_secs(),
        (FORWARDS + TRIAL + BACK).as_secs()
    );
    Ok(forwards)
}

/// Helm, and the namespace.
struct Helm<'a> {
    namespace: &'a str,
}

impl Helm<'_> {
    /// Runs it for so long at most. Its own limit is one for each hook and for the pods, and so for no more than each.
    fn run(&self, limit: Duration, arguments: &[&str]) -> Result<()> {
        let timeout = format!("{}s", limit.saturating_sub(LAST_WORDS).as_secs());
        let common = ["--namespace", self.namespace, "--timeout", &timeout];
        run_within(limit, "helm", &[arguments, &common].concat())
    }

    /// Makes a revision run again.
    fn go_back(&self, revision: u64) -> Result<()> {
        eprintln!("going back to revision {revision}");
        self.run(BACK, &["rollback", RELEASE, &revision.to_string(), "--wait"])
    }

    /// The revisions that it knows; none before the first.
    fn history(&self) -> Result<Value> {
        let arguments = ["history", RELEASE, "--namespace", self.namespace, "--max", "20", "--output", "json"];
        let output = Command::new("helm").args(arguments).output().context("could not run `helm`")?;
        let told = String::from_utf8_lossy(&output.stderr);
        match output.status.success() {
            true => serde_json::from_slice(&output.stdout).context("could not read what `helm history` says"),
            false if told.contains("release: not found") => Ok(Value::Null),
            false => bail!("`helm history` failed: {}", told.trim()),
        }
    }
}

/// What Helm is told: the very bytes that were published.
fn upgrade(options: &Options, digests: &Value) -> Result<Vec<String>> {
    let (chart, app, sidelet) =
        (Published::of(digests, "chart")?, Published::of(digests, "app")?, Published::of(digests, "sidelet")?);
    let chart = format!("oci://{}@{}", chart.repository, chart.digest);
    let mut words =
        ["upgrade", "--install", RELEASE, &chart, "--create-namespace", "--wait"].map(str::to_owned).to_vec();
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::{Options, forwards, upgrade};

    fn options() -> Options {
        Options {
            digests: PathBuf::from("digests.json"),
            address: "https://todo.example.com".to_owned(),
            values: vec![PathBuf::from("charts/todo/values-oke-12g.yaml"), PathBuf::from("mine.yaml")],
            namespace: "todo".to_owned(),
            within: 600,
        }
    }

    fn digests(digit: &str) -> Value {
        let one = |name: &str| json!({"repository": format!("ghcr.io/ada/todo/{name}"), "digest": format!("sha256:{}", digit.repeat(64))});
        json!({"chart": one("charts/todo"), "app": one("app"), "sidelet": one("sidelet")})
    }

    #[test]
    fn what_was_published_is_deployed_by_its_digest() {
        let line = upgrade(&options(), &digests("a")).unwrap().join(" ");
        let digest = format!("sha256:{}", "a".repeat(64));
        for part in [
            format!("oci://ghcr.io/ada/todo/charts/todo@{digest}"),
            "--wait".to_owned(),
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
    fn the_upgrade_has_what_trying_it_and_going_back_leave() {
        assert_eq!(forwards(Duration::from_secs(600)).unwrap(), Duration::from_secs(390));
        assert_eq!(forwards(Duration::from_secs(270)).unwrap(), Duration::from_secs(60));
        for left in [269, 100, 0] {
            let error = forwards(Duration::from_secs(left)).unwrap_err().to_string();
            assert!(error.contains(&format!("{left} seconds are left")), "{error}");
        }
    }
}
