//! Search, page after page by number.

use jiff::Timestamp;

use super::filter::{Filter, Scope};
use super::select::{Choice, Chosen};
use super::sort::{Order, Sort};
use super::text::Needle;
use crate::list::{ReadError, TaskList};
use crate::task::{DueDate, Priority, Status, Task, TimeZoneName};

/// Which tasks to find. Parts that are absent match any task; the others must all match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// A text in title, description or a tag, whatever the case, taken literally.
    pub text: Option<String>,
    /// Only tasks of this status.
    pub status: Option<Status>,
    /// Only tasks of this priority.
    pub priority: Option<Priority>,
    /// Only tasks with all of these tags, whatever their case.
    pub tags: Vec<String>,
    /// Only tasks due then or later.
    pub due_from: Option<DueDate>,
    /// Only tasks due then or earlier; a day is included to its end.
    pub due_to: Option<DueDate>,
    /// The zone in which days given as bounds begin and end.
    pub time_zone: TimeZoneName,
    /// Only tasks that are, or are not, overdue.
    pub overdue: Option<bool>,
    /// By when they were made unless told otherwise.
    pub sort: Sort,
    /// The sort's own order unless told otherwise.
    pub order: Option<Order>,
    /// Which page, from 1; the first unless told otherwise.
    pub page: Option<usize>,
    /// How many on a page, 1 to 100; 10 unless told otherwise.
    pub limit: Option<usize>,
}

/// One page of what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPage {
    /// The tasks, in order; none behind the last page.
    pub items: Vec<Task>,
    /// How many were found in all.
    pub total: u32,
    /// Which page this is, from 1.
    pub page: usize,
    /// How many are on a page.
    pub limit: usize,
    /// How many pages there are; 0 when nothing was found.
    pub pages: usize,
}

impl SearchQuery {
    /// The most tasks of one page.
    pub const MAX_LIMIT: usize = 100;
    /// The last page that may be asked for; no list has so many.
    pub const MAX_PAGE: usize = 1_000_000;
    /// The tasks of a page when no limit is given.
    pub const DEFAULT_LIMIT: usize = 10;

    /// Finds the tasks.
    pub fn run(&self, list: &TaskList, now: Timestamp) -> Result<SearchPage, ReadError> {
        let limit = self.limit.unwrap_or(Self::DEFAULT_LIMIT).clamp(1, Self::MAX_LIMIT);
        let page = self.page.unwrap_or(1).max(1);
        let filter = Filter {
            scope: Scope::Live,
            status: self.status,
            priority: self.priority,
            tags: self.tags.iter().map(|tag| crate::task::normal_tag(tag)).collect(),
            text: self.text.as_deref().and_then(Needle::parse),
            due_from: self.due_from,
            due_to: self.due_to,
            time_zone: self.time_zone.clone(),
            overdue: self.overdue,
        };
        let skipped = (page - 1).saturating_mul(limit);
        let choice = Choice {
            filter: &filter,
            sort: self.sort,
            order: self.order.unwrap_or(self.sort.default_order()),
            as_of: now,
            after: None,
            limit: skipped.saturating_add(limit),
        };
        let Chosen { mut hits, total, more } = choice.run(list)?;
        hits.drain(..skipped.min(hits.len()));
        let items = Chosen { hits, total, more }.tasks(list)?;
        let pages = usize::try_from(total).unwrap_or(usize::MAX).div_ceil(limit);
        Ok(SearchPage { items, total, page, limit, pages })
    }
}
