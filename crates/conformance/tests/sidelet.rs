//! sidelet answers as the suite says, whatever is behind its components.

use std::path::PathBuf;
use std::time::Duration;

use conformance::{Program, Stores, cases, check};

#[tokio::test(flavor = "multi_thread")]
async fn sidelet_conforms_in_memory() {
    conforms(Stores::Memory).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sidelet_conforms_on_sqlite() {
    conforms(Stores::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sidelet_conforms_on_postgresql() {
    conforms(Stores::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sidelet_conforms_on_sqlite_and_kafka() {
    conforms(Stores::Kafka).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sidelet_conforms_on_postgresql_and_kafka() {
    conforms(Stores::Cluster).await;
}

async fn conforms(stores: Stores) {
    let program = Program { path: sidelet(), scheduler: None, log_in_sqlite: true, deadline: Duration::from_secs(90) };
    let outcomes = check(&program, stores, &cases::all()).await.expect("sidelet starts");
    let wrong: Vec<String> =
        outcomes.iter().filter_map(|outcome| Some(format!("{}: {}", outcome.id, outcome.wrong.as_ref()?))).collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), outcomes.len(), wrong.join("\n"));
}

/// The built sidecar, beside the program that is running; its own tests build it.
fn sidelet() -> PathBuf {
    let program = std::env::current_exe().expect("this program has a path");
    let mut folders = program.ancestors().skip(1).take(2);
    let found = folders.find_map(|folder| Some(folder.join("sidelet")).filter(|path| path.is_file()));
    found.expect("sidelet is not built: run `cargo build --release --package sidelet`")
}
