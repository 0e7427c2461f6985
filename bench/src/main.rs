//! Measures the built application from outside: rates and latencies over HTTP, events, memory, sizes, instances.
//!
//! Machines are noisy: every figure is the median of several runs, and runs of different figures take turns.

mod events;
mod instances;
mod latency;
mod lists;
mod load;
mod memory;
mod routes;
mod sidecar;

use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measures the built application and prints medians of several runs.
#[derive(Parser)]
struct Options {
    /// How often each figure is measured.
    #[arg(long, global = true, default_value_t = 3)]
    runs: usize,
    /// How long one measurement of a rate takes, in seconds.
    #[arg(long, global = true, default_value_t = 2)]
    seconds: u64,
    /// Only the groups whose names are given: routes, lists, events, memory, instances.
    #[arg(long)]
    only: Vec<String>,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// Measures the sidecar by itself, and daprd in turn with it where its binary is given.
    Sidecar(sidecar::Options),
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let wanted = |group: &str| options.only.is_empty() || options.only.iter().any(|only| only == group);
    let window = Duration::from_secs(options.seconds);
    if let Some(Part::Sidecar(sidecar)) = &options.part {
        return sidecar::measure(sidecar, options.runs, window).await;
    }
    if wanted("instances") {
        instances::measure(options.runs).await?;
    }
    if wanted("memory") {
        memory::measure(window).await?;
    }
    if wanted("lists") {
        lists::measure(options.runs).await?;
    }
    if wanted("routes") {
        routes::measure(options.runs, window).await?;
    }
    if wanted("events") {
        events::measure(options.runs, window).await?;
    }
    Ok(())
}
