//! Why a start was refused.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::manifest::ManifestError;

/// A reason not to start; nothing is listening when it is returned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The manifest is not one that this host can run.
    #[error("could not use manifest `{}`", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        source: ManifestError,
    },
    /// `component_ids` names a component that the manifest does not have.
    #[error("component `{id}` is not in the manifest; it has {known}")]
    UnknownComponent {
        /// The id asked for.
        id: String,
        /// The ids that there are.
        known: String,
    },
    /// A required variable has no value.
    #[error("variable `{name}` is required and has no value: set {} or add it to `.env`", environment_name(name))]
    MissingVariable {
        /// The variable.
        name: String,
    },
    /// A value was given for a variable that the manifest does not have.
    #[error("variable `{name}` is not in the manifest's [variables]; it has {known}")]
    UnknownVariable {
        /// The variable.
        name: String,
        /// The variables that there are.
        known: String,
    },
    /// The `.env` file beside the manifest could not be read.
    #[error("could not read `{}`, line {line}: expected KEY=value", path.display())]
    Dotenv {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A file or folder could not be used.
    #[error("could not {action} `{}`", path.display())]
    File {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// An entry of `files` cannot be mounted.
    #[error("component `{component}`: files entry `{entry}` {reason}")]
    Files {
        /// The component.
        component: String,
        /// The entry as written.
        entry: String,
        /// Why not.
        reason: String,
    },
    /// A component imports an interface that this host does not have.
    #[error("component `{component}` imports `{interface}`, which is not supported; supported are {supported}")]
    UnsupportedInterface {
        /// The component.
        component: String,
        /// The import.
        interface: String,
        /// What there is instead.
        supported: String,
    },
    /// A component is not Wasm, does not fit the limits or has no HTTP handler.
    #[error("could not prepare component `{component}` from `{}`", path.display())]
    Component {
        /// The component.
        component: String,
        /// Its file.
        path: PathBuf,
        /// The cause.
        source: wasmtime::Error,
    },
    /// The engine refused its configuration.
    #[error("could not set up wasmtime with the limits given")]
    Engine {
        /// The cause.
        source: wasmtime::Error,
    },
    /// The address could not be taken.
    #[error("could not listen on `{address}`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: std::io::Error,
    },
}

/// Names the environment variable that carries an application variable.
pub(crate) fn environment_name(variable: &str) -> String {
    format!("SPIN_VARIABLE_{}", variable.to_ascii_uppercase())
}
