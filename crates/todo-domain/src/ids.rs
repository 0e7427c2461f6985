//! Ids: one type for each thing that has one, all of them UUIDs in their hyphenated form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}: expected a UUID such as `0190163d-8694-739b-aea5-966c26f8ad91`")]
pub struct InvalidId {
    /// What the text should have been.
    pub kind: &'static str,
    /// The text, cut to 64 characters.
    pub text: String,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that the caller has made or read.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }

            /// Reads the text form, with or without hyphens, in any case.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                match Uuid::try_parse(text) {
                    Ok(uuid) => Ok(Self(uuid)),
                    Err(_) => Err(InvalidId {
                        kind: $kind,
                        text: text.chars().take(64).collect(),
                    }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }
    };
}

id!(
    /// A task's id: a UUIDv7, so that ids made later sort later.
    TaskId,
    "task id"
);
id!(
    /// A user's id.
    UserId,
    "user id"
);
id!(
    /// The id that all occurrences of one recurring task share.
    SeriesId,
    "series id"
);
id!(
    /// An event's id: what consumers remember to see repeats.
    EventId,
    "event id"
);
id!(
    /// A reminder's id.
    ReminderId,
    "reminder id"
);
id!(
    /// A digest's id: one for each day of a user.
    DigestId,
    "digest id"
);
id!(
    /// The id of an update for open pages.
    UpdateId,
    "update id"
);
id!(
    /// A subtask's id, unique within its task.
    SubtaskId,
    "subtask id"
);

/// Where fresh ids come from: every call gives a new UUIDv7.
///
/// The domain has no randomness of its own; it asks for one id per created task, new subtask and event.
pub type Ids<'a> = &'a mut dyn FnMut() -> Uuid;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_what_it_writes() {
        let text = "0190163d-8694-739b-aea5-966c26f8ad91";
        assert_eq!(TaskId::parse(text).unwrap().to_string(), text);
        assert_eq!(TaskId::parse(&text.to_uppercase()).unwrap().to_string(), text);
    }

    #[test]
    fn a_text_that_is_no_id_is_refused_by_kind() {
        let error = TaskId::parse("42").unwrap_err();
        assert!(error.to_string().starts_with("`42` is not a task id"));
    }
}
