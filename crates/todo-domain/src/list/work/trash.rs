//! What happens to tasks in the trash.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Work, in_head};
use crate::ids::TaskId;
use crate::list::command::{CommandError, ReadError};
use crate::list::document::{PageNumber, Slot, malformed};
use crate::list::summary::PageSummary;

impl Work<'_> {
    pub(super) fn purge(&mut self, id: TaskId) -> Result<(), CommandError> {
        let place = self.find(id)?.ok_or(CommandError::NotFound(id))?;
        let task = self.read(place)?;
        if !task.is_trashed() {
            return Err(CommandError::NotFound(id));
        }
        self.remove(place, &task);
        Ok(())
    }

    pub(super) fn purge_before(&mut self, cutoff: Timestamp) -> Result<(), CommandError> {
        let numbers = self.trashed_pages(|from| from < cutoff);
        self.open_all(&numbers)?;
        let expired = |tasks: &[Slot]| -> Result<Vec<TaskId>, serde_json::Error> {
            let mut ids = Vec::new();
            for slot in tasks {
                if slot.view()?.deleted_at().is_some_and(|at| at < cutoff) {
                    ids.push(slot.id);
                }
            }
            Ok(ids)
        };
        let mut ids = expired(&self.head.tasks).map_err(in_head)?;
        for number in numbers {
            let page = self.page(number)?;
            ids.extend(expired(&page.tasks).map_err(|source| ReadError::from(malformed(&number, source)))?);
        }
        for id in ids {
            self.purge(id)?;
        }
        Ok(())
    }

    /// Makes room in a full trash.
    pub(super) fn drop_longest_trashed(&mut self) -> Result<(), CommandError> {
        let mut oldest: Option<(Timestamp, TaskId)> = None;
        let mut consider = |tasks: &[Slot]| -> Result<(), serde_json::Error> {
            for slot in tasks {
                if let Some(at) = slot.view()?.deleted_at()
                    && oldest.is_none_or(|least| (at, slot.id) < least)
                {
                    oldest = Some((at, slot.id));
                }
            }
            Ok(())
        };
        consider(&self.head.tasks).map_err(in_head)?;
        // Pages opened by this commit may differ from their summaries.
        for (number, page) in &self.open {
            consider(&page.tasks).map_err(|source| ReadError::from(malformed(number, source)))?;
        }
        let before_that = oldest.map_or(Timestamp::MAX, |(at, _)| at);
        let first_page = self
            .head
            .pages
            .iter()
            .filter(|page| !self.open.contains_key(&page.number))
            .filter_map(|page| Some((page.trashed_from?, page.number)))
            .min()
            .filter(|(from, _)| *from < before_that);
        if let Some((_, number)) = first_page {
            self.open_all(&[number])?;
            return self.drop_longest_trashed();
        }
        match oldest {
            Some((_, id)) => self.purge(id),
            None => Ok(()),
        }
    }

    fn trashed_pages(&self, wanted: impl Fn(Timestamp) -> bool) -> Vec<PageNumber> {
        let trashed = |page: &&PageSummary| page.trashed_from.is_some_and(&wanted);
        let known = self.head.pages.iter().filter(trashed).map(|page| page.number);
        known.chain(self.dirty.iter().copied()).collect::<BTreeSet<_>>().into_iter().collect()
    }
}
