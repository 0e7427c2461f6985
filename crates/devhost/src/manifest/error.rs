//! What can be wrong with a manifest.

/// A manifest that was refused: which key, which value, and what is accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The file could not be read.
    #[error("could not read it")]
    Read(#[source] std::io::Error),
    /// The file is too long to be a manifest.
    #[error("it has {length} bytes or more, and at most 1048576 are read")]
    TooLong {
        /// Its length in bytes, as far as it was read.
        length: u64,
    },
    /// The text is not TOML.
    #[error("it is not TOML")]
    Syntax(#[source] Box<toml::de::Error>),
    /// A key is absent.
    #[error("key `{key}` is absent; expected {expected}")]
    Missing {
        /// The key, with the tables around it.
        key: String,
        /// The accepted form.
        expected: String,
    },
    /// A value has a form that is not accepted.
    #[error("key `{key}` is `{value}`; expected {expected}")]
    Invalid {
        /// The key, with the tables around it.
        key: String,
        /// The value as written.
        value: String,
        /// The accepted form.
        expected: String,
    },
    /// A key that Spin knows and this host does not support.
    #[error("key `{key}` with value `{value}` is not supported; {instead}")]
    Unsupported {
        /// The key, with the tables around it.
        key: String,
        /// The value as written.
        value: String,
        /// What can be done instead.
        instead: String,
    },
    /// A key that nobody knows.
    #[error("key `{key}` is unknown; accepted here are {accepted}")]
    Unknown {
        /// The key, with the tables around it.
        key: String,
        /// The keys that are accepted.
        accepted: String,
    },
}
