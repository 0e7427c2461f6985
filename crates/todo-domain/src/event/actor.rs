//! Who made a change.

use serde::{Deserialize, Serialize};

/// Who made a change, as far as the person reading of it is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// In what way.
    pub kind: ActorKind,
    /// The API token's name; absent for all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// In what way a change was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum ActorKind {
    /// By the user, signed in.
    User,
    /// By a program with one of the user's API tokens.
    Token,
    /// From a file that the user imported.
    Import,
    /// As the next occurrence of a recurring task.
    Recurrence,
    /// By the service itself.
    System,
    /// In a way that a newer release knows.
    #[serde(other)]
    Other,
}

impl Actor {
    /// An actor without a name.
    pub const fn of(kind: ActorKind) -> Self {
        Self { kind, name: None }
    }

    /// A program with the API token of this name.
    pub const fn token(name: String) -> Self {
        Self { kind: ActorKind::Token, name: Some(name) }
    }
}
