//! Why a sidecar did not start.

use std::{io, net::SocketAddr, path::PathBuf};

/// Why [`start`](crate::start) or [`Config::from_args`](crate::Config) refused. Nothing was opened or changed for good.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The command line or the environment is wrong.
    #[error("{message}")]
    Arguments {
        /// The flag, its value and the accepted form.
        message: String,
    },
    /// A resource file could not be read.
    #[error("could not read `{}`", path.display())]
    ReadResource {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A resource file says something that cannot be served.
    #[error("{location}: {message}")]
    Resource {
        /// The file and the document in it.
        location: String,
        /// Key, value and accepted form.
        message: String,
    },
    /// A store's file could not be opened.
    #[error("{message}")]
    Store {
        /// The file and what is wrong with it.
        message: String,
    },
    /// The address of the API is taken or not this machine's.
    #[error("could not listen on `{address}`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The operating system's reason.
        source: io::Error,
    },
}

impl StartError {
    /// The exit code by which the command tells the reasons apart: 2 arguments, 3 resources, 4 stores, 5 address.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Arguments { .. } => 2,
            Self::ReadResource { .. } | Self::Resource { .. } => 3,
            Self::Store { .. } => 4,
            Self::Listen { .. } => 5,
        }
    }
}
