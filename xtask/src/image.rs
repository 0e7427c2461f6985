//! The image of sidelet: a static program, the certificate authorities that it trusts, and nothing else.
//!
//! Built without a container runtime: cargo-zigbuild links for each architecture, and [`layout`] writes the files of an
//! OCI image layout, which registries, containerd and `skopeo` take. The same sources give the same bytes.

mod layout;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use crate::build::{root, target};
use crate::command::run_with;
use crate::{python, tools};
use layout::{Image, Layout};

/// What a node of a cluster may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Architecture {
    Arm64,
    Amd64,
}

impl Architecture {
    /// That of the machine that this runs on.
    pub(crate) fn of_this_machine() -> Result<Self> {
        match std::env::consts::ARCH {
            "aarch64" => Ok(Self::Arm64),
            "x86_64" => Ok(Self::Amd64),
            other => bail!("there is no image for {other}: use a machine with arm64 or amd64"),
        }
    }

    /// As OCI names it.
    fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::Amd64 => "amd64",
        }
    }

    fn rust_target(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-unknown-linux-musl",
            Self::Amd64 => "x86_64-unknown-linux-musl",
        }
    }

    /// What zig calls it, with its C library.
    fn zig_target(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-linux-musl",
            Self::Amd64 => "x86_64-linux-musl",
        }
    }

    /// The number that ELF has for it.
    fn machine(self) -> u16 {
        match self {
            Self::Arm64 => 183,
            Self::Amd64 => 62,
        }
    }
}

/// The most bytes that the program may have.
const BINARY_BYTES: usize = 20 << 20;

/// Builds the program for each architecture and writes the layout to `target/image/sidelet`.
pub(crate) fn build(architectures: &[Architecture]) -> Result<()> {
    let folder = target().join("image/sidelet");
    let mut layout = Layout::create(&folder)?;
    for architecture in architectures {
        let path = binary(*architecture)?;
        let mut program = std::fs::read(&path).with_context(|| format!("could not read `{}`", path.display()))?;
        blank(&mut program, &[root(), cargo_home()?, cache()?])?;
        check(&program, *architecture).with_context(|| format!("`{}`", path.display()))?;
        println!("{}: {:.1} MiB", path.display(), program.len() as f64 / f64::from(1 << 20));
        layout.add(&Image { architecture: architecture.name(), program: &program })?;
    }
    let digest = layout.finish()?;
    println!("{}: {digest}", folder.display());
    Ok(())
}

