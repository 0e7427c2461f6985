//! The documents of one user's list: the head, and the pages behind it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::held::HeldEvent;
use super::summary::{Counts, PageSummary};
use crate::ids::{TaskId, UserId};
use crate::task::Task;
use crate::view::TaskView;

/// The schema version that this release writes into documents.
///
/// It is raised only for a form that older releases must not touch; fields may be added without.
pub const DOCUMENT_SCHEMA_VERSION: u32 = 1;

/// A page's number: counted from 1, never used twice in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageNumber(pub u32);

impl std::fmt::Display for PageNumber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A stored document that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Its text is not what this release knows.
    #[error("{document} of the task list is malformed")]
    Malformed {
        /// Which document.
        document: String,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A newer release wrote it in a form of its own.
    #[error("{document} of the task list has schema version {found}, this release knows {DOCUMENT_SCHEMA_VERSION}")]
    NewerSchema {
        /// Which document.
        document: String,
        /// The version found.
        found: u32,
    },
    /// It belongs elsewhere: another user's head, or another page.
    #[error("{document} of the task list is not the one that was asked for")]
    Misplaced {
        /// Which document.
        document: String,
    },
}

/// The head document: the newest and the most recently touched tasks, and what is known of the pages.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Head {
    pub(crate) schema_version: u32,
    pub(crate) user_id: UserId,
    /// The number of the last event.
    pub(crate) sequence: u64,
    /// The number of the last write.
    pub(crate) revision: u64,
    /// Of the whole list, pages included.
    pub(crate) counts: Counts,
    /// The number that the next new page gets.
    pub(crate) next_page: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pages: Vec<PageSummary>,
    /// What was told and may not have been published yet ([`super::held`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pending: Vec<HeldEvent>,
    /// What of its writes the user has spent ([`super::pace`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) paced_until: Option<i64>,
    /// Whether the account is gone: the list takes no more commands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) closed: bool,
    pub(crate) tasks: Vec<Slot>,
    /// What a newer release added; kept as it is.
    #[serde(flatten)]
    pub(crate) other: Map<String, Value>,
}

/// A page document: tasks that the head has no room for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page {
    pub(crate) schema_version: u32,
    pub(crate) user_id: UserId,
    pub(crate) page: PageNumber,
    /// The head's revision when this page was last written.
    pub(crate) revision: u64,
    pub(crate) tasks: Vec<Slot>,
    /// What a newer release added; kept as it is.
    #[serde(flatten)]
    pub(crate) other: Map<String, Value>,
}

/// A page as queries see it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageView<'a> {
    pub(crate) schema_version: u32,
    pub(crate) user_id: UserId,
    pub(crate) page: PageNumber,
    pub(crate) revision: u64,
    #[serde(borrow)]
    pub(crate) tasks: Vec<TaskView<'a>>,
}

/// The tasks of a page as texts, for the few that a query answers with.
#[derive(Debug, Deserialize)]
pub(crate) struct PageTexts<'a> {
    #[serde(borrow)]
    pub(crate) tasks: Vec<&'a RawValue>,
}

/// A stored task: its id, and its JSON as it was read.
///
/// A write touches one task of many; the others go from one text to the next as they are, which costs a copy and keeps fields that this release does not know.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) id: TaskId,
    json: Arc<RawValue>,
}

impl Slot {
    /// The text of a task.
    pub(crate) fn of(task: &Task) -> Self {
        let json = serde_json::value::to_raw_value(task).expect("a task has no map with keys that are not text");
        Self { id: task.id, json: json.into() }
    }

    /// The bytes of its JSON.
    pub(crate) fn bytes(&self) -> usize {
        self.json.get().len()
    }

    pub(crate) fn task(&self) -> Result<Task, serde_json::Error> {
        serde_json::from_str(self.json.get())
    }

    pub(crate) fn view(&self) -> Result<TaskView<'_>, serde_json::Error> {
        serde_json::from_str(self.json.get())
    }
}

