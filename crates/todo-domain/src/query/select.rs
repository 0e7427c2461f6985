//! Choosing the few tasks that a query answers with out of the many that match.

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::filter::{Filter, Matcher};
use super::sort::{Order, Position, Sort};
use crate::list::document::{HEAD, PageTexts, malformed};
use crate::list::{PageNumber, PageSummary, ReadError, TaskList};
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
        let (hits, more) = first(scan.hits, self.limit);
        Ok(Chosen { hits, total: scan.total, more })
    }

    /// Goes through the pages in the order of making until no other can hold one of the first tasks.
    fn run_by_creation<'a>(&self, list: &'a TaskList, total: u32) -> Result<Chosen<'a>, ReadError> {
        let matcher = self.filter.matcher(self.as_of);
        let best = |page: &PageSummary| match self.order {
            Order::Descending => -page.created.1.as_millisecond(),
            Order::Ascending => page.created.0.as_millisecond(),
        };
        let worst = |page: &PageSummary| match self.order {
            Order::Descending => -page.created.0.as_millisecond(),
            Order::Ascending => page.created.1.as_millisecond(),
        };
        let mut candidates: Vec<&PageSummary> = list
            .pages()
            .iter()
            .filter(|page| matcher.may_match(page))
            .filter(|page| self.after.is_none_or(|after| worst(page) >= after.number()))
            .collect();
        candidates.sort_by_key(|page| best(page));

        let mut scan = Scan::new(self, &matcher);
        scan.head(list)?;
        let mut hits = scan.hits;
        let mut missing = Vec::new();
        let mut expected = 0;
        let mut more = false;
        for page in candidates {
            hits.sort_unstable();
            let last = self.limit.checked_sub(1).and_then(|last| hits.get(last));
            let is_complete = last.is_some_and(|last| last.position.number() < best(page));
            if is_complete || hits.len() + expected >= self.limit && !missing.is_empty() {
                more = true;
                break;
            }
            if list.require(&[page.number]).is_err() {
                missing.push(page.number);
                expected += usize::try_from(self.filter.at_most(&page.counts)).unwrap_or(usize::MAX);
                continue;
            }
            let mut scan = Scan::new(self, &matcher);
            scan.page(list, page.number)?;
            hits.extend(scan.hits);
        }
        if !missing.is_empty() {
            return Err(ReadError::PagesNeeded(missing));
        }
        let (hits, cut) = first(hits, self.limit);
        Ok(Chosen { hits, total, more: more || cut })
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
    hits: Vec<Hit<'a>>,
    total: u32,
}

impl<'a, 'q> Scan<'a, 'q> {
    fn new(choice: &'q Choice<'q>, matcher: &'q Matcher<'q>) -> Self {
        Self { choice, matcher, zones: Zones::default(), hits: Vec::new(), total: 0 }
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
            self.hits.push(Hit { position, page, index });
        }
    }
}

/// The first hits in order, and whether others were left.
fn first(mut hits: Vec<Hit<'_>>, limit: usize) -> (Vec<Hit<'_>>, bool) {
    let more = hits.len() > limit;
    if more {
        hits.select_nth_unstable(limit);
        hits.truncate(limit);
    }
    hits.sort_unstable();
    (hits, more)
}
