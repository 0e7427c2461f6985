//! What has to be on the machine, and how it comes there.

use anyhow::{Context, Result, bail};

use crate::build;
use crate::command::{output, run};

/// What components are compiled for.
pub(crate) const COMPONENT_TARGET: &str = "wasm32-wasip2";

/// Adds a target to the toolchain when it is missing.
pub(crate) fn rust_target(name: &str) -> Result<()> {
    let Some(installed) = output("rustup", &["target", "list", "--installed"]) else {
        // Without rustup the toolchain may bring the target itself.
        let sysroot = output("rustc", &["--print", "sysroot"]).unwrap_or_default();
        if std::path::Path::new(sysroot.trim()).join("lib/rustlib").join(name).exists() {
            return Ok(());
        }
        bail!("the target {name} is missing: install rustup, or add the target to your toolchain");
    };
    if installed.lines().any(|line| line.trim() == name) {
        return Ok(());
    }
    run("rustup", &["target", "add", name])
}

/// SQLite, librdkafka and its OpenSSL are compiled from C and C++.
pub(crate) fn c_compiler() -> Result<()> {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    for tool in [compiler.as_str(), "c++", "make", "perl"] {
        if output(tool, &["--version"]).is_none() {
            bail!("`{tool}` is missing: install it, such as with `apt-get install build-essential perl`")
        }
    }
    Ok(())
}

/// The oldest Node that runs the tests in JavaScript.
const NODE: u32 = 20;

/// Node and npm, which the tests in JavaScript need.
pub(crate) fn node() -> Result<()> {
    let version = output("node", &["--version"]).unwrap_or_default();
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE) || output("npm", &["--version"]).is_none() {
        bail!("Node {NODE} or newer with npm is missing: install it, such as with `apt-get install nodejs npm`")
    }
    Ok(())
}

/// What gives the scenarios a clock that can be set back, in Debian's places.
const FAKETIME: &str = "/usr/lib/*-linux-gnu/faketime/libfaketimeMT.so.1";

/// Installs libfaketime when it is missing, for the scenario of a clock that is set back.
pub(crate) fn faketime() -> Result<()> {
    if output("sh", &["-c", &format!("ls {FAKETIME}")]).is_some() {
        return Ok(());
    }
    apt("libfaketime", "libfaketime")
}

/// PostgreSQL's server, in Debian's place or where `PATH` leads.
pub(crate) fn postgres() -> Result<()> {
    if output("sh", &["-c", "command -v initdb || ls /usr/lib/postgresql/*/bin/initdb"]).is_some() {
        return Ok(());
    }
    apt("PostgreSQL", "postgresql")
}

/// Kafka as jars, which Maven copies from where it takes everything.
pub(crate) fn kafka() -> Result<()> {
    const POM: &str = "crates/backends/kafka/pom.xml";
    let folder = build::root().join("target/kafka");
    let wanted = std::fs::read_to_string(build::root().join(POM)).context("could not read Kafka's versions")?;
    let installed = folder.join("installed.xml");
    if std::fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    if output("java", &["-version"]).is_none() || output("mvn", &["--version"]).is_none() {
        apt("Java or Maven", "maven")?;
    }
    eprintln!("copying Kafka to {}", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("could not clear what is there of another version")?;
    }
    let libraries = format!("-DoutputDirectory={}", folder.join("libs").display());
    let copy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
    run("mvn", &["--quiet", "--batch-mode", "--file", POM, copy, &libraries])?;
    std::fs::write(installed, wanted).context("could not note what is installed")
}

/// Installs a Debian package that is missing.
fn apt(name: &str, package: &str) -> Result<()> {
    eprintln!("{name} is missing: installing it");
    // As whoever runs this, or else with the rights that sudo gives without asking.
    let apt = |arguments: &[&str]| {
        run("apt-get", arguments).or_else(|_| run("sudo", &[&["--non-interactive", "apt-get"], arguments].concat()))
    };
    let install = || apt(&["install", "--yes", package]);
    // A machine that was just set up may not know yet which packages there are.
    if install().or_else(|_| apt(&["update"]).and_then(|()| install())).is_ok() {
        return Ok(());
    }
    bail!("{name} is missing: install it, such as with `apt-get install {package}`")
}

/// Installs cargo-deny when it is missing.
pub(crate) fn cargo_deny() -> Result<()> {
    if output("cargo", &["deny", "--version"]).is_some() {
        return Ok(());
    }
    eprintln!("cargo-deny is missing: installing it");
    run("cargo", &["install", "--locked", "--quiet", "cargo-deny@0.20.2"])
}