impl Serialize for Slot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::serialize(&self.json, serializer)
    }
}

impl<'de> Deserialize<'de> for Slot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json: Box<RawValue> = Deserialize::deserialize(deserializer)?;
        let id = id_of(json.get()).map_err(serde::de::Error::custom)?;
        Ok(Self { id, json: json.into() })
    }
}

/// The id of a task's JSON. This crate writes it first, and reads it wherever it is.
fn id_of(json: &str) -> Result<TaskId, serde_json::Error> {
    const PREFIX: &str = "{\"id\":\"";
    const HYPHENATED: usize = 36;

    if let Some(rest) = json.strip_prefix(PREFIX)
        && let Some(text) = rest.get(..HYPHENATED)
        && rest.as_bytes().get(HYPHENATED) == Some(&b'"')
        && let Ok(id) = TaskId::parse(text)
    {
        return Ok(id);
    }
    #[derive(Deserialize)]
    struct OnlyId {
        id: TaskId,
    }
    serde_json::from_str::<OnlyId>(json).map(|only| only.id)
}

impl Head {
    pub(crate) fn empty(user_id: UserId) -> Self {
        Self {
            schema_version: DOCUMENT_SCHEMA_VERSION,
            user_id,
            sequence: 0,
            revision: 0,
            counts: Counts::default(),
            next_page: 1,
            pages: Vec::new(),
            pending: Vec::new(),
            paced_until: None,
            closed: false,
            other: Map::new(),
            tasks: Vec::new(),
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self, DocumentError> {
        let head: Self = serde_json::from_str(text).map_err(|source| malformed(&HEAD, source))?;
        known_schema(&HEAD, head.schema_version)?;
        Ok(head)
    }

    pub(crate) fn summary(&self, number: PageNumber) -> Option<&PageSummary> {
        self.pages.iter().find(|summary| summary.number == number)
    }
}

impl Page {
    pub(crate) fn empty(user_id: UserId, number: PageNumber) -> Self {
        Self {
            schema_version: DOCUMENT_SCHEMA_VERSION,
            user_id,
            page: number,
            revision: 0,
            tasks: Vec::new(),
            other: Map::new(),
        }
    }

    pub(crate) fn parse(number: PageNumber, text: &str) -> Result<Self, DocumentError> {
        let page: Self = serde_json::from_str(text).map_err(|source| malformed(&number, source))?;
        known_schema(&number, page.schema_version)?;
        Ok(page)
    }
}

impl<'a> PageView<'a> {
    pub(crate) fn parse(number: PageNumber, text: &'a str) -> Result<Self, DocumentError> {
        let page: Self = serde_json::from_str(text).map_err(|source| malformed(&number, source))?;
        known_schema(&number, page.schema_version)?;
        Ok(page)
    }
}

/// Which document of a list.
pub(crate) trait Named {
    fn name(&self) -> String;
}

/// The head, as a name.
pub(crate) struct HeadName;
pub(crate) const HEAD: HeadName = HeadName;

impl Named for HeadName {
    fn name(&self) -> String {
        "the head".to_owned()
    }
}

impl Named for PageNumber {
    fn name(&self) -> String {
        format!("page {self}")
    }
}

pub(crate) fn malformed(document: &dyn Named, source: serde_json::Error) -> DocumentError {
    DocumentError::Malformed { document: document.name(), source }
}

fn known_schema(document: &dyn Named, found: u32) -> Result<(), DocumentError> {
    if found <= DOCUMENT_SCHEMA_VERSION {
        Ok(())
    } else {
        Err(DocumentError::NewerSchema { document: document.name(), found })
    }
}

/// The earliest and latest of some instants.
pub(crate) fn widen(range: &mut Option<(Timestamp, Timestamp)>, instant: Timestamp) {
    *range = Some(match *range {
        None => (instant, instant),
        Some((from, to)) => (from.min(instant), to.max(instant)),
    });
}
