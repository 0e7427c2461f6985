//! Why a use case did not succeed, and the one place where that becomes an answer.

use dapr::Error as DaprError;
use todo_domain::ValidationError;
use todo_domain::list::{CommandError, DocumentError, ReadError, TooFast};

use crate::{
    accounts::session_gone,
    http::problem::{Problem, kind},
};

/// Seconds after which a client may try again when the sidecar or its store is away.
const RETRY_AFTER_SECONDS: u32 = 1;
/// The same while too many events wait for the broker.
const BACKLOG_SECONDS: u32 = 5;

/// Why a use case did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The command was refused by a rule.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The input was refused.
    #[error(transparent)]
    Invalid(#[from] ValidationError),
    /// The user writes too much; nothing was written.
    #[error(transparent)]
    TooFast(#[from] TooFast),
    /// The user's account is gone.
    #[error("the account is gone")]
    Closed,
    /// The sidecar did not do what was asked.
    #[error(transparent)]
    Sidecar(#[from] DaprError),
    /// Too many writers at once; nothing was written.
    #[error("{subject} was changed by others {attempts} times in a row")]
    Busy {
        /// What was being changed.
        subject: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// Too many events wait for the broker; nothing was written.
    #[error("{subject} holds too many events that are not published yet")]
    Backlog {
        /// What holds them.
        subject: String,
    },
    /// A stored document is not what this release knows.
    #[error("{subject} cannot be read")]
    Corrupt {
        /// Which document.
        subject: String,
        /// Where and why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::Command(CommandError::Read(error))
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        ReadError::Document(error).into()
    }
}

impl From<Failure> for Problem {
    /// The private detail is logged here, once; the answer names neither store nor driver.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Command(CommandError::Invalid(error)) | Failure::Invalid(error) => Self::invalid(error),
            Failure::Command(CommandError::NotFound(_)) => Self::not_found("There is no such task."),
            Failure::Command(CommandError::VersionMismatch { current, .. }) => {
                Self::new(412, kind::PRECONDITION_FAILED)
                    .detail(format!("The task is at version {current} now: read it again and repeat the change."))
            }
            Failure::Command(CommandError::TooManyTasks) => Self::new(400, kind::LIST_FULL)
                .detail(format!("A list holds at most {} tasks: delete some first.", todo_domain::list::MAX_TASKS)),
            Failure::Command(CommandError::TooManyBytes) => Self::new(400, kind::LIST_FULL).detail(format!(
                "A list holds at most {} MiB, its trash too: shorten or delete tasks and empty the trash.",
                todo_domain::list::MAX_BYTES >> 20
            )),
            Failure::TooFast(TooFast { wait_seconds }) => Self::new(429, kind::TOO_MANY_REQUESTS)
                .detail(format!("Too many changes in a minute: try again in {wait_seconds} seconds."))
                .header("retry-after", wait_seconds.to_string()),
            Failure::Closed => session_gone(),
            Failure::Busy { .. } => Self::new(409, kind::CONFLICT)
                .detail("Others are changing the same data at this moment: nothing was changed, repeat the request.")
                .header("retry-after", RETRY_AFTER_SECONDS.to_string()),
            Failure::Sidecar(ref error) if error.is_conflict() => Self::new(409, kind::CONFLICT)
                .detail("The data was changed meanwhile: nothing was written, repeat the request."),
            Failure::Sidecar(ref error) if error.is_retryable() => {
                log("the store is away", &failure);
                Self::new(503, kind::UNAVAILABLE)
                    .detail("The store does not answer: try again in a moment.")
                    .header("retry-after", RETRY_AFTER_SECONDS.to_string())
            }
            Failure::Backlog { .. } => {
                log("the broker is away", &failure);
                Self::new(503, kind::UNAVAILABLE)
                    .detail("Earlier changes are still being passed on: nothing was changed, try again in a moment.")
                    .header("retry-after", BACKLOG_SECONDS.to_string())
            }
            Failure::Command(CommandError::Read(_)) | Failure::Sidecar(_) | Failure::Corrupt { .. } => {
                log("the request failed", &failure);
                Self::new(500, kind::INTERNAL).detail("Something is wrong on our side. It has been logged.")
            }
        }
    }
}

/// Writes one line with the whole chain of causes to the host's log.
fn log(what: &str, error: &dyn std::error::Error) {
    eprintln!("{what}: {}", chain(error));
}

/// An error with the whole chain of its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(&format!(": {error}"));
        cause = error.source();
    }
    line
}
