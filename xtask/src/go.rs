//! Programs in Go, each of one version, from the module proxy.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::build::target;
use crate::command::{output, run_with};

/// A program that Go's own tool installs.
pub(crate) struct Program {
    /// The package, such as `github.com/rhysd/actionlint/cmd/actionlint`; the program is called as its last part.
    package: &'static str,
    /// The version of its module.
    version: &'static str,
}

/// Renders the chart.
pub(crate) const HELM: Program = Program { package: "helm.sh/helm/v3/cmd/helm", version: "v3.22.0" };
/// Holds objects of Kubernetes against the schemas of their kinds.
pub(crate) const KUBECONFORM: Program =
    Program { package: "github.com/yannh/kubeconform/cmd/kubeconform", version: "v0.8.0" };
/// Reads workflows for what GitHub would refuse, and the shell in them.
pub(crate) const ACTIONLINT: Program =
    Program { package: "github.com/rhysd/actionlint/cmd/actionlint", version: "v1.7.12" };
/// Reads OpenTofu's files, and says whether they are laid out as they should be.
pub(crate) const HCLFMT: Program = Program { package: "github.com/hashicorp/hcl/v2/cmd/hclfmt", version: "v2.24.0" };

/// The oldest Go that fetches a newer one by itself where a program asks for it.
const MINOR_VERSION: u32 = 21;

impl Program {
    /// Where it is, installed if it is missing.
    pub(crate) fn path(&self) -> Result<PathBuf> {
        let folder = target().join("go").join(self.version);
        let name = self.package.rsplit('/').next().context("a package has a name")?;
        let program = folder.join(name);
        if program.exists() {
            return Ok(program);
        }
        let minor = output("go", &["env", "GOVERSION"]).and_then(|version| {
            version.trim().strip_prefix("go1.")?.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
        });
        if minor.is_none_or(|minor: u32| minor < MINOR_VERSION) {
            bail!("Go 1.{MINOR_VERSION} or later is missing: install it, such as from https://go.dev/dl");
        }
        eprintln!("{name} is missing: installing it");
        let module = format!("{}@{}", self.package, self.version);
        let variables = [("GOBIN", folder.into()), ("CGO_ENABLED", "0".into())];
        run_with("go", &["install", &module], &variables)?;
        Ok(program)
    }
}
