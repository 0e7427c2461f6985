//! Environments for programs in Python: what reads our output and our workflows, and what links for other machines.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::build::{root, target};
use crate::command::{output, run};

/// One environment. Nothing in it is newer than what its file says.
pub(crate) struct Environment {
    /// Its folder below the target folder.
    folder: &'static str,
    /// What is installed, to the byte.
    requirements: &'static str,
}

/// Checks that read our output with other people's programs.
pub(crate) const CHECKS: Environment = Environment { folder: "python", requirements: "tests/python/requirements.txt" };
/// The compiler and linker of static programs for other architectures.
pub(crate) const LINKER: Environment = Environment { folder: "zig", requirements: "xtask/image/requirements.txt" };
/// What reads workflows.
pub(crate) const WORKFLOWS: Environment =
    Environment { folder: "workflows", requirements: "xtask/workflows/requirements.txt" };

/// The oldest Python that the locked packages are for.
const MINOR_VERSION: u32 = 11;

impl Environment {
    /// A program of the environment, which is made when it is missing and made anew when its requirements have changed.
    pub(crate) fn program(&self, name: &str) -> Result<PathBuf> {
        let folder = target().join(self.folder);
        let requirements = root().join(self.requirements);
        let wanted = std::fs::read_to_string(&requirements).context("could not read the requirements")?;
        let installed = folder.join("installed.txt");
        if !std::fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
            make(&folder, self.requirements)?;
            std::fs::write(&installed, wanted).context("could not note what is installed")?;
        }
        Ok(folder.join("bin").join(name))
    }
}

fn make(folder: &Path, requirements: &str) -> Result<()> {
    let question = "import sys, ensurepip; print(sys.version_info.minor)";
    let minor: Option<u32> = output("python3", &["-c", question]).and_then(|text| text.trim().parse().ok());
    if minor.is_none_or(|minor| minor < MINOR_VERSION) {
        bail!(
            "Python 3.{MINOR_VERSION} or later with its venv module is missing: install it, such as with `apt-get install python3 python3-venv`"
        );
    }
    eprintln!("making the Python environment in {}", folder.display());
    let folder = folder.to_str().context("the target folder's path is text")?;
    run("python3", &["-m", "venv", "--clear", folder])?;
    let pip = format!("{folder}/bin/pip");
    run(&pip, &["install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement", requirements])
}
