//! Which tasks a query wants, asked of a task and of a whole page.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::text::Needle;
use crate::calendar::plus_milliseconds;
use crate::list::{Counts, PageSummary};
use crate::task::{DueDate, Priority, Status, TimeZoneName};
use crate::view::{TaskView, Zones};

/// Inside or outside the trash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Scope {
    /// Outside.
    #[default]
    Live,
    /// Inside.
    Trash,
}

/// What all wanted tasks have; parts that are absent match any task.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) scope: Scope,
    pub(crate) status: Option<Status>,
    pub(crate) priority: Option<Priority>,
    /// In their stored form.
    pub(crate) tags: Vec<String>,
    pub(crate) text: Option<Needle>,
    pub(crate) due_from: Option<DueDate>,
    pub(crate) due_to: Option<DueDate>,
    /// The zone of bounds that are days.
    pub(crate) time_zone: TimeZoneName,
    pub(crate) overdue: Option<bool>,
}

/// A filter made ready for many tasks.
pub(crate) struct Matcher<'f> {
    filter: &'f Filter,
    as_of: Timestamp,
    from: Option<(DueDate, Timestamp)>,
    to: Option<(DueDate, Timestamp)>,
}

impl Filter {
    /// How many of these tasks match, when their counts alone can tell.
    pub(crate) fn count(&self, counts: &Counts) -> Option<u32> {
        let only_status = self.priority.is_none()
            && self.tags.is_empty()
            && self.text.is_none()
            && self.due_from.is_none()
            && self.due_to.is_none()
            && self.overdue.is_none();
        only_status.then(|| self.at_most(counts)).filter(|_| self.scope == Scope::Live || self.status.is_none())
    }

    /// How many of these tasks match at most.
    pub(crate) fn at_most(&self, counts: &Counts) -> u32 {
        match (self.scope, self.status) {
            (Scope::Trash, _) => counts.trashed,
            (Scope::Live, None) => counts.live(),
            (Scope::Live, Some(status)) => counts.with_status(status),
        }
    }

    pub(crate) fn matcher(&self, as_of: Timestamp) -> Matcher<'_> {
        let zone = self.time_zone.zone();
        Matcher {
            filter: self,
            as_of,
            from: self.due_from.map(|due| (due, due.start(&zone))),
            to: self.due_to.map(|due| (due, due.deadline(&zone))),
        }
    }
}

impl Matcher<'_> {
    /// Whether any task of a page can match.
    pub(crate) fn may_match(&self, page: &PageSummary) -> bool {
        if self.filter.at_most(&page.counts) == 0 {
            return false;
        }
        if self.filter.scope == Scope::Trash {
            return true;
        }
        let overdue = self.filter.overdue == Some(true);
        if overdue && page.counts.open() == 0 {
            return false;
        }
        if !overdue && self.from.is_none() && self.to.is_none() {
            return true;
        }
        let Some((earliest, latest)) = page.deadlines else { return false };
        // A day is compared as a day, in whatever zone: two days cover any two zones' difference.
        const SLACK: i64 = 48 * 60 * 60 * 1000;
        let not_too_early =
            self.from.is_none_or(|(_, from)| plus_milliseconds(latest, SLACK).is_none_or(|latest| latest >= from));
        let not_too_late =
            self.to.is_none_or(|(_, to)| plus_milliseconds(earliest, -SLACK).is_none_or(|earliest| earliest <= to));
        not_too_early && not_too_late && (!overdue || earliest < self.as_of)
    }

    /// Whether a task matches; what costs least is asked first.
    pub(crate) fn matches<'a>(&self, view: &TaskView<'a>, zones: &mut Zones<'a>) -> bool {
        let filter = self.filter;
        view.is_trashed() == (filter.scope == Scope::Trash)
            && filter.status.is_none_or(|status| view.status == status)
            && filter.priority.is_none_or(|priority| view.priority == priority)
            && filter.overdue.is_none_or(|wanted| self.is_overdue(view, zones) == wanted)
            && self.is_due_between(view, zones)
            && self.has_tags(view)
            && filter.text.as_ref().is_none_or(|needle| needle.is_in(view))
    }

    fn is_overdue<'a>(&self, view: &TaskView<'a>, zones: &mut Zones<'a>) -> bool {
        view.status != Status::Completed && view.deadline(zones).is_some_and(|deadline| deadline < self.as_of)
    }

    fn is_due_between<'a>(&self, view: &TaskView<'a>, zones: &mut Zones<'a>) -> bool {
        if self.from.is_none() && self.to.is_none() {
            return true;
        }
        let Some(due) = view.due_date() else { return false };
        let mut zone = || view.zone(zones).clone();
        self.from.is_none_or(|(bound, instant)| !is_before(due, bound, instant, &mut zone))
            && self.to.is_none_or(|(bound, instant)| !is_after(due, bound, instant, &mut zone))
    }

    fn has_tags(&self, view: &TaskView<'_>) -> bool {
        if self.filter.tags.is_empty() {
            return true;
        }
        let tags = view.tags();
        self.filter.tags.iter().all(|wanted| tags.iter().any(|tag| tag == wanted))
    }
}

/// A day is compared with the bound's day, an instant with the bound's instant.
fn is_before(due: DueDate, bound: DueDate, instant: Timestamp, zone: &mut dyn FnMut() -> TimeZone) -> bool {
    match due {
        DueDate::At(due) => due < instant,
        DueDate::On(day) => day < bound.day(&zone()),
    }
}

fn is_after(due: DueDate, bound: DueDate, instant: Timestamp, zone: &mut dyn FnMut() -> TimeZone) -> bool {
    match due {
        DueDate::At(due) => due > instant,
        DueDate::On(day) => day > bound.day(&zone()),
    }
}
