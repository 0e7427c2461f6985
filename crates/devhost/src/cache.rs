//! Compiled components on disk, so that a start does not compile again.
//!
//! A file is named after the hash of the Wasm bytes and of everything that decides the machine
//! code. Beside it lies the hash of its own bytes, which is checked before the code is trusted:
//! a file that is damaged, cut short or foreign is compiled again.
//!
//! Code is mapped from the file, so that only what is used takes memory. A file in use must
//! therefore never be changed in place; files are read-only, and replaced by renaming.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::StartError;

/// Compiled components that are kept; the oldest go first.
const MAX_FILES: usize = 64;

/// A folder of compiled components.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
}

impl Cache {
    /// Opens the folder and makes it if there is none.
    ///
    /// Refuses a folder that others than we may write, since code is run from it.
    pub(crate) fn open(directory: &Path) -> Result<Self, StartError> {
        let refuse = |source| StartError::File { action: "use as cache folder", path: directory.to_owned(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(refuse)?;
        let metadata = fs::metadata(directory).map_err(refuse)?;
        if metadata.mode() & 0o022 != 0 || !is_ours(&metadata) {
            return Err(refuse(io::Error::other("others than we may write to it")));
        }
        Ok(Self { directory: directory.to_owned() })
    }

    /// Loads the compiled form of `wasm`, and compiles it first if there is none.
    pub(crate) fn load(&self, engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Component> {
        let path = self.directory.join(format!("{}.cwasm", key(engine, wasm)));
        if let Some(component) = load_checked(engine, &path) {
            return Ok(component);
        }
        let compiled = engine.precompile_component(wasm)?;
        match self.store(&path, &compiled) {
            Ok(()) => {
                self.prune(&path);
                if let Some(component) = load_checked(engine, &path) {
                    return Ok(component);
                }
            }
            Err(error) => tracing::warn!(
                path = %path.display(),
                error = %error,
                "could not keep a compiled component; the next start compiles it again"
            ),
        }
        Component::from_binary(engine, wasm)
    }

    /// Writes the code and its hash so that no reader sees a part of either.
    fn store(&self, path: &Path, compiled: &[u8]) -> io::Result<()> {
        write_atomically(&digest_path(path), hex(&Sha256::digest(compiled)).as_bytes())?;
        write_atomically(path, compiled)
    }

    fn prune(&self, keep: &Path) {
        let Ok(entries) = fs::read_dir(&self.directory) else {
            return;
        };
        let mut files: Vec<(std::time::SystemTime, PathBuf)> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|name| name == "cwasm") && path != keep)
            .filter_map(|path| Some((fs::metadata(&path).ok()?.modified().ok()?, path)))
            .collect();
        files.sort();
        let surplus = files.len().saturating_sub(MAX_FILES - 1);
        for (_, path) in files.into_iter().take(surplus) {
            let _ = fs::remove_file(&path);
            let _ = fs::remove_file(digest_path(&path));
        }
    }
}

/// True if the folder belongs to the user that this process runs as.
fn is_ours(folder: &fs::Metadata) -> bool {
    // The kernel gives each process's own folder to its effective user; without it, nothing is known.
    fs::metadata("/proc/self").map_or(true, |process| process.uid() == folder.uid())
}

fn key(engine: &Engine, wasm: &[u8]) -> String {
    let mut compatibility = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut compatibility);
    format!("{}-{:016x}", hex(&Sha256::digest(wasm)), compatibility.finish())
}

fn digest_path(path: &Path) -> PathBuf {
    path.with_extension("sha256")
}

/// Loads a compiled component if its bytes are those that were written.
fn load_checked(engine: &Engine, path: &Path) -> Option<Component> {
    let expected = fs::read_to_string(digest_path(path)).ok()?;
    let actual = digest_of(path).ok()?;
    if expected != actual {
        tracing::warn!(path = %path.display(), "a compiled component is damaged; compiling it again");
        return None;
    }
    #[expect(
        unsafe_code,
        reason = "the file lies in a folder that only we may write and is never changed in place; \
                  its bytes have the hash that was written with it, so it is what \
                  `precompile_component` returned; wasmtime itself refuses code of another \
                  version, target or configuration"
    )]
    let loaded = unsafe { Component::deserialize_file(engine, path) };
    loaded
        .inspect_err(|error| tracing::warn!(path = %path.display(), error = %error, "a compiled component is foreign; compiling it again"))
        .ok()
}

fn digest_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = [0; 32 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&digest.finalize())),
            read => digest.update(&buffer[..read]),
        }
    }
}

fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let unfinished = path.with_extension(format!("{}-{number}.part", std::process::id()));
    let mut file = File::options().write(true).create_new(true).mode(0o400).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(&unfinished, path)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;

    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
