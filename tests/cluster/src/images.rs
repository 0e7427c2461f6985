//! What pods run.
//!
//! - `sidelet` is the static program of `cargo xtask image`, alone in its image as it is there.
//! - `spin` stands in for Spin's own image: it takes Spin's arguments and runs devhost, with the components and their
//!   compiled code beside it, as the shim compiles them when it pulls. devhost is linked to this machine's libraries, so
//!   these come with it.
//! - `curl` is this machine's, for the chart's own test.
//! - `app` is the application by itself, for nodes with a shim: see [`artefact`].

mod artefact;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::{
    cluster::run,
    layer::{Layer, architecture, digest},
};

/// Where the stand-in has its application, and the compiled code.
const APPLICATION: &str = "app";
const CACHE: &str = "cache";

/// The images, by name.
#[derive(Debug)]
pub(crate) struct Images {
    pub(crate) sidelet: Image,
    pub(crate) spin: Image,
    pub(crate) curl: Image,
    /// Only where nodes have a shim.
    pub(crate) application: Option<Image>,
    _folder: TempDir,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) repository: String,
    /// Made of the content, so that no node runs what it was given before under the same name.
    pub(crate) tag: String,
    archive: PathBuf,
}

impl Image {
    /// Named by what makes it what it is.
    fn of(folder: &Path, repository: &str, content: &[u8]) -> Self {
        let tag = digest(content).trim_start_matches("sha256:").chars().take(12).collect();
        let file = repository.rsplit('/').next().unwrap_or_default();
        Self { archive: folder.join(format!("{file}.tar")), repository: repository.to_owned(), tag }
    }

    /// The whole name.
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.repository, self.tag)
    }
}

impl Images {
    /// Makes the archives from what was built.
    pub(crate) async fn make(prefix: &str, sidelet: Option<PathBuf>, shim: bool) -> Result<Self> {
        let folder = tempfile::tempdir().context("a folder for images")?;
        let triple = if architecture() == "arm64" { "aarch64" } else { "x86_64" };
        let program = sidelet.unwrap_or_else(|| target().join(format!("{triple}-unknown-linux-musl/dist/sidelet")));
        ensure!(
            program.is_file(),
            "`{}` is missing: run `cargo xtask image --architecture {}`",
            program.display(),
            architecture()
        );
        let mut sidelet = Layer::new();
        // Where what is embedded would be.
        sidelet.folder("data")?;
        sidelet.file("sidelet", &program)?;
        for library in libraries(&[&program]).await? {
            sidelet.file(&library, Path::new(&library))?;
        }
        let sidelet = write(sidelet, folder.path(), &format!("{prefix}/sidelet"), "/sidelet", &program)?;
        let (layer, stamp) = stand_in(folder.path()).await?;
        let spin = write(layer, folder.path(), &format!("{prefix}/spin"), "/spin", &stamp)?;
        let curl = curl(folder.path(), prefix).await?;
        let application = if shim { Some(artefact::write(folder.path(), &format!("{prefix}/app"))?) } else { None };
        Ok(Self { sidelet, spin, curl, application, _folder: folder })
    }

    /// Brings them to the nodes.
    pub(crate) async fn load(&self, command: &Path) -> Result<()> {
        let command = command.to_str().context("the command's path is text")?;
        for image in [&self.sidelet, &self.spin, &self.curl].into_iter().chain(&self.application) {
            let archive = image.archive.to_str().context("a path is text")?;
            run(command, &[&image.name(), archive]).await.context("an image could not be brought to the nodes")?;
        }
        Ok(())
    }
}

fn write(layer: Layer, folder: &Path, repository: &str, entrypoint: &str, program: &Path) -> Result<Image> {
    let image = Image::of(folder, repository, &fs::read(program)?);
    layer.write(&image.name(), entrypoint, &image.archive)?;
    Ok(image)
}

/// The image that the chart's test runs.
async fn curl(folder: &Path, prefix: &str) -> Result<Image> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = std::env::split_paths(&path).map(|folder| folder.join("curl")).find(|program| program.is_file());
    let program = program.context("could not find `curl`: is it on the path?")?;
    let mut layer = Layer::new();
    layer.file("curl", &program)?;
    for library in libraries(&[&program]).await? {
        layer.file(&library, Path::new(&library))?;
    }
    write(layer, folder, &format!("{prefix}/curl"), "/curl", &program)
}

/// The files of the stand-in for Spin, and the file whose content names it.
async fn stand_in(folder: &Path) -> Result<(Layer, PathBuf)> {
    let mut layer = Layer::new();
    let (host, wrapper) = (target().join("release/devhost"), target().join("release/spin-stand-in"));
    layer.file("devhost", &host)?;
    layer.file("spin", &wrapper)?;
    for library in libraries(&[&host, &wrapper]).await? {
        layer.file(&library, Path::new(&library))?;
    }
    // As far as devhost needs it: a folder to write to.
    for folder in [APPLICATION, CACHE, "tmp"] {
        layer.folder(folder)?;
    }
    let manifest = fs::read_to_string("spin.toml").context("could not read `spin.toml`")?;
    layer.file(&format!("{APPLICATION}/spin.toml"), Path::new("spin.toml"))?;
    // The components, at the paths that the manifest names.
    let sources: Vec<&str> =
        manifest.lines().filter_map(|line| line.strip_prefix("source = \"")?.strip_suffix('"')).collect();
    ensure!(!sources.is_empty(), "`spin.toml` names no component");
    for source in &sources {
        layer.file(&format!("{APPLICATION}/{source}"), Path::new(source))?;
    }
    let cache = folder.join("cache");
    compile(&host, &cache).await?;
    for entry in fs::read_dir(&cache).context("could not read the compiled code")? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).context("a name is text")?.to_owned();
        layer.file(&format!("{CACHE}/{name}"), &path)?;
    }
    Ok((layer, host))
}

/// Lets devhost compile the components once.
async fn compile(host: &Path, cache: &Path) -> Result<()> {
    use tokio::io::{AsyncBufReadExt, BufReader};
    let mut started = tokio::process::Command::new(host)
        .args(["--from", "spin.toml", "--listen", "127.0.0.1:0", "--variable", "signing_key=none", "--cache-dir"])
        .arg(cache)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("could not run `{}`", host.display()))?;
    let output = started.stdout.take().context("its output is read")?;
    let line = BufReader::new(output).lines().next_line().await?;
    ensure!(line.is_some_and(|line| line.starts_with("Serving ")), "devhost could not serve the components");
    started.kill().await.context("devhost could not be ended")
}

/// The paths of the libraries that programs are linked to, with what loads them; none of a static program.
async fn libraries(programs: &[&Path]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for program in programs {
        // It fails on a static program.
        let output = tokio::process::Command::new("ldd").arg(program).output().await.context("could not run `ldd`")?;
        let listed = String::from_utf8_lossy(&output.stdout).into_owned();
        all.extend(listed.split_whitespace().filter(|word| word.starts_with('/')).map(str::to_owned));
    }
    all.sort();
    all.dedup();
    Ok(all)
}

/// Where everything is built.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from)
}
