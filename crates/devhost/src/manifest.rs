//! Reads `spin.toml`, version 2, and refuses by name what this host does not do.
//!
//! Source: <https://spinframework.dev/manifest-reference>.

mod application;
mod component;
mod error;
mod table;
mod trigger;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

pub use error::ManifestError;

use crate::variables::Template;

/// The name of the file that a folder given as the manifest must have.
const FILE_NAME: &str = "spin.toml";
/// Longest manifest that is read; a real one has a few kilobytes.
const MAX_BYTES: u64 = 1 << 20;

/// A manifest that this host can run.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) path: PathBuf,
    pub(crate) application: String,
    pub(crate) variables: BTreeMap<String, Variable>,
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) components: BTreeMap<String, Component>,
}

/// `[variables]`: a value that comes from outside.
#[derive(Debug)]
pub(crate) struct Variable {
    /// Absent means required.
    pub(crate) default: Option<String>,
}

/// `[[trigger.http]]`.
#[derive(Debug)]
pub(crate) struct Trigger {
    /// Absent means private: no request from outside reaches it.
    pub(crate) route: Option<String>,
    pub(crate) component: String,
}

/// `[component.<id>]`.
#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) source: PathBuf,
    pub(crate) files: Vec<FilesEntry>,
    pub(crate) exclude_files: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) variables: BTreeMap<String, Template>,
    pub(crate) allowed_outbound_hosts: Vec<Template>,
}

/// One entry of `files`.
#[derive(Clone, Debug)]
pub(crate) enum FilesEntry {
    /// `"assets/**/*.png"`: matching files, at the same path in the guest.
    Pattern(String),
    /// `{ source = "assets", destination = "/" }`.
    Placement { source: String, destination: String },
}

impl Manifest {
    /// Reads the manifest at `path`, which may also be the folder that has it.
    pub(crate) fn read(path: &Path) -> Result<Self, (PathBuf, ManifestError)> {
        let path = if path.is_dir() { path.join(FILE_NAME) } else { path.to_owned() };
        let read = || -> Result<String, ManifestError> {
            // What is no ordinary file may have no length and no end.
            let file = std::fs::File::open(&path).map_err(ManifestError::Read)?;
            let length = file.metadata().map_err(ManifestError::Read)?.len();
            let mut text = String::new();
            let read = file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(ManifestError::Read)?;
            let length = length.max(read as u64);
            if length > MAX_BYTES { Err(ManifestError::TooLong { length }) } else { Ok(text) }
        };
        read().and_then(|text| Self::parse(&text, &path)).map_err(|error| (path.clone(), error))
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ManifestError> {
        let document = text.parse::<toml::Table>().map_err(|error| ManifestError::Syntax(Box::new(error)))?;
        application::read(document, path)
    }

    /// The folder that relative paths start from.
    pub(crate) fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
            None => Path::new("."),
        }
    }
}

#[cfg(test)]
mod tests;
