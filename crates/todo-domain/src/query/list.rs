//! The list of tasks, page after page by cursor.

use jiff::Timestamp;

use super::cursor::{Cursor, InvalidCursor};
use super::filter::{Filter, Scope};
use super::select::Choice;
use super::sort::{Order, Sort};
use crate::list::{ReadError, TaskList};
use crate::task::{Priority, Status, Task};

/// Which tasks to list, and in which order. The default is the newest 100 of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Outside the trash unless told otherwise.
    pub scope: Scope,
    /// Only tasks of this status.
    pub status: Option<Status>,
    /// Only tasks of this priority.
    pub priority: Option<Priority>,
    /// Only tasks with all of these tags, whatever their case.
    pub tags: Vec<String>,
    /// By when they were made unless told otherwise.
    pub sort: Sort,
    /// The sort's own order unless told otherwise.
    pub order: Option<Order>,
    /// How many, 1 to 500; 100 unless told otherwise.
    pub limit: Option<usize>,
    /// Where the last page ended.
    pub cursor: Option<Cursor>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// The tasks, in order.
    pub items: Vec<Task>,
    /// How many match in all, on every page.
    pub total: u32,
    /// Where the next page begins; `None` at the end. It may turn out to be empty.
    pub next: Option<Cursor>,
}

impl ListQuery {
    /// The most tasks of one page.
    pub const MAX_LIMIT: usize = 500;
    /// The tasks of a page when no limit is given.
    pub const DEFAULT_LIMIT: usize = 100;

    /// Whether the cursor, if there is one, was given for this sort and order.
    pub fn check_cursor(&self) -> Result<(), InvalidCursor> {
        let order = self.order();
        match &self.cursor {
            Some(cursor) if cursor.sort != self.sort || cursor.order != order => Err(InvalidCursor),
            _ => Ok(()),
        }
    }

    /// Lists the tasks. A cursor of another sort or order is ignored; see [`ListQuery::check_cursor`].
    pub fn run(&self, list: &TaskList, now: Timestamp) -> Result<ListPage, ReadError> {
        let cursor = self.cursor.as_ref().filter(|_| self.check_cursor().is_ok());
        let as_of = cursor.map_or(now, |cursor| cursor.as_of);
        let filter = Filter {
            scope: self.scope,
            status: self.status,
            priority: self.priority,
            tags: self.tags.iter().map(|tag| crate::task::normal_tag(tag)).collect(),
            ..Filter::default()
        };
        let choice = Choice {
            filter: &filter,
            sort: self.sort,
            order: self.order(),
            as_of,
            after: cursor.map(|cursor| &cursor.after),
            limit: self.limit.unwrap_or(Self::DEFAULT_LIMIT).clamp(1, Self::MAX_LIMIT),
        };
        let chosen = choice.run(list)?;
        let next = chosen.hits.last().filter(|_| chosen.more).map(|last| Cursor {
            sort: self.sort,
            order: self.order(),
            as_of,
            after: last.position.clone().into_owned(),
        });
        Ok(ListPage { items: chosen.tasks(list)?, total: chosen.total, next })
    }

    fn order(&self) -> Order {
        self.order.unwrap_or(self.sort.default_order())
    }
}
