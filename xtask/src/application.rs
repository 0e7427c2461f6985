//! A running application on free ports, for checks from outside.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::build::todo_binary;

/// The application; it ends with this value.
pub(crate) struct Application {
    process: Child,
    /// Held open: a program that nobody listens to any more stops at its next word.
    output: BufReader<ChildStdout>,
}

impl Application {
    /// Starts it with its data in this folder, and says where it is reached. The command `todo` and the components are
    /// built already.
    pub(crate) fn start(data: &Path) -> Result<(Self, String)> {
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
        let mut application = Self { process: child, output };
        let mut line = String::new();
        while application.output.read_line(&mut line).context("could not read what `todo up` says")? > 0 {
            if let Some(address) = line.trim().strip_prefix("API ") {
                return Ok((application, address.trim().to_owned()));
            }
            line.clear();
        }
        bail!("`todo up` did not start: see above")
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _status = self.process.wait();
    }
}
