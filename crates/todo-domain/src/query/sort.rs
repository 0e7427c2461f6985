//! The orders in which tasks are shown.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::TaskId;
use crate::task::{Status, UnknownChoice};
use crate::view::{TaskView, Zones};

/// What tasks are sorted by.
///
/// Tasks that lack it come last in either order; ties are broken by the due date, then the newest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sort {
    /// When they were made.
    #[default]
    CreatedAt,
    /// When they last changed.
    UpdatedAt,
    /// When they are due; overdue ones first in either order.
    DueDate,
    /// How much they matter; ascending is urgent first.
    Priority,
    /// Their titles, whatever the case.
    Title,
    /// When they went to the trash.
    DeletedAt,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Order {
    /// Smallest, earliest or most urgent first.
    #[serde(rename = "asc")]
    Ascending,
    /// Greatest, latest or least urgent first.
    #[serde(rename = "desc")]
    Descending,
}

impl Sort {
    /// Reads `createdAt`, `updatedAt`, `dueDate`, `priority` or `title`, in any case and with underscores.
    pub fn parse(text: &str) -> Result<Self, UnknownChoice> {
        let folded: String = text
            .trim()
            .chars()
            .filter(|character| *character != '_')
            .map(|character| character.to_ascii_lowercase())
            .take(64)
            .collect();
        match folded.as_str() {
            "createdat" => Ok(Self::CreatedAt),
            "updatedat" => Ok(Self::UpdatedAt),
            "duedate" => Ok(Self::DueDate),
            "priority" => Ok(Self::Priority),
            "title" => Ok(Self::Title),
            _ => Err(UnknownChoice {
                text: text.chars().take(64).collect(),
                accepted: "createdAt, updatedAt, dueDate, priority, title",
            }),
        }
    }

    /// The order that is meant when none is given: newest first for times of making, changing and deleting, ascending for the others.
    pub const fn default_order(self) -> Order {
        match self {
            Self::CreatedAt | Self::UpdatedAt | Self::DeletedAt => Order::Descending,
            Self::DueDate | Self::Priority | Self::Title => Order::Ascending,
        }
    }
}

impl Order {
    /// Reads `asc` or `desc`, in any case.
    pub fn parse(text: &str) -> Result<Self, UnknownChoice> {
        match text.trim().to_ascii_lowercase().as_str() {
            "asc" => Ok(Self::Ascending),
            "desc" => Ok(Self::Descending),
            _ => Err(UnknownChoice { text: text.chars().take(64).collect(), accepted: "asc, desc" }),
        }
    }
}

/// Where a task stands in an order: smaller comes first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position<'a> {
    /// 0 for overdue tasks in the order of due dates, 2 for tasks that lack what is sorted by, else 1.
    group: u8,
    /// What is sorted by, when it is a number; negated for descending orders.
    number: i64,
    /// What is sorted by, when it is a text.
    #[serde(borrow)]
    text: Cow<'a, str>,
    /// The deadline, the latest for none.
    deadline: i64,
    /// When it was made, negated unless that is what is sorted by, upwards.
    created: i64,
    id: TaskId,
    /// Whether texts run downwards.
    #[serde(skip)]
    texts_down: bool,
    /// Whether ids run downwards: newest first, unless what is sorted by is the making, upwards.
    #[serde(skip)]
    ids_down: bool,
}

impl<'a> Position<'a> {
    pub(crate) fn of(view: &TaskView<'a>, sort: Sort, order: Order, as_of: Timestamp, zones: &mut Zones<'a>) -> Self {
        let descending = order == Order::Descending;
        let directed = |number: i64| if descending { -number } else { number };
        let by_creation = sort == Sort::CreatedAt;
        let deadline = if by_creation { None } else { view.deadline(zones).map(Timestamp::as_millisecond) };
        let created = view.created_at().as_millisecond();
        let mut group = 1;
        let mut text = Cow::Borrowed("");
        let number = match sort {
            Sort::CreatedAt => Some(created),
            Sort::UpdatedAt => Some(view.updated_at().as_millisecond()),
            Sort::DeletedAt => view.deleted_at().map(Timestamp::as_millisecond),
            Sort::Priority => Some(view.priority as i64),
            Sort::DueDate => {
                let overdue = view.status != Status::Completed
                    && deadline.is_some_and(|deadline| deadline < as_of.as_millisecond());
                if overdue {
                    group = 0;
                }
                deadline
            }
            Sort::Title => {
                text = lower(&view.title);
                Some(0)
            }
        };
        if number.is_none() {
            group = 2;
        }
        Self {
            group,
            number: number.map_or(0, directed),
            text,
            deadline: if by_creation { 0 } else { deadline.unwrap_or(i64::MAX) },
            created: if by_creation { 0 } else { -created },
            id: view.id,
            texts_down: false,
            ids_down: false,
        }
        .directed(sort, order)
    }

    /// Sets what the stored form leaves out.
    pub(crate) fn directed(mut self, sort: Sort, order: Order) -> Self {
        self.texts_down = order == Order::Descending;
        self.ids_down = self.texts_down || sort != Sort::CreatedAt;
        self
    }

    /// Where a task made then, with this id, stands in the order of making.
    pub(crate) fn of_making(created: Timestamp, id: TaskId, order: Order) -> Position<'static> {
        let created = created.as_millisecond();
        Position {
            group: 1,
            number: if order == Order::Descending { -created } else { created },
            text: Cow::Borrowed(""),
            deadline: 0,
            created: 0,
            id,
            texts_down: false,
            ids_down: false,
        }
        .directed(Sort::CreatedAt, order)
    }

    pub(crate) fn into_owned(self) -> Position<'static> {
        Position { text: Cow::Owned(self.text.into_owned()), ..self }
    }
}

impl Ord for Position<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let downwards = |ordering: Ordering, down: bool| if down { ordering.reverse() } else { ordering };
        self.group
            .cmp(&other.group)
            .then_with(|| self.number.cmp(&other.number))
            .then_with(|| downwards(self.text.cmp(&other.text), self.texts_down))
            .then_with(|| self.deadline.cmp(&other.deadline))
            .then_with(|| self.created.cmp(&other.created))
            .then_with(|| downwards(self.id.cmp(&other.id), self.ids_down))
    }
}

impl PartialOrd for Position<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The text in lower case, copied only when that differs.
pub(crate) fn lower<'a>(text: &Cow<'a, str>) -> Cow<'a, str> {
    let is_lower = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    match text {
        Cow::Borrowed(text) if is_lower => Cow::Borrowed(text),
        _ => Cow::Owned(text.to_lowercase()),
    }
}
