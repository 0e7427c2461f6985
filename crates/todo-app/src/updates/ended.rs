//! That a session has ended, as the topic `task-updates` carries it to the streams that were opened with it.

use serde::{Deserialize, Serialize};
use todo_domain::UserId;
use uuid::Uuid;

use crate::accounts::{Account, Session, StoredApiToken};

/// The `type` of the CloudEvents.
pub const SESSION_ENDED: &str = "todo.session.ended";

/// Sessions or API tokens have ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionEnded {
    /// Whose; the partition key.
    pub user_id: UserId,
    /// The sessions.
    #[serde(default)]
    pub sessions: Vec<Uuid>,
    /// The API tokens.
    #[serde(default)]
    pub tokens: Vec<Uuid>,
    /// Whether the account is gone, and everything ends with it.
    #[serde(default)]
    pub account: bool,
}

impl SessionEnded {
    /// What an account had before a change and has no more.
    pub(crate) fn between(before: &Account, after: &Account) -> Self {
        let ids = |account: &Account| {
            let sessions: Vec<Uuid> = account.sessions.iter().map(Session::id).collect();
            let tokens: Vec<Uuid> = account.api_tokens.iter().map(StoredApiToken::id).collect();
            (sessions, tokens)
        };
        let ((mut sessions, mut tokens), after) = (ids(before), ids(after));
        sessions.retain(|id| !after.0.contains(id));
        tokens.retain(|id| !after.1.contains(id));
        Self { user_id: before.id, sessions, tokens, account: false }
    }

    /// Of all that the user has.
    pub const fn all(user_id: UserId) -> Self {
        Self { user_id, sessions: Vec::new(), tokens: Vec::new(), account: true }
    }

    /// Whether nothing ends.
    pub fn is_nothing(&self) -> bool {
        self.sessions.is_empty() && self.tokens.is_empty() && !self.account
    }
}
