//! `files`: what a component may read.
//!
//! `{ source, destination }` shows a folder as it is at that moment. Globs and single files are
//! copied once, at start, and appear at their own path under `/`. Nothing can be written.

mod glob;

use std::path::{Component as PathPart, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use glob::Glob;

use crate::error::StartError;
use crate::manifest::FilesEntry;

/// Most files that the globs of one component may match.
const MAX_FILES: usize = 10_000;

/// Starts the name of a folder of copies; the process follows.
const STAGED: &str = "files-";

/// The folders that a component sees.
#[derive(Debug, Default)]
pub(crate) struct Mounts {
    /// Host folder and guest path.
    pub(crate) folders: Vec<(PathBuf, String)>,
    /// Removed when dropped.
    staged: Option<Staged>,
}

/// A folder of copies.
#[derive(Debug)]
struct Staged(PathBuf);

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Reads the entries of one component relative to `directory`.
pub(crate) fn prepare(
    component: &str,
    entries: &[FilesEntry],
    exclude: &[String],
    directory: &Path,
    cache_dir: &Path,
) -> Result<Mounts, StartError> {
    let mut mounts = Mounts::default();
    let refuse = |entry: &str, reason: &str| StartError::Files {
        component: component.to_owned(),
        entry: entry.to_owned(),
        reason: reason.to_owned(),
    };
    let mut excluded = Vec::new();
    for pattern in exclude {
        excluded.push(Glob::parse(pattern).ok_or_else(|| refuse(pattern, NOT_A_GLOB))?);
    }
    let mut copies = Vec::new();
    for entry in entries {
        match entry {
            FilesEntry::Pattern(pattern) => {
                let glob = Glob::parse(pattern).ok_or_else(|| refuse(pattern, NOT_A_GLOB))?;
                glob.find(directory, MAX_FILES, &mut copies).map_err(|reason| refuse(pattern, &reason))?;
            }
            FilesEntry::Placement { source, destination } => {
                let path = directory.join(source);
                if path.is_file() {
                    copies.push((path, PathBuf::from(destination.trim_start_matches('/'))));
                } else if path.is_dir() && exclude.is_empty() {
                    let destination = destination.trim_end_matches('/');
                    let guest = if destination.is_empty() { "/" } else { destination };
                    mounts.folders.push((path, guest.to_owned()));
                } else if path.is_dir() {
                    let mut below = Vec::new();
                    Glob::all().find(&path, MAX_FILES, &mut below).map_err(|reason| refuse(source, &reason))?;
                    let root = PathBuf::from(destination.trim_start_matches('/'));
                    copies.extend(below.into_iter().map(|(from, to)| (from, root.join(to))));
                } else {
                    return Err(refuse(source, "is neither a file nor a folder beside the manifest"));
                }
            }
        }
    }
    copies.retain(|(from, _)| {
        let relative = from.strip_prefix(directory).unwrap_or(from);
        !excluded.iter().any(|glob| glob.matches(relative))
    });
    if copies.is_empty() {
        return Ok(mounts);
    }
    if mounts.folders.iter().any(|(_, guest)| guest == "/") {
        return Err(refuse(
            "/",
            "cannot hold a folder and copied files at once; give the folder a destination of its own",
        ));
    }
    let staged = stage(&copies, cache_dir)?;
    mounts.folders.push((staged.0.clone(), "/".to_owned()));
    mounts.staged = Some(staged);
    Ok(mounts)
}

const NOT_A_GLOB: &str = "is not a glob below the manifest's folder, such as `assets/**/*.png`";

fn stage(copies: &[(PathBuf, PathBuf)], cache_dir: &Path) -> Result<Staged, StartError> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    remove_leftovers(cache_dir);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let root = cache_dir.join(format!("{STAGED}{}-{number}", std::process::id()));
    let staged = Staged(root.clone());
    for (from, to) in copies {
        let stays_below = to.components().all(|part| matches!(part, PathPart::Normal(_)));
        let target = root.join(to);
        let copied = if stays_below {
            copy(from, &target)
        } else {
            Err(std::io::Error::other("its destination leaves the root"))
        };
        copied.map_err(|source| StartError::File { action: "copy for `files`", path: from.clone(), source })?;
    }
    Ok(staged)
}

/// Removes the copies of processes that were killed.
fn remove_leftovers(cache_dir: &Path) {
    for entry in std::fs::read_dir(cache_dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(STAGED)?.split('-').next());
        if process.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::copy(from, to).map(drop)
}
