//! Takes Spin's arguments, as SpinKube gives them, and becomes devhost with the application of the image.
//!
//! In a container of its own Spin is called as `spin up --listen 0.0.0.0:80 -f <image> --runtime-config-file <file>
//! [--component-id <id>]...`. The image and the file are not looked at: the application is beside this program, and
//! variables come from the environment, as that file says, too.

use std::{ffi::OsString, os::unix::process::CommandExt, process::Command};

use anyhow::{Context, Result, bail, ensure};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    ensure!(arguments.next().as_deref() == Some("up"), "expected `up`");
    let mut given: Vec<OsString> =
        vec!["--from".into(), "/app/spin.toml".into(), "--cache-dir".into(), "/cache".into()];
    while let Some(argument) = arguments.next() {
        let value = arguments.next().with_context(|| format!("`{argument}` has no value"))?;
        match argument.as_str() {
            "-f" | "--runtime-config-file" => {}
            "--listen" | "--component-id" => given.extend([argument.into(), value.into()]),
            _ => bail!("`{argument}` is none of the arguments that SpinKube gives"),
        }
    }
    Err(Command::new("/devhost").args(given).exec()).context("could not become devhost")
}
