//! Asks a running application everything that its own OpenAPI document allows, and much that it does not.
//!
//! No answer may be a 5xx, have a status, header or body that the document lacks, or take what it refuses.
//! `tests/schemathesis` says what is generated; the run is the same each time but for ids and times.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::build::{root, target, todo_binary};
use crate::python;

/// Lines of its report that are shown when all is well.
const CLOSING_LINES: usize = 12;

/// Runs it against an application with empty data. The command `todo` and the components are built already.
pub(crate) fn run() -> Result<()> {
    let schemathesis = python::CHECKS.program("schemathesis")?;
    let folder = target().join("schemathesis");
    let data = folder.join("data");
    if data.exists() {
        std::fs::remove_dir_all(&data).context("could not clear the data of the last run")?;
    }
    std::fs::create_dir_all(&folder).context("could not make a folder for the report")?;
    let report = folder.join("report.txt");
    let (_server, address) = Server::start(&data)?;

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

/// The application on free ports; it ends with this value.
struct Server {
    process: Child,
    /// Held open: a program that nobody listens to any more stops at its next word.
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(data: &Path) -> Result<(Self, String)> {
        let mut child = Command::new(todo_binary())
            .args(["up", "--port", "0", "--dapr-port", "0", "--data"])
            .arg(data)
            // Thousands of writes in a minute are what this is about.
            .env("SPIN_VARIABLE_WRITES_PER_MINUTE", "0")
            .env("SPIN_VARIABLE_SIGN_UPS_PER_HOUR", "0")
            .stdout(Stdio::piped())
            .spawn()
            .context("could not start `todo up`: build it with `cargo xtask build`")?;
        let output = BufReader::new(child.stdout.take().context("the output is piped")?);
        let mut server = Self { process: child, output };
        let mut line = String::new();
        while server.output.read_line(&mut line).context("could not read what `todo up` says")? > 0 {
            if let Some(address) = line.trim().strip_prefix("API ") {
                return Ok((server, address.trim().to_owned()));
            }
            line.clear();
        }
        bail!("`todo up` did not start: see above")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _status = self.process.wait();
    }
}
