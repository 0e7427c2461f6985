//! What the driver's errors mean to a store.

use std::sync::Arc;

use tokio_postgres::Error;

use crate::store::StoreError;

/// Raised by the commit function.
const CONFLICT: &str = "SD409";

/// Codes and classes of codes that end by themselves: connections, resources, an end by an operator, time limits, a
/// server that only reads, and transactions that were in each other's way.
const PASSING: [&str; 9] = ["08", "53300", "57014", "57P", "25006", "40001", "40P01", "55P03", "58030"];

/// What an error of a statement, or of a connection, means.
pub(super) fn meaning(error: Error) -> StoreError {
    match error.code().map(|code| code.code().to_owned()) {
        Some(code) if code == CONFLICT => StoreError::Conflict,
        Some(code) if !PASSING.iter().any(|passing| code.starts_with(passing)) => {
            StoreError::Failed { source: Arc::new(Reason(error)) }
        }
        _ => StoreError::Unavailable { source: Arc::new(Reason(error)) },
    }
}

/// What an error of a connection that is being made means.
pub(super) fn of_connecting(error: Error) -> StoreError {
    // What a proxy says of a database behind it that it cannot reach, or that is waking up. A server has no such error
    // that would stay.
    if error.code().is_some_and(|code| code.code().starts_with("XX")) {
        return StoreError::Unavailable { source: Arc::new(Reason(error)) };
    }
    meaning(error)
}

/// Whether nothing more can be asked over the connection.
pub(super) fn is_lost(error: &Error) -> bool {
    match error.code().map(|code| code.code()) {
        None => true,
        Some(code) => ["08", "57P", "25006"].iter().any(|lost| code.starts_with(lost)),
    }
}

/// The driver's error with the server's words, which it keeps for its source.
#[derive(Debug)]
pub(super) struct Reason(Error);

impl std::fmt::Display for Reason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.as_db_error() {
            Some(error) => write!(formatter, "{} ({})", error.message(), error.code().code()),
            None => {
                write!(formatter, "{}", self.0)?;
                let mut source = std::error::Error::source(&self.0);
                while let Some(cause) = source {
                    write!(formatter, ": {cause}")?;
                    source = cause.source();
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Reason {}
