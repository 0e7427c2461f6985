//! Measures how long it takes to make an instance of each component and to drop it again.
//!
//! `cargo run --release -p devhost --example instance_time -- spin.toml`

/// Runs, of which the first also fills caches.
const RUNS: usize = 5;
/// Instances in one run.
const INSTANCES: usize = 2_000;

#[tokio::main]
async fn main() -> Result<(), devhost::StartError> {
    let manifest = std::env::args().nth(1).unwrap_or_else(|| "spin.toml".into());
    let config = devhost::Config::new(manifest, std::env::temp_dir().join("devhost-example"));
    for run in 1..=RUNS {
        for times in devhost::measure_instances(config.clone(), INSTANCES).await? {
            println!(
                "run {run}: {}: made in {:?} (99th percentile {:?}), dropped in {:?}",
                times.component, times.median, times.tail, times.median_drop
            );
        }
    }
    Ok(())
}
