//! The workflows of `.github`: their form, the shell in them, and what others could make of them.

use anyhow::Result;

use crate::command::run;
use crate::{go, python};

/// Asks actionlint what is wrong with them, and zizmor what is dangerous.
pub(crate) fn check() -> Result<()> {
    let folder = ".github/workflows";
    run(&go::ACTIONLINT.path()?.to_string_lossy(), &["-no-color"])?;
    let zizmor = python::WORKFLOWS.program("zizmor")?;
    // What is low is about style, and asks for a syntax that actionlint does not know yet.
    run(&zizmor.to_string_lossy(), &["--offline", "--quiet", "--min-severity", "medium", folder])
}
