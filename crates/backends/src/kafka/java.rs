//! How Kafka's programs are run: small, and started quickly.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use tokio::sync::OnceCell;

use super::{Kafka, KafkaOptions};

/// What to do where it is not installed.
const MISSING: &str = "Kafka is missing: run `cargo xtask backends`, which needs Java 17 and Maven";
/// Kafka needs little for a test; most of a short start is compiling, which the first tier does well enough.
const MACHINE: [&str; 8] = [
    "-Xms128m",
    "-Xmx128m",
    "-Xss512k",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:MaxDirectMemorySize=64m",
    "-XX:ReservedCodeCacheSize=48m",
    "-Xlog:disable",
];

/// Sees that Kafka is there, and keeps its loaded classes in an archive: a start is then some 2 s shorter.
///
/// # Errors
/// When Kafka is not installed or does not run.
pub(super) async fn prepare() -> Result<()> {
    static PREPARED: OnceCell<()> = OnceCell::const_new();
    let prepare = async || {
        if !folder().join("libs").is_dir() {
            bail!(MISSING);
        }
        if archive().is_file() {
            return Ok(());
        }
        // The archive is written when this broker ends, and is there for others when it is whole.
        let unfinished = folder().join(format!("classes-{}.jsa", std::process::id()));
        let mut kafka = Kafka::make(KafkaOptions { secure: true, ..KafkaOptions::default() }).await?;
        kafka.run(java(&format!("-XX:ArchiveClassesAtExit={}", unfinished.display()))).await?;
        kafka.stop().await?;
        std::fs::rename(unfinished, archive()).context("could not keep the archive of Kafka's classes")
    };
    PREPARED.get_or_try_init(prepare).await.copied()
}

/// Makes the data folder that a properties file names, with the user `todo`.
///
/// # Errors
/// When it cannot be made.
pub(super) async fn format(properties: &Path) -> Result<()> {
    let mut command = tokio::process::Command::from(java("-Xshare:auto"));
    command.args(["kafka.tools.StorageTool", "format", "--cluster-id", "AAAAAAAAAAAAAAAAAAAAAA", "--config"]);
    command.arg(properties);
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        command.arg("--add-scram").arg(format!("{mechanism}=[name=todo,password=secret]"));
    }
    let output = command
        .output()
        .await
        .context("Java is missing: install it, such as with `apt-get install openjdk-17-jre-headless`")?;
    if !output.status.success() {
        bail!("could not make Kafka's data folder: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Java, with the archive of classes.
pub(super) fn prepared() -> Command {
    java(&format!("-XX:SharedArchiveFile={}", archive().display()))
}

/// The version that is installed, which the jars' names tell.
///
/// # Errors
/// When it is not installed.
pub(super) fn version() -> Result<String> {
    let jars = std::fs::read_dir(folder().join("libs")).context(MISSING)?.flatten();
    let mut names = jars.filter_map(|jar| jar.file_name().into_string().ok());
    names.find_map(|name| Some(name.strip_prefix("kafka-clients-")?.strip_suffix(".jar")?.to_owned())).context(MISSING)
}

fn java(option: &str) -> Command {
    let mut command = Command::new("java");
    command.args(MACHINE).arg(option);
    let configuration = Path::new(env!("CARGO_MANIFEST_DIR")).join("kafka/log4j2.properties");
    command.arg(format!("-Dlog4j2.configurationFile={}", configuration.display()));
    command.arg("-cp").arg(folder().join("libs/*"));
    command
}

fn archive() -> PathBuf {
    folder().join("classes.jsa")
}

/// Where `cargo xtask backends` puts it.
fn folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate is in the workspace");
    root.join("target/kafka")
}
