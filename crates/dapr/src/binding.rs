//! What an output binding is asked for.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::state::Metadata;

/// One operation of an output binding.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BindingRequest {
    /// What to do, such as `create` or `post`: each binding says what it knows.
    pub operation: String,
    /// What to do it with, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
    /// What the binding is told beside, such as `emailTo`.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}
