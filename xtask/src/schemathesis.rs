//! Asks a running application everything that its own OpenAPI document allows, and much that it does not.
//!
//! No answer may be a 5xx, have a status, header or body that the document lacks, or take what it refuses.
//! `tests/schemathesis` says what is generated; the run is the same each time but for ids and times.

use std::fs::File;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::application::Application;
use crate::build::{root, target};
use crate::{python, smoke};

/// Lines of its report that are shown when all is well.
const CLOSING_LINES: usize = 12;

/// Runs it against an application with empty data, after the smoke test. The command `todo` and the components are built
/// already.
pub(crate) fn run() -> Result<()> {
    let schemathesis = python::CHECKS.program("schemathesis")?;
    let folder = target().join("schemathesis");
    let data = folder.join("data");
    if data.exists() {
        std::fs::remove_dir_all(&data).context("could not clear the data of the last run")?;
    }
    std::fs::create_dir_all(&folder).context("could not make a folder for the report")?;
    let report = folder.join("report.txt");
    let (_application, address) = Application::start(&data)?;
    smoke::run(&address, smoke::WITHIN)?;

    println!("schemathesis asks {address}; its report is {}", report.display());
    let output = File::create(&report).context("could not make the report")?;
    let status = Command::new(schemathesis)
        .args(["--config-file", "schemathesis.toml", "run", "--no-color"])
        .arg(format!("{address}/api/openapi.json"))
        .current_dir(root().join("tests/schemathesis"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("TODO_ADDRESS", &address)
        .stdout(output.try_clone().context("could not share the report")?)
        .stderr(output)
        .status()
        .context("could not run schemathesis")?;
    let text = std::fs::read_to_string(&report).context("could not read the report")?;
    if !status.success() {
        eprint!("{text}");
        bail!("schemathesis found what the document does not say: see above");
    }
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    println!("{}", lines[lines.len().saturating_sub(CLOSING_LINES)..].join("\n"));
    Ok(())
}
