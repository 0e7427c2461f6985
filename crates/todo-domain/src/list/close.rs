//! The end of a list, when its user goes.

use jiff::Timestamp;

use super::TaskList;
use super::command::{DocumentKey, DocumentWrite, ReadError};
use super::document::{Head, PageNumber};
use super::held::HeldEvent;
use super::work::{Work, to_json};
use crate::event::{AccountDeleted, TaskEvent};
use crate::ids::{EventId, Ids};
use crate::task::to_millisecond;

/// The end of a list.
#[derive(Debug)]
pub struct Closing {
    /// That each task outside the trash is deleted.
    pub events: Vec<TaskEvent>,
    /// The user's last event, behind those.
    pub farewell: AccountDeleted,
    /// What is to be stored, the head first.
    pub writes: Vec<DocumentWrite>,
}

impl TaskList {
    /// Removes every task and page for good, and leaves a head that takes no more commands, so that a late writer
    /// does not begin the list anew.
    ///
    /// Consumers are told that each task outside the trash is deleted, and then that the user has gone.
    /// A closed list stays as it is: `None`.
    ///
    /// # Errors
    /// [`ReadError::PagesNeeded`] until every page with a task outside the trash is loaded.
    pub fn close(&mut self, now: Timestamp, ids: Ids<'_>) -> Result<Option<Closing>, ReadError> {
        if self.is_closed() {
            return Ok(None);
        }
        let tasks = self.tasks()?;
        let mut work = Work::on(self, now);
        for task in tasks {
            work.tell_deleted(&task, &mut *ids);
        }
        let (sequence, events) = work.told();
        let sequence = sequence + 1;
        let farewell = AccountDeleted::new(EventId::new(ids()), self.head.user_id, sequence, to_millisecond(now));
        let mut pending = std::mem::take(&mut self.head.pending);
        if self.holds_events {
            pending.extend(events.iter().map(HeldEvent::of));
            pending.push(HeldEvent::of(&farewell));
        }
        let pages: Vec<PageNumber> = self.head.pages.iter().map(|page| page.number).collect();
        self.head = Head {
            sequence,
            revision: self.head.revision + 1,
            next_page: self.head.next_page,
            pending,
            closed: true,
            ..Head::empty(self.head.user_id)
        };
        self.pages.clear();
        let removed = pages.into_iter().map(|number| DocumentWrite { key: DocumentKey::Page(number), json: None });
        let head = DocumentWrite { key: DocumentKey::Head, json: Some(to_json(&self.head)) };
        Ok(Some(Closing { events, farewell, writes: std::iter::once(head).chain(removed).collect() }))
    }

    /// Whether [`TaskList::close`] has ended this list.
    pub const fn is_closed(&self) -> bool {
        self.head.closed
    }
}
