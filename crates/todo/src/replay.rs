//! Puts dead letters back into the topics that they came from.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::sidecar::{self, segment};

/// Which dead letters.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The dead letter topic, such as `task-events-dlq`.
    topic: String,
    /// The event with this id alone. Unless given: every dead letter that was not put back.
    #[arg(long)]
    id: Option<String>,
    /// The pub/sub component.
    #[arg(long, default_value = "pubsub")]
    pubsub: String,
    /// Prints the sidecar's answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sidecar: sidecar::Options,
}

#[derive(Deserialize)]
struct Report {
    replayed: usize,
    unknown: usize,
}

/// Puts them back, each once.
pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    let sidecar = options.sidecar.open().await?;
    let mut path = format!("/sidelet/v1/dead-letters/{}/{}/replay", segment(&options.pubsub), segment(&options.topic));
    if let Some(id) = &options.id {
        path.push_str(&format!("?id={}", segment(id)));
    }
    let answer = sidecar.post(&path).await;
    let alone = sidecar.is_alone();
    sidecar.close().await;
    let Some(answer) = answer? else {
        bail!("there is no topic `{}`: `todo inspect dead-letters` lists those with dead letters", options.topic);
    };
    if options.json {
        println!("{answer}");
        return Ok(ExitCode::SUCCESS);
    }
    let report: Report = serde_json::from_value(answer).context("the sidecar's answer is not understood")?;
    println!("{} dead letters of `{}` were put back.", report.replayed, options.topic);
    if report.unknown > 0 {
        println!("{} messages do not say which topic they came from, and stay.", report.unknown);
    }
    if alone && report.replayed > 0 {
        println!("The service is down: it delivers them when it starts.");
    }
    Ok(ExitCode::SUCCESS)
}
