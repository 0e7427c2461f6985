//! The inbox: what a user was told, until newer notifications take its place.
//!
//! It is what the newest [`MAX_ENTRIES`] of all entries that were ever added leave, whatever their order and however
//! often each came; only whether an entry was read is not said by the entries themselves.

use dapr::Transport;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use todo_domain::{DueDate, TaskId, UserId, instant};
use uuid::Uuid;

use crate::{App, documents::UserDocument, failure::Failure, http::problem::Problem};

/// The most entries that an inbox keeps: months of a busy user's, and a document of a few hundred kilobytes at most.
pub const MAX_ENTRIES: usize = 500;
/// The entries of a page unless it says otherwise.
pub const DEFAULT_LIMIT: usize = 50;

/// What an entry tells of. Others come from newer releases.
pub mod entry_kind {
    /// A task is to be remembered.
    pub const REMINDER: &str = "reminder";
    /// What the day brings.
    pub const DIGEST: &str = "digest";
    /// A webhook was switched off.
    pub const WEBHOOK_DISABLED: &str = "webhook-disabled";
}

/// One thing that a user was told, as it is stored and answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Notification"))]
pub struct Entry {
    /// The reminder's, the digest's or the note's own id.
    pub id: Uuid,
    /// What it tells of: `reminder`, `digest`, `webhook-disabled`; clients pass over what they do not know.
    pub kind: String,
    /// The task, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
    /// One line.
    pub title: String,
    /// More lines, where there is more to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When the task is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<DueDate>,
    /// When it came about.
    #[serde(deserialize_with = "instant::read")]
    pub created_at: Timestamp,
    /// When the user read it; absent until then.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "instant::read")]
    pub read_at: Option<Timestamp>,
    /// What a newer release added; kept as it is.
    #[serde(flatten)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub other: Map<String, Value>,
}

impl Entry {
    /// An entry that was not read.
    pub(crate) fn new(id: Uuid, kind: &str, title: String, created_at: Timestamp) -> Self {
        Self {
            id,
            kind: kind.to_owned(),
            task_id: None,
            title,
            text: None,
            due_date: None,
            created_at,
            read_at: None,
            other: Map::new(),
        }
    }

    /// What entries are sorted by, the newest first; ids tell apart what came about at once.
    fn order(&self) -> std::cmp::Reverse<(Timestamp, Uuid)> {
        std::cmp::Reverse((self.created_at, self.id))
    }
}

/// An inbox, as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbox {
    /// The newest first.
    #[serde(default)]
    entries: Vec<Entry>,
    /// Whether the user's account is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    closed: bool,
    /// What a newer release added; kept as it is.
    #[serde(flatten)]
    other: Map<String, Value>,
}

impl UserDocument for Inbox {
    fn key(user: UserId) -> String {
        format!("inbox/{user}")
    }

    fn is_closed(&self) -> bool {
        self.closed
    }

    fn closed() -> Self {
        Self { closed: true, ..Self::default() }
    }
}

/// Some entries of an inbox, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxPage {
    /// The newest first.
    pub entries: Vec<Entry>,
    /// Where the next page begins: behind this entry. `None` at the end.
    pub next: Option<Uuid>,
    /// How many entries were not read.
    pub unread: usize,
    /// How many entries there are.
    pub total: usize,
}

impl Inbox {
    /// Adds an entry in its place, and lets the oldest go where there are too many. One that is there stays as it is.
    pub fn add(&mut self, entry: Entry) {
        if self.entries.iter().any(|known| known.id == entry.id) {
            return;
        }
        let place = self.entries.partition_point(|known| known.order() < entry.order());
        self.entries.insert(place, entry);
        self.entries.truncate(MAX_ENTRIES);
    }

    /// Marks an entry as read; one that was read before keeps its time. `false` when it is not there.
    pub fn mark_read(&mut self, id: Uuid, now: Timestamp) -> bool {
        let entry = self.entries.iter_mut().find(|entry| entry.id == id);
        entry.map(|entry| entry.read_at.get_or_insert(now)).is_some()
    }

    /// Marks every entry as read.
    pub fn mark_all_read(&mut self, now: Timestamp) {
        for entry in &mut self.entries {
            entry.read_at.get_or_insert(now);
        }
    }

    /// At most `limit` entries behind the one with the id `after`, or from the newest on.
    /// Behind an entry that went there is nothing: those older than it went before.
    pub fn page(&self, limit: usize, after: Option<Uuid>) -> InboxPage {
        let begin = match after {
            None => 0,
            Some(after) => {
                self.entries.iter().position(|entry| entry.id == after).map_or(self.entries.len(), |at| at + 1)
            }
        };
        let end = self.entries.len().min(begin + limit);
        let entries = self.entries[begin..end].to_vec();
        let next = entries.last().map(|entry| entry.id).filter(|_| end < self.entries.len());
        let unread = self.entries.iter().filter(|entry| entry.read_at.is_none()).count();
        InboxPage { entries, next, unread, total: self.entries.len() }
    }
}

impl<T: Transport> App<T> {
    /// A page of a user's inbox.
    ///
    /// # Errors
    /// [`Failure::Closed`] when the account is gone; [`Failure::Sidecar`] when the store is away.
    pub async fn inbox(&self, user: UserId, limit: usize, after: Option<Uuid>) -> Result<InboxPage, Failure> {
        Ok(self.user_document::<Inbox>(user).await?.page(limit, after))
    }

    /// Marks one entry of a user's inbox as read. Again is no error.
    ///
    /// # Errors
    /// 404 when it is not there; as [`App::inbox`].
    pub async fn mark_notification_read(&self, user: UserId, id: Uuid) -> Result<(), Problem> {
        let mark = |inbox: &mut Inbox| Ok::<_, Failure>(inbox.mark_read(id, self.now));
        let found = self.change_user_document(user, mark).await?;
        if found { Ok(()) } else { Err(Problem::not_found("There is no such notification.")) }
    }

    /// Marks every entry of a user's inbox as read. Again is no error.
    ///
    /// # Errors
    /// As [`App::inbox`].
    pub async fn mark_notifications_read(&self, user: UserId) -> Result<(), Failure> {
        let mark = |inbox: &mut Inbox| {
            inbox.mark_all_read(self.now);
            Ok(())
        };
        self.change_user_document(user, mark).await
    }
}
