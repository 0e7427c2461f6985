//! The size of each component, and the time that an instance of it takes.

use anyhow::{Context, Result};
use testkit::workspace_root;

use crate::latency::median;

/// Instances of one run.
const INSTANCES: usize = 2_000;

pub(crate) async fn measure(runs: usize) -> Result<()> {
    let mut config = devhost::Config::new(workspace_root().join("spin.toml"), tempfile::tempdir()?.path());
    config.variables = [("signing_key".to_owned(), "k".repeat(32))].into();
    let mut figures: Vec<(String, Vec<f64>)> = Vec::new();
    for _ in 0..runs {
        for times in devhost::measure_instances(config.clone(), INSTANCES).await? {
            let microseconds = times.median.as_secs_f64() * 1e6;
            match figures.iter_mut().find(|(name, _)| *name == times.component) {
                Some((_, seen)) => seen.push(microseconds),
                None => figures.push((times.component, vec![microseconds])),
            }
        }
    }
    println!("| component | bytes | instance, median µs |\n|---|---|---|");
    for (name, mut seen) in figures {
        let file = workspace_root().join(format!("target/wasm32-wasip2/wasm/{name}.wasm"));
        let bytes = std::fs::metadata(&file).with_context(|| format!("could not read `{}`", file.display()))?.len();
        println!("| {name} | {bytes} | {:.0} |", median(&mut seen));
    }
    Ok(())
}
