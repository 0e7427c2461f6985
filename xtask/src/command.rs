//! Running other programs.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

/// Runs cargo with these arguments; its output is the user's.
pub(crate) fn cargo(arguments: &[&str]) -> Result<()> {
    cargo_with(arguments, &[])
}

/// Runs cargo with these variables beside its own.
pub(crate) fn cargo_with(arguments: &[&str], variables: &[(&str, OsString)]) -> Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    run_with(&cargo, arguments, variables)
}

/// Runs a program; its output is the user's.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<()> {
    run_with(program, arguments, &[])
}

/// Runs a program with these variables beside its own.
pub(crate) fn run_with(program: &str, arguments: &[&str], variables: &[(&str, OsString)]) -> Result<()> {
    let mut command = Command::new(program);
    command.args(arguments).envs(variables.iter().map(|(name, value)| (name, value)));
    let status = command.status().with_context(|| format!("could not run `{program}`"))?;
    if !status.success() {
        bail!("`{} {}` failed", program.rsplit('/').next().unwrap_or(program), arguments.join(" "));
    }
    Ok(())
}

/// What a program prints; `None` when it is not there or fails.
pub(crate) fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// Puts a program in place of this one, so that signals reach it.
pub(crate) fn become_process(
    program: impl AsRef<Path>,
    arguments: impl IntoIterator<Item = String>,
) -> Result<ExitCode> {
    let program = program.as_ref();
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("could not run `{}`", program.display()))
}
