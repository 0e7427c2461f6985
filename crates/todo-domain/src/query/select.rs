//! Choosing the few tasks that a query answers with out of the many that match.

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::filter::{Filter, Matcher};
use super::sort::{Order, Position, Sort};
use crate::list::document::{HEAD, PageTexts, malformed};
use crate::list::{PageNumber, PageSummary, ReadError, TaskList};
use crate::sorting::{First, order_of};
use crate::task::Task;
use crate::view::Zones;

/// What is wanted, in which order, from where on.
pub(crate) struct Choice<'q> {
    pub(crate) filter: &'q Filter,
    pub(crate) sort: Sort,
    pub(crate) order: Order,
    pub(crate) as_of: Timestamp,
    /// Only what comes behind this.
    pub(crate) after: Option<&'q Position<'static>>,
    /// How many of the first.
    pub(crate) limit: usize,
}

/// What was chosen.
pub(crate) struct Chosen<'a> {
    /// The first ones, in order.
    pub(crate) hits: Vec<Hit<'a>>,
    /// How many match, whatever the cursor.
    pub(crate) total: u32,
    /// Whether there may be more behind them.
    pub(crate) more: bool,
}

/// A task that matches, and where its text is.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit<'a> {
    pub(crate) position: Position<'a>,
    /// `None` for the head.
    page: Option<PageNumber>,
    index: usize,
}

impl Choice<'_> {
    /// Reads as few pages as will do.
    pub(crate) fn run<'a>(&self, list: &'a TaskList) -> Result<Chosen<'a>, ReadError> {
        match self.filter.count(&list.counts()) {
            Some(total) if self.sort == Sort::CreatedAt => self.run_by_creation(list, total),
            _ => self.run_over_all(list),
        }
    }

    fn run_over_all<'a>(&self, list: &'a TaskList) -> Result<Chosen<'a>, ReadError> {
        let matcher = self.filter.matcher(self.as_of);
        let pages: Vec<PageNumber> =
            list.pages().iter().filter(|page| matcher.may_match(page)).map(|page| page.number).collect();
        list.require(&pages)?;
        let mut scan = Scan::new(self, &matcher);
        scan.head(list)?;
        for number in pages {
            scan.page(list, number)?;
        }
        let total = scan.total;
        Ok(scan.chosen(total, false))
    }

    /// Goes through the pages in the order of making until no other can hold one of the first tasks.
    fn run_by_creation<'a>(&self, list: &'a TaskList, total: u32) -> Result<Chosen<'a>, ReadError> {
        let matcher = self.filter.matcher(self.as_of);
        let (oldest, newest) = (
            |page: &PageSummary| Position::of_making(page.created.0, page.ids.0, self.order),
            |page: &PageSummary| Position::of_making(page.created.1, page.ids.1, self.order),
        );
        // No task of a page comes before the best place or behind the worst.
        let bounds = |page: &PageSummary| match self.order {
            Order::Descending => (newest(page), oldest(page)),
            Order::Ascending => (oldest(page), newest(page)),
        };
        let candidates: Vec<(&PageSummary, Position<'static>)> = list
            .pages()
            .iter()
            .filter(|page| matcher.may_match(page))
            .map(|page| (page, bounds(page)))
            .filter(|(_, (_, worst))| self.after.is_none_or(|after| worst > after))
            .map(|(page, (best, _))| (page, best))
            .collect();
        let best_first = order_of(candidates.len(), &mut |one, other| candidates[one].1.cmp(&candidates[other].1));

        let mut scan = Scan::new(self, &matcher);
        scan.head(list)?;
        let mut missing = Vec::new();
        let mut expected = 0;
        let mut more = false;
        for (page, best) in best_first.into_iter().map(|index| &candidates[index]) {
            let is_complete = scan.first.last().is_some_and(|last| last.position < *best);
            let is_enough = !missing.is_empty() && scan.first.seen() + expected >= self.limit;
            if is_complete || is_enough {
                more = true;
                break;
            }
            if list.require(&[page.number]).is_err() {
                missing.push(page.number);
                expected += usize::try_from(self.filter.at_most(&page.counts)).unwrap_or(usize::MAX);
            } else {
                scan.page(list, page.number)?;
            }
        }
        if missing.is_empty() { Ok(scan.chosen(total, more)) } else { Err(ReadError::PagesNeeded(missing)) }
    }
}

impl Chosen<'_> {
    /// Reads the chosen tasks whole.
    pub(crate) fn tasks(&self, list: &TaskList) -> Result<Vec<Task>, ReadError> {
        let mut texts: Vec<(PageNumber, Vec<&RawValue>)> = Vec::new();
        let mut tasks = Vec::with_capacity(self.hits.len());
        for hit in &self.hits {
            let task = match hit.page {
                None => list.head().tasks[hit.index].task().map_err(|source| malformed(&HEAD, source)),
                Some(number) => {
                    let known = texts.iter().position(|(known, _)| *known == number);
                    let known = match known {
                        Some(known) => known,
                        None => {
                            let page: PageTexts<'_> = serde_json::from_str(list.page_text(number)?)
                                .map_err(|source| malformed(&number, source))?;
                            texts.push((number, page.tasks));
                            texts.len() - 1
                        }
                    };
                    let text = texts[known].1[hit.index].get();
                    serde_json::from_str(text).map_err(|source| malformed(&number, source))
                }
            };
            tasks.push(task?);
        }
        Ok(tasks)
    }
}

/// One pass over documents.
struct Scan<'a, 'q> {
    choice: &'q Choice<'q>,
    matcher: &'q Matcher<'q>,
    zones: Zones<'a>,
    first: First<Hit<'a>>,
    total: u32,
}

impl<'a, 'q> Scan<'a, 'q> {
    fn new(choice: &'q Choice<'q>, matcher: &'q Matcher<'q>) -> Self {
        Self { choice, matcher, zones: Zones::default(), first: First::new(choice.limit), total: 0 }
    }

    fn head(&mut self, list: &'a TaskList) -> Result<(), ReadError> {
        for (index, slot) in list.head().tasks.iter().enumerate() {
            let view = slot.view().map_err(|source| malformed(&HEAD, source))?;
            self.consider(&view, None, index);
        }
        Ok(())
    }

    fn page(&mut self, list: &'a TaskList, number: PageNumber) -> Result<(), ReadError> {
        for (index, view) in list.view_page(number)?.tasks.iter().enumerate() {
            self.consider(view, Some(number), index);
        }
        Ok(())
    }

    fn consider(&mut self, view: &crate::view::TaskView<'a>, page: Option<PageNumber>, index: usize) {
        if !self.matcher.matches(view, &mut self.zones) {
            return;
        }
        self.total += 1;
        let Choice { sort, order, as_of, after, .. } = *self.choice;
        let position = Position::of(view, sort, order, as_of, &mut self.zones);
        if after.is_none_or(|after| position > *after) {
            self.first.push(Hit { position, page, index });
        }
    }

    fn chosen(self, total: u32, more: bool) -> Chosen<'a> {
        let more = more || self.first.seen() > self.choice.limit;
        Chosen { hits: self.first.into_sorted(), total, more }
    }
}
