//! The fields that are one word out of a few.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that is none of those accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not accepted: use one of {accepted}")]
pub struct UnknownChoice {
    /// The word, cut to 64 characters.
    pub text: String,
    /// The accepted words, for people.
    pub accepted: &'static str,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Not begun.
    #[default]
    Pending,
    /// Begun.
    InProgress,
    /// Done; `completedAt` says when.
    Completed,
}

impl Status {
    /// Every status, in the order of a task's life.
    pub const ALL: [Self; 3] = [Self::Pending, Self::InProgress, Self::Completed];

    /// Reads a status in any case; `in_progress`, `in progress` and `InProgress` are `in-progress`.
    pub fn parse(text: &str) -> Result<Self, UnknownChoice> {
        match folded(text).as_str() {
            "pending" => Ok(Self::Pending),
            "inprogress" => Ok(Self::InProgress),
            "completed" => Ok(Self::Completed),
            _ => Err(unknown(text, "pending, in-progress, completed")),
        }
    }

    /// The canonical word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
        }
    }
}

/// How much a task matters. The order of the variants is urgent first, as lists show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Before anything else.
    Urgent,
    /// Soon.
    High,
    /// The default.
    #[default]
    Medium,
    /// Some day.
    Low,
}

impl Priority {
    /// Every priority, urgent first.
    pub const ALL: [Self; 4] = [Self::Urgent, Self::High, Self::Medium, Self::Low];

    /// Reads a priority in any case.
    pub fn parse(text: &str) -> Result<Self, UnknownChoice> {
        match folded(text).as_str() {
            "urgent" => Ok(Self::Urgent),
            "high" => Ok(Self::High),
            "medium" => Ok(Self::Medium),
            "low" => Ok(Self::Low),
            _ => Err(unknown(text, "low, medium, high, urgent")),
        }
    }

    /// The canonical word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

fn folded(text: &str) -> String {
    text.trim()
        .chars()
        .filter(|character| !matches!(character, '-' | '_' | ' '))
        .map(|character| character.to_ascii_lowercase())
        .take(64)
        .collect()
}

fn unknown(text: &str, accepted: &'static str) -> UnknownChoice {
    UnknownChoice { text: text.chars().take(64).collect(), accepted }
}

macro_rules! as_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownChoice;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
    };
}

as_text!(Status);
as_text!(Priority);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case() {
        for text in ["in-progress", "IN_PROGRESS", "In Progress", "inProgress"] {
            assert_eq!(Status::parse(text).unwrap(), Status::InProgress, "{text}");
        }
        assert_eq!(Priority::parse("High").unwrap(), Priority::High);
    }

    #[test]
    fn every_word_reads_back() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()).unwrap(), status);
        }
        for priority in Priority::ALL {
            assert_eq!(Priority::parse(priority.as_str()).unwrap(), priority);
        }
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_accepted_ones() {
        let error = Priority::parse("asap").unwrap_err();
        assert_eq!(error.to_string(), "`asap` is not accepted: use one of low, medium, high, urgent");
    }
}
