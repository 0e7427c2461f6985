//! The end of a commit: the head brought within its bound, summaries made true, documents written.

use serde::Serialize;

use super::{Work, in_head};
use crate::event::TaskEvent;
use crate::list::command::{DocumentKey, DocumentWrite, ReadError};
use crate::list::document::{Head, PageNumber, malformed};
use crate::list::held::HeldEvent;
use crate::list::summary::PageSummary;
use crate::list::{PAGE_BOUND, spill};

/// A commit that is ready: nothing changed when there is no head.
pub(in crate::list) struct Done {
    pub(in crate::list) head: Option<Head>,
    pub(in crate::list) events: Vec<TaskEvent>,
    pub(in crate::list) writes: Vec<DocumentWrite>,
}

impl Work<'_> {
    /// Spills what the head has no room for, sums up the pages, and writes the documents.
    pub(in crate::list) fn finish(mut self) -> Result<Done, ReadError> {
        if !self.changed {
            return Ok(Done { head: None, events: Vec::new(), writes: Vec::new() });
        }
        self.spill()?;
        self.head.revision += 1;
        let mut writes = Vec::with_capacity(1 + self.dirty.len());
        for number in std::mem::take(&mut self.dirty) {
            writes.push(self.close(number)?);
        }
        if self.list.holds_events {
            self.head.pending.extend(self.events.iter().map(HeldEvent::of));
        }
        writes.insert(0, DocumentWrite { key: DocumentKey::Head, json: Some(to_json(&self.head)) });
        Ok(Done { head: Some(self.head), events: self.events, writes })
    }

    fn spill(&mut self) -> Result<(), ReadError> {
        let target = spill::target(&self.head, 0);
        if let Some(number) = target {
            self.open_all(&[number])?;
        }
        let mut spilled = spill::take(&mut self.head.tasks).map_err(in_head)?.into_iter().peekable();
        let mut number = target;
        while spilled.peek().is_some() {
            let number = number.take().unwrap_or_else(|| {
                let number = PageNumber(self.head.next_page);
                self.head.next_page += 1;
                number
            });
            let page = self.dirty_page(number);
            let room = PAGE_BOUND.saturating_sub(page.tasks.len());
            page.tasks.extend(spilled.by_ref().take(room));
        }
        Ok(())
    }

    /// Brings a changed page's summary up to date and writes the page; one that is empty goes.
    fn close(&mut self, number: PageNumber) -> Result<DocumentWrite, ReadError> {
        let revision = self.head.revision;
        let page = self.dirty_page(number);
        page.revision = revision;
        let summary = PageSummary::of(number, revision, &page.tasks).map_err(|source| malformed(&number, source))?;
        let json = summary.is_some().then(|| to_json(page));
        self.head.pages.retain(|known| known.number != number);
        if let Some(summary) = summary {
            let place = self.head.pages.partition_point(|known| known.number < number);
            self.head.pages.insert(place, summary);
        }
        Ok(DocumentWrite { key: DocumentKey::Page(number), json })
    }
}

/// The JSON of a document.
pub(in crate::list) fn to_json(document: &impl Serialize) -> String {
    serde_json::to_string(document).expect("documents have no map with keys that are not text")
}
