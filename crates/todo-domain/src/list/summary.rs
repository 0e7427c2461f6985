//! What the head knows of its pages, so that a query skips those that cannot match.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::document::{PageNumber, Slot, widen};
use crate::ids::TaskId;
use crate::instant;
use crate::task::Status;
use crate::view::Zones;

/// How many tasks there are of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Counts {
    /// Pending and not in the trash.
    pub pending: u32,
    /// In progress and not in the trash.
    pub in_progress: u32,
    /// Completed and not in the trash.
    pub completed: u32,
    /// In the trash, whatever the status.
    pub trashed: u32,
}

impl Counts {
    /// All that are not in the trash.
    pub const fn live(&self) -> u32 {
        self.pending + self.in_progress + self.completed
    }

    /// All that are neither completed nor in the trash.
    pub const fn open(&self) -> u32 {
        self.pending + self.in_progress
    }

    /// All there are.
    pub const fn total(&self) -> u32 {
        self.live() + self.trashed
    }

    /// Those of one status that are not in the trash.
    pub const fn with_status(&self, status: Status) -> u32 {
        match status {
            Status::Pending => self.pending,
            Status::InProgress => self.in_progress,
            Status::Completed => self.completed,
        }
    }

    pub(crate) fn add(&mut self, status: Status, trashed: bool) {
        *self.kind(status, trashed) += 1;
    }

    pub(crate) fn remove(&mut self, status: Status, trashed: bool) {
        let count = self.kind(status, trashed);
        *count = count.saturating_sub(1);
    }

    fn kind(&mut self, status: Status, trashed: bool) -> &mut u32 {
        match status {
            _ if trashed => &mut self.trashed,
            Status::Pending => &mut self.pending,
            Status::InProgress => &mut self.in_progress,
            Status::Completed => &mut self.completed,
        }
    }
}

/// What is true of one page's tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageSummary {
    /// The page.
    pub number: PageNumber,
    /// The head's revision when the page was last written; the page carries the same.
    pub revision: u64,
    /// The smallest and the greatest id.
    pub ids: (TaskId, TaskId),
    /// The earliest and the latest making.
    #[serde(deserialize_with = "instant::read")]
    pub created: (Timestamp, Timestamp),
    /// How many there are.
    pub counts: Counts,
    /// The bytes of their JSON.
    #[serde(default)]
    pub bytes: usize,
    /// The earliest and the latest deadline of those not in the trash.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "instant::read")]
    pub deadlines: Option<(Timestamp, Timestamp)>,
    /// When the one longest in the trash went there.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "instant::read")]
    pub trashed_from: Option<Timestamp>,
}

impl PageSummary {
    /// Whether a task of this id may be on the page.
    pub fn may_hold(&self, id: TaskId) -> bool {
        self.ids.0 <= id && id <= self.ids.1
    }

    /// Sums up a page's tasks; `None` when there are none.
    pub(crate) fn of(number: PageNumber, revision: u64, tasks: &[Slot]) -> Result<Option<Self>, serde_json::Error> {
        let mut ids: Option<(TaskId, TaskId)> = None;
        let mut created = None;
        let mut deadlines = None;
        let mut trashed_from: Option<Timestamp> = None;
        let mut counts = Counts::default();
        let mut zones = Zones::default();
        for slot in tasks {
            let view = slot.view()?;
            ids = Some(ids.map_or((slot.id, slot.id), |(from, to)| (from.min(slot.id), to.max(slot.id))));
            widen(&mut created, view.created_at());
            counts.add(view.status, view.is_trashed());
            match view.deleted_at() {
                Some(at) => trashed_from = Some(trashed_from.map_or(at, |from| from.min(at))),
                None => {
                    if let Some(deadline) = view.deadline(&mut zones) {
                        widen(&mut deadlines, deadline);
                    }
                }
            }
        }
        Ok(ids.zip(created).map(|(ids, created)| Self {
            number,
            revision,
            ids,
            created,
            counts,
            bytes: tasks.iter().map(Slot::bytes).sum(),
            deadlines,
            trashed_from,
        }))
    }
}
