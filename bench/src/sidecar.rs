//! sidelet, and daprd where its binary is given: the same files, the same load, in turn.
//!
//! Each turn starts each sidecar anew on an empty folder. Client, app and backends share the machine with it.

mod app;
mod backends;
mod client;
mod measures;
mod process;
mod table;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use backends::Backends;
use process::Peer;
use table::Table;

/// What is compared.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The binary of daprd to compare with.
    #[arg(long)]
    daprd: Option<PathBuf>,
    /// The binary of sidelet; the one that was built unless told otherwise.
    #[arg(long)]
    sidelet: Option<PathBuf>,
    /// Only these backends.
    #[arg(long, value_enum)]
    backends: Vec<Backends>,
}

pub(crate) async fn measure(options: &Options, runs: usize, window: Duration) -> Result<()> {
    let sidelet = match &options.sidelet {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name("sidelet"),
    };
    let mut peers = vec![Peer { name: "sidelet", binary: sidelet }];
    peers.extend(options.daprd.clone().map(|binary| Peer { name: "daprd", binary }));
    for peer in &mut peers {
        peer.binary = peer.binary.canonicalize().with_context(|| format!("there is no `{}`", peer.binary.display()))?;
    }
    let names: Vec<&'static str> = peers.iter().map(|peer| peer.name).collect();
    let wanted = |backends: &Backends| options.backends.is_empty() || options.backends.contains(backends);
    for backends in [Backends::Files, Backends::Servers].into_iter().filter(wanted) {
        let mut table = Table::default();
        for peer in &peers {
            table.note(peer.name, "binary without symbols", "MiB", stripped_size(&peer.binary)?);
        }
        for _ in 0..runs {
            for peer in &peers {
                let measured = measures::measure(peer, backends, window, &mut table).await;
                measured.with_context(|| format!("{} on {}", peer.name, backends.title()))?;
            }
        }
        table.print(backends.title(), &names);
    }
    Ok(())
}

/// What is shipped has no symbols.
fn stripped_size(binary: &Path) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join("stripped");
    let status = std::process::Command::new("strip").arg("-o").arg(&copy).arg(binary).status();
    ensure!(status.context("could not run `strip`, of the package binutils")?.success(), "`strip` failed");
    Ok(std::fs::metadata(&copy)?.len() as f64 / (1024.0 * 1024.0))
}
