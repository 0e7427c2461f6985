//! Runs the cases of a setup against a sidecar.

mod steps;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use backends::{Daprd, DaprdOptions, Kafka, within};
use futures::{StreamExt, stream};
use reqwest::Client;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::Stores;
use crate::app::App;
use crate::case::Case;
use crate::setup::{API_TOKEN, Setup};
use steps::Steps;

/// Cases that run at once: they mostly wait.
const AT_ONCE: usize = 16;
/// The topic that tells that deliveries have begun.
const READY: &str = "the-suite-is-ready";

/// A sidecar to be asked.
#[derive(Debug, Clone)]
pub struct Program {
    /// daprd, or a program with its command line.
    pub path: PathBuf,
    /// Dapr's scheduler, where the program needs it for jobs.
    pub scheduler: Option<PathBuf>,
    /// Whether it has a log in a SQLite file (`pubsub.sqlite`).
    pub log_in_sqlite: bool,
    /// How long an answer or an event may take to come.
    pub deadline: Duration,
}

/// What became of a case.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The case.
    pub id: &'static str,
    /// What it shows.
    pub claim: &'static str,
    /// What was answered, shortly.
    pub seen: String,
    /// What is not as expected, if anything.
    pub wrong: Option<String>,
}

/// What is behind a run.
#[derive(Clone, Copy)]
struct Backing<'run> {
    stores: Stores,
    broker: Option<&'run Kafka>,
}

/// Runs the cases against a program on some stores, in the table's order.
///
/// # Errors
/// When the program does not start.
pub async fn check(program: &Program, stores: Stores, cases: &[Case]) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    let broker = stores.broker().await?;
    let backing = Backing { stores, broker: broker.as_ref() };
    for setup in Setup::ALL {
        let cases: Vec<Case> = cases.iter().filter(|case| case.setup == setup).cloned().collect();
        if setup.is_for_one() {
            let each =
                cases.into_iter().map(|case| async move { check_setup(program, backing, setup, vec![case]).await });
            let each: Vec<_> = stream::iter(each).buffer_unordered(2).collect().await;
            for outcome in each {
                outcomes.extend(outcome?);
            }
        } else if !cases.is_empty() {
            outcomes.extend(check_setup(program, backing, setup, cases).await?);
        }
    }
    let place = |id: &str| cases.iter().position(|case| case.id == id);
    outcomes.sort_by_key(|outcome| place(outcome.id));
    Ok(outcomes)
}

async fn check_setup(program: &Program, backing: Backing<'_>, setup: Setup, cases: Vec<Case>) -> Result<Vec<Outcome>> {
    let folder = tempfile::tempdir().context("a folder for resources")?;
    let ready = Case::new(READY, "").subscribes(serde_json::json!({}));
    let all = cases.iter().chain([&ready]);
    let subscriptions: Vec<Value> = all.flat_map(|case| case.programmatic.clone()).collect();
    let answers = cases.iter().flat_map(|case| case.answers.clone()).collect();
    let app = App::start(subscriptions.into(), answers).await?;
    let components = backing.stores.components(program.log_in_sqlite, backing.broker).await?;
    setup.write(folder.path(), &cases, components, app.port)?;
    let absent = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut options = DaprdOptions {
        program: program.path.clone(),
        scheduler: program.scheduler.clone(),
        app_id: "conformance".into(),
        app_port: Some(if setup.has_app() { app.port } else { absent }),
        resources: vec![folder.path().to_owned()],
        ..DaprdOptions::default()
    };
    setup.options(&mut options);
    let daprd = Daprd::start(options).await?;
    let address = daprd.address();
    let client = Client::builder().no_proxy().timeout(program.deadline).build()?;
    if setup.has_app() {
        wait_for_deliveries(&client, &address, &app).await.with_context(|| daprd.log_text())?;
    }
    let daprd = Mutex::new(daprd);
    let context = Steps { client: &client, address: &address, app: &app, daprd: &daprd, deadline: program.deadline };
    Ok(stream::iter(&cases).map(|case| context.run(case)).buffer_unordered(AT_ONCE).collect().await)
}

/// Publishes until something is delivered: what comes before a subscription may be lost.
async fn wait_for_deliveries(client: &Client, address: &str, app: &App) -> Result<()> {
    within(Duration::from_secs(60), "deliveries begin", async || {
        let request = client.post(format!("{address}/v1.0/publish/pubsub/{READY}")).header("dapr-api-token", API_TOKEN);
        let _refused = request.body("ready").send().await;
        (!app.called(&format!("/{READY}")).is_empty()).then_some(())
    })
    .await
}
