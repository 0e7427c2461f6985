//! Looks at a cluster before the chart is installed: what it has, what the chart's values ask of it, and what to do where
//! the two do not meet. It only reads.

mod checks;
mod cluster;
mod quantity;
mod values;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use cluster::Cluster;
use values::Values;

/// What the look is about.
#[derive(Args)]
pub(crate) struct Options {
    /// Values as for `helm --values`, over the chart's own; the later ones count more.
    #[arg(long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// Where the application is to be installed.
    #[arg(long, default_value = "todo")]
    namespace: String,
}

/// What a check found.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    /// All is well, and how.
    Good(String),
    /// It works, but not as one might think.
    Note(String),
    /// It does not work: why, and what to do.
    Bad { cause: String, remedy: String },
}

/// Prints what was found. `false`: the chart would not run here.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let values = Values::read(&options.values)?;
    let cluster = Cluster::read(&options.namespace, &values)?;
    let findings = checks::all(&cluster, &values);
    print!("{}", report(&findings));
    Ok(!findings.iter().any(|(_, finding)| matches!(finding, Finding::Bad { .. })))
}

/// A line for each check, and one more for each remedy.
fn report(findings: &[(&str, Finding)]) -> String {
    let mut text = String::new();
    for (subject, finding) in findings {
        text += &match finding {
            Finding::Good(what) => format!("ok    {subject}: {what}\n"),
            Finding::Note(what) => format!("note  {subject}: {what}\n"),
            Finding::Bad { cause, remedy } => format!("FAIL  {subject}: {cause}\n      {remedy}\n"),
        };
    }
    text
}

#[cfg(test)]
mod tests;
