//! daprd in sidelet's place, with Kafka behind it and Dapr's scheduler beside it.
//!
//! The variable `DAPRD` names the program, and a program `scheduler` stands beside it. Without the variable the
//! application runs as `todo up` does, with sidelet.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use backends::{Daprd, DaprdOptions, Kafka};
use serde_json::json;

use crate::{TodoOptions, workspace_root};

/// Names the program.
const DAPRD: &str = "DAPRD";
/// Where the files of `dapr/daprd` expect a broker.
const BROKER: &str = "127.0.0.1:9092";
/// As long as an import of a full list.
const MAX_BODY: &str = "--max-body-size=32Mi";
/// The tokens that daprd and the application ask of each other.
const API_TOKEN: &str = "token-of-the-sidecar";
const APP_TOKEN: &str = "token-of-the-application";

/// Whether scenarios run with daprd in sidelet's place.
pub fn with_daprd() -> bool {
    std::env::var_os(DAPRD).is_some()
}

/// Whether scenarios run with daprd in sidelet's place; says why when this one then does not.
pub fn needs_sidelet(why: &str) -> bool {
    let given = with_daprd();
    if given {
        left_out("with daprd", why);
    }
    given
}

/// Says that the test that runs is left out here, also where the output of tests that pass is not shown.
pub(crate) fn left_out(here: &str, why: &str) {
    let thread = std::thread::current();
    let line = format!("left out {here}: {}: {why}\n", thread.name().unwrap_or_default());
    // The macros' output is kept until the test fails.
    let _closed = std::io::stderr().write_all(line.as_bytes());
}

/// A running daprd and what it needs. It ends with this value.
#[derive(Debug)]
pub struct Stock {
    /// The sidecar.
    pub daprd: Daprd,
    /// The broker behind it.
    pub kafka: Kafka,
    pub(crate) app_port: u16,
}

impl Stock {
    /// Starts daprd with `dapr/daprd`, the test component's subscriptions and what `options` adds, if the variable names
    /// it. The tokens go into the data folder, where the application finds them.
    pub(crate) async fn start_if_given(folder: &Path, data: &Path, options: &TodoOptions) -> Result<Option<Self>> {
        let Some(program) = std::env::var_os(DAPRD).map(PathBuf::from) else { return Ok(None) };
        ensure!(program.is_file(), "{DAPRD} names `{}`, which is no file", program.display());
        let kafka = Kafka::start().await?;
        let resources = folder.join("daprd");
        write_resources(&resources, &kafka.brokers(), !options.without_recorder)
            .context("could not write daprd's resources")?;
        std::fs::create_dir_all(data)?;
        let keys = json!({ "signingKey": "k".repeat(32), "daprApiToken": API_TOKEN, "appApiToken": APP_TOKEN });
        std::fs::write(data.join("keys.json"), keys.to_string()).context("could not write the keys")?;
        // Taken by the application a moment later; it keeps it over its restarts.
        let app_port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let daprd = Daprd::start(DaprdOptions {
            scheduler: Some(program.with_file_name("scheduler")),
            program,
            app_id: "todo".to_owned(),
            app_port: Some(app_port),
            resources: [resources].into_iter().chain(options.resources.iter().cloned()).collect(),
            arguments: vec![MAX_BODY.to_owned()],
            environment: [("DAPR_API_TOKEN", API_TOKEN), ("APP_API_TOKEN", APP_TOKEN)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..DaprdOptions::default()
        });
        Ok(Some(Self { daprd: daprd.await?, kafka, app_port }))
    }
}

/// Copies `dapr/daprd` for this broker; the test component reads through a component of its own, as each handler does.
fn write_resources(folder: &Path, brokers: &str, with_recorder: bool) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let read = |path: &Path| -> Result<String> { Ok(std::fs::read_to_string(path)?.replace(BROKER, brokers)) };
    for path in files(&workspace_root().join("dapr/daprd"))? {
        std::fs::write(folder.join(path.file_name().context("a file has a name")?), read(&path)?)?;
    }
    if !with_recorder {
        return Ok(());
    }
    let resiliency = folder.join("resiliency.yaml");
    let targets = "    components:\n";
    let recorder = format!("{targets}      pubsub-recorder:\n        inbound:\n          retry: deliveries\n");
    std::fs::write(&resiliency, read(&resiliency)?.replace(targets, &recorder))?;
    let activity = read(&workspace_root().join("dapr/daprd/activity.yaml"))?;
    let (component, _) = activity.split_once("\n---\n").context("a component, then its subscription")?;
    let component = format!("{}\n", component.replace("activity", "recorder"));
    std::fs::write(folder.join("pubsub-recorder.yaml"), component)?;
    // An event comes again until it is recorded, as over a restart; the one that it does not know, and would refuse for
    // ever, is passed over.
    let all = "    default: /recorder/task-events\n";
    let known =
        "    rules:\n      - match: event.data.eventType != \"accountDeleted\"\n        path: /recorder/task-events\n";
    for path in files(&workspace_root().join("tests/dapr"))? {
        let text = read(&path)?.replace("pubsubname: pubsub\n", "pubsubname: pubsub-recorder\n").replace(all, known);
        std::fs::write(folder.join(path.file_name().context("a file has a name")?), text)?;
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("could not read `{}`", folder.display()))?;
    Ok(entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?)
}