/// Builds the program and says where it is.
fn binary(architecture: Architecture) -> Result<PathBuf> {
    let rust_target = architecture.rust_target();
    tools::rust_target(rust_target)?;
    let zigbuild = python::LINKER.program("cargo-zigbuild")?;
    // cargo-zigbuild looks for zig where programs are.
    let programs = zigbuild.parent().context("a program is in a folder")?;
    let path = std::env::join_paths(
        std::iter::once(programs.to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    )?;
    let zigbuild = zigbuild.to_str().context("the target folder's path is text")?;
    let mut environment =
        vec![("PATH", path), ("RUSTFLAGS", plain_paths()?.into()), ("CARGO_ZIGBUILD_CACHE_DIR", cache()?.into())];
    environment.extend(c_tools(zigbuild, architecture));
    let package =
        ["zigbuild", "--profile", "dist", "--target", rust_target, "--package", "sidelet", "--bin", "sidelet"];
    run_with(zigbuild, &package, &environment)?;
    Ok(target().join(rust_target).join("dist/sidelet"))
}

/// The compilers by the names that librdkafka's `configure` knows: it takes no target's own, as other packages do.
fn c_tools(zigbuild: &str, architecture: Architecture) -> Vec<(&'static str, OsString)> {
    let compiler = |language: &str| format!("{zigbuild} zig {language} -- -target {}", architecture.zig_target());
    let tools = [
        ("CC", compiler("cc")),
        ("CXX", compiler("c++")),
        ("AR", format!("{zigbuild} zig ar --")),
        ("RANLIB", format!("{zigbuild} zig ranlib --")),
        // What runs while building is for this machine.
        ("HOST_CC", "cc".to_owned()),
        ("HOST_CXX", "c++".to_owned()),
        ("HOST_AR", "ar".to_owned()),
        // It makes a shared library beside the static one, from a list with a name that is nowhere.
        ("LDFLAGS", "-Wl,--undefined-version".to_owned()),
        // It would find the libraries of this machine.
        ("PKG_CONFIG", "false".to_owned()),
    ];
    tools.map(|(name, value)| (name, value.into())).into()
}

/// Flags by which no path of this machine gets into what is compiled from Rust.
fn plain_paths() -> Result<String> {
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    Ok([remap(&root(), "todo"), remap(&cargo_home()?, "cargo")].join(" "))
}

fn cargo_home() -> Result<PathBuf> {
    match std::env::var_os("CARGO_HOME") {
        Some(folder) => Ok(folder.into()),
        None => Ok(home()?.join(".cargo")),
    }
}

/// Where cargo-zigbuild keeps its compilers' wrappers, whose names OpenSSL notes.
fn cache() -> Result<PathBuf> {
    Ok(home()?.join(".cache/cargo-zigbuild"))
}

fn home() -> Result<PathBuf> {
    std::env::home_dir().context("there is no home folder")
}

/// Puts dots in place of the names of `folders`: OpenSSL notes in which it was made, to load modules that there are none of.
fn blank(program: &mut [u8], folders: &[PathBuf]) -> Result<()> {
    for folder in folders {
        let name = folder.to_str().context("the path of a folder is text")?.as_bytes();
        ensure!(name.len() > 1, "the folder `{}` cannot be told from other text", folder.display());
        let mut from = 0;
        while let Some(at) = program[from..].windows(name.len()).position(|part| part == name) {
            program[from + at..][..name.len()].fill(b'.');
            from += at + name.len();
        }
    }
    Ok(())
}

/// Refuses a program that would not run alone in an image, and one that is too large for the platform's budget.
fn check(program: &[u8], architecture: Architecture) -> Result<()> {
    let header = Elf::read(program).context("it is not a program for Linux")?;
    ensure!(header.machine == architecture.machine(), "it is not for {}", architecture.name());
    ensure!(!header.has_loader, "it is not static: it asks for a dynamic loader, which the image has not");
    if program.len() > BINARY_BYTES {
        bail!("it has {} bytes, more than {BINARY_BYTES}", program.len());
    }
    Ok(())
}

/// What the head of a program says.
struct Elf {
    machine: u16,
    /// Whether it asks for a program that loads it.
    has_loader: bool,
}

impl Elf {
    /// Reads the head of a little-endian 64-bit program. `None`: it is none.
    fn read(program: &[u8]) -> Option<Self> {
        const LOADER: u32 = 3;
        let number = |at: usize| Some(u64::from_le_bytes(*program.get(at..)?.first_chunk()?));
        let short = |at: usize| Some(u16::from_le_bytes(*program.get(at..)?.first_chunk()?));
        let kind = |at: usize| Some(u32::from_le_bytes(*program.get(at..)?.first_chunk()?));
        if !program.starts_with(b"\x7fELF\x02\x01") {
            return None;
        }
        let (table, size, count) = (usize::try_from(number(32)?).ok()?, short(54)?, short(56)?);
        let kinds: Option<Vec<u32>> =
            (0..usize::from(count)).map(|index| kind(table.checked_add(index * usize::from(size))?)).collect();
        Some(Self { machine: short(18)?, has_loader: kinds?.contains(&LOADER) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_blanked_wherever_they_are() {
        let mut program = b"a/home/me/b\0/home/me/home/you".to_vec();
        blank(&mut program, &["/home/me".into()]).unwrap();
        assert_eq!(program, b"a......../b\0......../home/you");
        assert!(blank(&mut program, &["/".into()]).is_err());
    }
}
