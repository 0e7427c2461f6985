//! What the chart promises, shown on a real cluster: `cargo xtask cluster-test`.
//!
//! The cluster is the one that `KUBECONFIG` names; `kubectl` and `helm` are on the path. It has SpinKube's operator and
//! KEDA, and this program runs where the addresses of its Services and of its pods lead somewhere: on a node, or beside
//! `minikube tunnel`. A real PostgreSQL and a real Kafka are started on this machine, at an address that pods reach.
//!
//! - [`images`] makes what pods run: sidelet's own image, a stand-in for Spin with the components, and the application as
//!   nodes with a shim take it.
//! - [`release`] installs and changes the chart, in a namespace that is removed at the end.
//! - [`claims`] are what is shown, in this order, each with a deadline and its figure.

mod claims;
mod cluster;
mod images;
mod layer;
mod people;
mod release;
mod sidecar;

use std::{collections::BTreeSet, net::Ipv4Addr, path::PathBuf, process::ExitCode, time::Instant};

use anyhow::{Context, Result, bail};
use backends::{Kafka, KafkaOptions, Postgres};
use clap::Parser;

use claims::When;
use cluster::Cluster;
use images::Images;
use release::Release;

/// Shows on a real cluster what the chart promises.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask cluster-test")]
struct Arguments {
    /// An address of this machine that pods reach: PostgreSQL and Kafka listen there.
    #[arg(long)]
    address: Ipv4Addr,
    /// A command that brings an image to the nodes; it is called with the image's name and the file of an OCI archive.
    #[arg(long, value_name = "COMMAND")]
    image_load: PathBuf,
    /// Shows the executor `shim` too: the nodes have the runtime class `wasmtime-spin-v2`, with SpinKube's shim or with the
    /// stand-in of this project.
    #[arg(long)]
    shim: bool,
    /// Another program for sidelet's image than that of `cargo xtask image`; what it is linked to goes with it.
    #[arg(long)]
    sidelet: Option<PathBuf>,
    /// What the names of the images begin with.
    #[arg(long, default_value = "todo.local")]
    image_prefix: String,
    /// The namespace, which must not be there yet and is removed at the end.
    #[arg(long, default_value = "todo-cluster-test")]
    namespace: String,
    /// Leaves the release where it is, to be looked at.
    #[arg(long)]
    keep: bool,
    /// Only claims whose names hold this text, after the installation; may be repeated.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
}

/// What every claim works on.
struct Setting {
    cluster: Cluster,
    images: Images,
    release: Release,
    postgres: Postgres,
    /// The objects that were there before the release.
    before: BTreeSet<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("not ok: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let cluster = Cluster::new(&arguments.namespace);
    cluster.check().await?;
    let images = Images::make(&arguments.image_prefix, arguments.sidelet, arguments.shim).await?;
    images.load(&arguments.image_load).await?;
    let postgres = Postgres::start_at(arguments.address).await?;
    let database = postgres.create_database().await?.rsplit('/').next().context("a database has a name")?.to_owned();
    let kafka = Kafka::start_with(KafkaOptions { address: arguments.address, ..KafkaOptions::default() }).await?;
    let release = Release::new(&cluster, &images, &kafka.brokers());
    cluster.begin(&postgres.url_with_password(&database)).await?;
    let before = cluster.objects().await?;
    let setting = Setting { cluster, images, release, postgres, before };
    let shown = show(&setting, &arguments.only).await;
    if shown.is_err() {
        eprintln!("{}", setting.cluster.picture().await);
    }
    if arguments.keep {
        println!("kept: namespace {}; PostgreSQL and Kafka end now", arguments.namespace);
    } else {
        setting.cluster.end().await?;
    }
    shown
}

/// Shows one claim after the other, and ends with the first that does not hold.
async fn show(setting: &Setting, only: &[String]) -> Result<()> {
    let begin = Instant::now();
    let mut count = 0;
    for claim in claims::ALL {
        let asked = only.is_empty() || only.iter().any(|text| claim.name.contains(text));
        match claim.when {
            When::Shim if asked && setting.images.application.is_none() => {
                println!("left out - {}: it needs --shim", claim.name);
                continue;
            }
            When::Always => {}
            When::Asked | When::Shim if asked => {}
            When::Asked | When::Shim => continue,
        }
        count += 1;
        let start = Instant::now();
        let figure = (claim.show)(setting).await.with_context(|| claim.name.to_owned())?;
        println!("ok {count} - {}: {figure} ({:.0?})", claim.name, start.elapsed());
    }
    if count == 0 {
        bail!("no claim was shown");
    }
    println!("{count} claims hold ({:.0?})", begin.elapsed());
    Ok(())
}
