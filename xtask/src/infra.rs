//! The files of OpenTofu in `infra`.

use anyhow::{Result, bail};

use crate::command::{output, run};
use crate::go;

/// The folder of the cluster on OKE.
const FOLDER: &str = "infra/oke";

/// Reads every file and refuses one that is not laid out as `tofu fmt` would. No provider is needed.
pub(crate) fn check() -> Result<()> {
    let hclfmt = go::HCLFMT.path()?;
    let mut changed = Vec::new();
    for folder in [FOLDER, &format!("{FOLDER}/tests")] {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if !path.extension().is_some_and(|extension| extension == "tf" || extension == "hcl") {
                continue;
            }
            let name = path.to_string_lossy().into_owned();
            let Some(formatted) = output(&hclfmt.to_string_lossy(), &[&name]) else {
                run(&hclfmt.to_string_lossy(), &["-check", &name])?;
                bail!("`{name}` cannot be read");
            };
            if formatted != std::fs::read_to_string(&path)? {
                changed.push(name);
            }
        }
    }
    if !changed.is_empty() {
        bail!("not as `tofu fmt -recursive {FOLDER}` writes it: {}", changed.join(", "));
    }
    Ok(())
}

/// What only OpenTofu and the provider can say: types, names, and the tests beside the files, with the provider mocked.
/// The provider comes from OpenTofu's registry.
pub(crate) fn test() -> Result<()> {
    if output("tofu", &["version"]).is_none() {
        bail!("`tofu` is missing: install OpenTofu 1.10 or later, see https://opentofu.org/docs/intro/install");
    }
    let at = format!("-chdir={FOLDER}");
    run("tofu", &[&at, "fmt", "-check", "-recursive", "-diff"])?;
    run("tofu", &[&at, "init", "-backend=false", "-input=false"])?;
    run("tofu", &[&at, "validate"])?;
    run("tofu", &[&at, "test"])
}
