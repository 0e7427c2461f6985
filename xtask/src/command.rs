//! Running other programs.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

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

/// How long a program that was asked to end may still take.
const GRACE: Duration = Duration::from_secs(10);

/// Runs a program that has so long; its output is the user's. In the last ten seconds it is asked to end, and then it is
/// ended.
pub(crate) fn run_within(limit: Duration, program: &str, arguments: &[&str]) -> Result<()> {
    let mut child =
        Command::new(program).args(arguments).spawn().with_context(|| format!("could not run `{program}`"))?;
    let start = Instant::now();
    let mut asked = false;
    let status = loop {
        if let Some(status) = child.try_wait().with_context(|| format!("could not wait for `{program}`"))? {
            break status;
        }
        if start.elapsed() >= limit {
            child.kill().with_context(|| format!("could not end `{program}`"))?;
        } else if !asked && start.elapsed() >= limit.saturating_sub(GRACE) {
            asked = output("kill", &["-TERM", &child.id().to_string()]).is_some();
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    match (status.success(), asked) {
        (true, _) => Ok(()),
        (false, true) => {
            bail!("`{program} {}` was ended after {} seconds", arguments.join(" "), start.elapsed().as_secs())
        }
        (false, false) => bail!("`{program} {}` failed", arguments.join(" ")),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_takes_longer_is_asked_to_end() {
        // It has less than the time in which it would only be asked.
        let error = run_within(Duration::from_secs(5), "sleep", &["60"]).unwrap_err().to_string();
        assert!(error.contains("`sleep 60` was ended"), "{error}");
    }

    #[test]
    fn what_ends_by_itself_is_not_ended() {
        run_within(Duration::from_secs(60), "true", &[]).unwrap();
        let error = run_within(Duration::from_secs(60), "false", &[]).unwrap_err().to_string();
        assert!(error.contains("failed"), "{error}");
    }
}
