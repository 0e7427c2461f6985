//! Prints what sidelet and daprd answer, side by side.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use backends::{Kafka, Postgres};
use clap::Parser;
use conformance::report::{Column, lines, page, problems};
use conformance::{Program, Stores, cases, check};

/// What sidelet answers, it answers within this time on a slow machine: a dead letter comes after ten tries, which take half a minute.
const OWN_DEADLINE: Duration = Duration::from_secs(90);
/// What daprd has not answered by then, it does not answer: most of its differences are events that never come.
const DEADLINE: Duration = Duration::from_secs(12);

/// Runs the conformance suite against sidelet, and against daprd where it is given.
#[derive(Parser)]
struct Arguments {
    /// The built sidelet.
    #[arg(long)]
    sidelet: PathBuf,
    /// The daprd to compare with.
    #[arg(long)]
    daprd: Option<PathBuf>,
    /// Dapr's scheduler, for jobs; beside daprd unless told otherwise.
    #[arg(long, requires = "daprd")]
    scheduler: Option<PathBuf>,
    /// Only cases whose id begins so; nothing is written then.
    #[arg(long, default_value = "")]
    only: String,
    /// What is behind the components; the page is written with the usual ones only.
    #[arg(long, value_enum, default_values_t = RUNS)]
    stores: Vec<Stores>,
    /// The list of differences.
    #[arg(long)]
    differences: PathBuf,
    /// Where the page is written when daprd is given.
    #[arg(long)]
    page: PathBuf,
}

/// What is behind the components in a run.
const RUNS: [Stores; 2] = [Stores::Sqlite, Stores::Cluster];

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let cases: Vec<_> = cases::all().into_iter().filter(|case| case.id.starts_with(&arguments.only)).collect();
    let sidelet =
        Program { path: arguments.sidelet.clone(), scheduler: None, log_in_sqlite: true, deadline: OWN_DEADLINE };
    let daprd = arguments.daprd.clone().map(|path| Program {
        scheduler: Some(arguments.scheduler.clone().unwrap_or_else(|| path.with_file_name("scheduler"))),
        path,
        log_in_sqlite: false,
        deadline: DEADLINE,
    });
    let mut columns = Vec::new();
    for (name, program, own) in [("sidelet", Some(&sidelet), true), ("daprd", daprd.as_ref(), false)] {
        let Some(program) = program else { continue };
        for stores in arguments.stores.iter().copied() {
            let stores_name = stores.name(program.log_in_sqlite);
            eprintln!("asking {name} on {stores_name}");
            let outcomes = check(program, stores, &cases).await.with_context(|| format!("{name} on {stores_name}"))?;
            columns.push(Column { name: format!("{name}: {stores_name}"), own, outcomes });
        }
    }
    print!("{}", lines(&columns));
    let differences = std::fs::read_to_string(&arguments.differences).context("could not read the differences")?;
    let problems = problems(&columns, &differences);
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    if let (Some(daprd), "", true) = (&daprd, arguments.only.as_str(), arguments.stores == RUNS) {
        let version = std::process::Command::new(&daprd.path).arg("--version").output().context("daprd's version")?;
        let version = String::from_utf8_lossy(&version.stdout);
        let versions = format!(
            "sidelet {}, daprd {}, PostgreSQL {}, Kafka {}.",
            env!("CARGO_PKG_VERSION"),
            version.trim(),
            Postgres::shared().await?.version().await?,
            Kafka::version()?
        );
        std::fs::write(&arguments.page, page(&columns, &versions)).context("could not write the page")?;
    }
    eprintln!("{} cases, {} problems", cases.len(), problems.len());
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
