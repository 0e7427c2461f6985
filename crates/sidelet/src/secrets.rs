//! Secret stores: the environment, a JSON file, and a Kubernetes namespace.
//!
//! A store is read where it is asked (the environment, Kubernetes) or once at the start (a file).
//! Neither its errors nor its `Debug` form has the value of a secret.

mod file;
mod kubernetes;

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

pub(crate) use file::FileForm;
pub(crate) use kubernetes::Kubernetes;

use crate::resiliency::Fault;

/// A secret: its values by their keys. Most secrets are one value under their own name.
pub(crate) type Secret = BTreeMap<String, String>;

/// One store.
pub(crate) enum SecretStore {
    /// Environment variables, each under its name without `prefix`.
    Environment {
        /// What stands before each name. Empty: every variable is a secret, but for the sidecar's own.
        prefix: String,
    },
    /// Secrets by name, from a file.
    File(BTreeMap<String, Secret>),
    /// Secrets of a Kubernetes namespace.
    Kubernetes(Kubernetes),
}

/// Why a store cannot be read. What it holds is not told.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SecretError {
    message: String,
    /// Asking again may help.
    passes: bool,
}

impl Fault for SecretError {
    fn is_failure(&self) -> bool {
        self.passes
    }

    fn not_waited(reason: &'static str) -> Self {
        Self { message: reason.to_owned(), passes: true }
    }
}

/// How long a start waits for a store: a pod's network may come up after its processes.
const START: Duration = Duration::from_secs(30);
/// Between two questions at a start.
const PAUSE: Duration = Duration::from_millis(500);

impl SecretStore {
    /// Finds a secret, in Kubernetes in a namespace. As in Dapr, a variable that is not set is an empty secret.
    pub(crate) async fn get(&self, name: &str, namespace: Option<&str>) -> Result<Option<Secret>, SecretError> {
        Ok(match self {
            Self::Environment { prefix } => {
                let variable = format!("{prefix}{name}");
                // The standard library panics on such names.
                let readable = !variable.is_empty() && !variable.contains(['=', '\0']) && is_open(&variable);
                let value = readable.then(|| std::env::var(&variable).ok()).flatten();
                Some([(name.to_owned(), value.unwrap_or_default())].into())
            }
            Self::File(secrets) => secrets.get(name).cloned(),
            Self::Kubernetes(kubernetes) => kubernetes.get(name, namespace).await?,
        })
    }

    /// Finds a secret for a component file, waiting half a minute for a store that does not answer.
    pub(crate) fn get_at_start(&self, name: &str) -> Result<Option<Secret>, SecretError> {
        let ask = async || {
            let end = Instant::now() + START;
            loop {
                match self.get(name, None).await {
                    Err(error) if error.passes && Instant::now() < end => {
                        tracing::warn!(error = %error, "a secret store does not answer; asking again");
                        tokio::time::sleep(PAUSE).await;
                    }
                    found => return found,
                }
            }
        };
        // Files are read where a runtime may be at work already, which cannot wait for another one on its own thread.
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime of one thread needs nothing that can be missing").block_on(ask())
            });
            asked.join().expect("asking does not panic")
        })
    }

    /// All secrets by name, in Kubernetes those of a namespace.
    pub(crate) async fn all(&self, namespace: Option<&str>) -> Result<BTreeMap<String, Secret>, SecretError> {
        Ok(match self {
            Self::Environment { prefix } => std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .filter(|(name, _)| is_open(name))
                .filter_map(|(name, value)| Some((name.strip_prefix(prefix.as_str())?.to_owned(), value)))
                .filter(|(name, _)| !name.is_empty())
                .map(|(name, value)| (name.clone(), [(name, value)].into()))
                .collect(),
            Self::File(secrets) => secrets.clone(),
            Self::Kubernetes(kubernetes) => kubernetes.all(namespace).await?,
        })
    }
}

/// The sidecar's own variables are no one's secrets.
fn is_open(variable: &str) -> bool {
    let upper = variable.to_ascii_uppercase();
    upper != "APP_API_TOKEN" && !upper.starts_with("DAPR_")
}

impl fmt::Debug for SecretStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Environment { .. } => "Environment",
            Self::File(_) => "File",
            Self::Kubernetes(_) => "Kubernetes",
        })
    }
}
