//! What a sidecar answers when it refuses, and what a client makes of it.

use std::error::Error as StdError;

use http::StatusCode;
use serde::{Deserialize, Serialize};

/// Codes of Dapr's API errors that someone acts on.
pub mod code {
    /// A write lost against another, or a store failed on it.
    pub const STATE_SAVE: &str = "ERR_STATE_SAVE";
    /// A delete lost against another write, or a store failed on it.
    pub const STATE_DELETE: &str = "ERR_STATE_DELETE";
    /// A store failed on a read.
    pub const STATE_GET: &str = "ERR_STATE_GET";
    /// A store failed on a read of many keys.
    pub const STATE_BULK_GET: &str = "ERR_STATE_BULK_GET";
    /// A transaction lost against another write, or a store failed on it.
    pub const STATE_TRANSACTION: &str = "ERR_STATE_TRANSACTION";
    /// No state store of that name.
    pub const STATE_STORE_NOT_FOUND: &str = "ERR_STATE_STORE_NOT_FOUND";
    /// No state store at all.
    pub const STATE_STORE_NOT_CONFIGURED: &str = "ERR_STATE_STORE_NOT_CONFIGURED";
    /// An operation that is neither upsert nor delete.
    pub const NOT_SUPPORTED_STATE_OPERATION: &str = "ERR_NOT_SUPPORTED_STATE_OPERATION";
    /// A body or parameter that could not be read.
    pub const MALFORMED_REQUEST: &str = "ERR_MALFORMED_REQUEST";
    /// No pub/sub component of that name.
    pub const PUBSUB_NOT_FOUND: &str = "ERR_PUBSUB_NOT_FOUND";
    /// A broker did not take the message.
    pub const PUBSUB_PUBLISH_MESSAGE: &str = "ERR_PUBSUB_PUBLISH_MESSAGE";
    /// An entry of a bulk publish could not be read.
    pub const PUBSUB_EVENTS_SER: &str = "ERR_PUBSUB_EVENTS_SER";
    /// The message could not be made an event.
    pub const PUBSUB_CLOUD_EVENTS_SER: &str = "ERR_PUBSUB_CLOUD_EVENTS_SER";
    /// A metadata parameter of a publish could not be read.
    pub const PUBSUB_REQUEST_METADATA: &str = "ERR_PUBSUB_REQUEST_METADATA";
    /// No such route: Dapr takes it for a service invocation without a target.
    pub const DIRECT_INVOKE: &str = "ERR_DIRECT_INVOKE";
    /// Not ready yet, or no longer.
    pub const HEALTH_NOT_READY: &str = "ERR_HEALTH_NOT_READY";
    /// No secret store at all.
    pub const SECRET_STORES_NOT_CONFIGURED: &str = "ERR_SECRET_STORES_NOT_CONFIGURED";
    /// No secret store of that name.
    pub const SECRET_STORE_NOT_FOUND: &str = "ERR_SECRET_STORE_NOT_FOUND";
    /// The configuration keeps a secret from the apps.
    pub const PERMISSION_DENIED: &str = "ERR_PERMISSION_DENIED";
    /// A secret store does not have the secret.
    pub const SECRET_GET: &str = "ERR_SECRET_GET";
    /// An output binding is not there, or failed.
    pub const INVOKE_OUTPUT_BINDING: &str = "ERR_INVOKE_OUTPUT_BINDING";
    /// A job could not be made.
    pub const SCHEDULER_SCHEDULE_JOB: &str = "DAPR_SCHEDULER_SCHEDULE_JOB";
    /// A job says neither when it is due nor how often.
    pub const SCHEDULER_SCHEDULE_EMPTY: &str = "DAPR_SCHEDULER_SCHEDULE_EMPTY";
    /// A job cannot have this name.
    pub const SCHEDULER_JOB_NAME: &str = "DAPR_SCHEDULER_JOB_NAME";
    /// A job has no name.
    pub const SCHEDULER_JOB_NAME_EMPTY: &str = "DAPR_SCHEDULER_JOB_NAME_EMPTY";
    /// A job could not be read.
    pub const SCHEDULER_GET_JOB: &str = "DAPR_SCHEDULER_GET_JOB";
    /// A job could not be removed.
    pub const SCHEDULER_DELETE_JOB: &str = "DAPR_SCHEDULER_DELETE_JOB";
    /// Another app's id was asked for.
    pub const HEALTH_APP_ID_NOT_MATCH: &str = "ERR_HEALTH_APPID_NOT_MATCH";
}

/// The text by which every Dapr store says that an entity tag did not match.
///
/// daprd answers a lost transaction with status 500, and only this text tells it from a fault.
pub(crate) const ETAG_MISMATCH: &str = "possible etag mismatch";

/// The text by which daprd's PostgreSQL store says that a first write found something there.
pub(crate) const NOT_FIRST: &str = "no item was updated";

/// The body of an error of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiError {
    /// One of [`code`], or another of Dapr's.
    pub error_code: String,
    /// For people.
    pub message: String,
    /// `google.rpc` details, kept as they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<serde_json::Value>,
}

/// Why a call to the sidecar failed. The variant tells whether a retry can help.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The item changed since it was read: read again, apply again. Nothing was written.
    #[error("could not {attempt}: the item was changed meanwhile")]
    Conflict {
        /// What was tried, with its subject.
        attempt: String,
    },
    /// The sidecar, or what it depends on, is away. A later retry can help.
    /// Of a write it is not known whether it happened.
    #[error("could not {attempt}: the sidecar is away")]
    Unavailable {
        /// What was tried, with its subject.
        attempt: String,
        /// The transport's own error, or what the sidecar said.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The sidecar refuses this call, and would refuse it again.
    #[error("could not {attempt}: the sidecar answered {status} `{code}`: {message}")]
    Refused {
        /// What was tried, with its subject.
        attempt: String,
        /// The status of the answer.
        status: StatusCode,
        /// Dapr's error code; empty when the body had none.
        code: String,
        /// What the sidecar said.
        message: String,
    },
    /// The answer was not what the API promises.
    #[error("could not {attempt}: the answer is not understood")]
    Malformed {
        /// What was tried, with its subject.
        attempt: String,
        /// Where reading it failed.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// Whether the same call may succeed later. A conflict is not retryable as it is: read again first.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Whether what was sent is refused, rather than who sent it or where to: it would be no better later.
    pub fn refuses_content(&self) -> bool {
        matches!(self, Self::Refused { status: StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE, .. })
    }

    /// Whether another writer was first.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// What an answer with an error status means.
    pub(crate) fn from_answer(attempt: String, status: StatusCode, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let (code, message) = match serde_json::from_str::<ApiError>(&text) {
            Ok(error) => (error.error_code, error.message),
            Err(_) => (String::new(), text.trim().to_owned()),
        };
        if status == StatusCode::CONFLICT || [ETAG_MISMATCH, NOT_FIRST].iter().any(|text| message.contains(text)) {
            return Self::Conflict { attempt };
        }
        let refused = Self::Refused { attempt: attempt.clone(), status, code, message };
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            Self::Unavailable { attempt, source: Box::new(refused) }
        } else {
            refused
        }
    }
}
