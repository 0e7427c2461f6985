//! Output bindings: what an app has done elsewhere by way of the sidecar, as a request or an e-mail.

mod http;
mod smtp;

use std::time::Duration;

use bytes::Bytes;
use dapr::Metadata;
use serde_json::value::RawValue;

use crate::resiliency::Fault;

pub(crate) use http::HttpBinding;
pub(crate) use smtp::{Defaults, Priority, SmtpBinding};

/// How long an operation may take, unless a component says otherwise.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// One output binding.
#[derive(Debug)]
pub(crate) enum Output {
    /// `bindings.http`
    Http(HttpBinding),
    /// `bindings.smtp`
    Smtp(SmtpBinding),
}

/// What is asked of a binding.
#[derive(Debug)]
pub(crate) struct Invocation<'call> {
    /// Such as `create` or `post`.
    pub(crate) operation: &'call str,
    /// JSON, as it was written. None: there was none.
    pub(crate) data: Option<&'call RawValue>,
    /// Beside the data.
    pub(crate) metadata: &'call Metadata,
}

/// What an operation has given.
#[derive(Debug)]
pub(crate) struct Produced {
    /// The body of the answer.
    pub(crate) data: Bytes,
    /// What travels beside it.
    pub(crate) metadata: Vec<(String, String)>,
}

/// Why an operation was not done, or not well. Its words go to the caller: they hold no secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindingError {
    /// The binding does not know it.
    #[error("the operation `{operation}` is not known; expected one of {known}")]
    Operation {
        /// As it was asked for.
        operation: String,
        /// Those that are.
        known: String,
    },
    /// The caller has to change what it asks for.
    #[error("{0}")]
    Asked(String),
    /// The other side, or the way to it; the same may succeed later.
    #[error("{message}")]
    Failed {
        /// What went wrong.
        message: String,
        /// What the other side said nevertheless.
        metadata: Vec<(String, String)>,
    },
}

impl BindingError {
    fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), metadata: Vec::new() }
    }
}

impl Fault for BindingError {
    fn is_failure(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }

    fn not_waited(reason: &'static str) -> Self {
        Self::failed(reason)
    }
}

impl Output {
    /// The operations that the binding knows.
    pub(crate) fn operations(&self) -> &'static [&'static str] {
        match self {
            Self::Http(_) => &http::OPERATIONS,
            Self::Smtp(_) => &smtp::OPERATIONS,
        }
    }

    /// Carries out an operation, within the binding's time. None: it gives nothing.
    pub(crate) async fn invoke(&self, invocation: &Invocation<'_>) -> Result<Option<Produced>, BindingError> {
        if !self.operations().contains(&invocation.operation) {
            let operation = invocation.operation.to_owned();
            return Err(BindingError::Operation { operation, known: self.operations().join(", ") });
        }
        match self {
            Self::Http(binding) => binding.invoke(invocation).await.map(Some),
            Self::Smtp(binding) => binding.invoke(invocation).await.map(|()| None),
        }
    }
}

/// An error with all its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(&format!(": {cause_text}"));
        }
        source = cause.source();
    }
    text
}
