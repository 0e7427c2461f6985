//! All tasks of one user, in documents of bounded size.
//!
//! The **head** holds the newest tasks and those touched last, up to [`HEAD_BOUND`], and a summary of each **page**.
//! Older tasks are on pages of up to [`PAGE_BOUND`]. A task is in one place only, and is changed where it is.
//! A write rewrites the head and the pages that it touches, in one transaction that the head's ETag guards.
//!
//! Callers load what is asked for and call again:
//!
//! ```
//! use todo_domain::list::{Command, CommandError, ReadError, TaskList};
//! use todo_domain::{NewTask, UserId};
//!
//! # fn fetch_page(_: todo_domain::list::PageNumber) -> String { String::new() }
//! let mut list = TaskList::empty(UserId::new(uuid::Uuid::from_u128(1)));
//! let mut next_id = 0x100_u128;
//! let mut ids = || { next_id += 1; uuid::Uuid::from_u128(next_id) };
//! let now: jiff::Timestamp = "2026-03-01T09:00:00Z".parse()?;
//!
//! let command = Command::create(NewTask { title: "Pay rent".into(), ..NewTask::default() });
//! let outcome = loop {
//!     match list.apply(&command, now, &mut ids) {
//!         Err(CommandError::Read(ReadError::PagesNeeded(numbers))) => {
//!             for number in numbers {
//!                 list.load_page(number, fetch_page(number));
//!             }
//!         }
//!         other => break other?,
//!     }
//! };
//! assert_eq!(outcome.events[0].sequence, 1);
//! assert_eq!(outcome.writes.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod close;
mod command;
pub(crate) mod document;
mod held;
mod pace;
mod spill;
mod summary;
mod work;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use self::close::Closing;
pub use self::command::{BatchOutcome, Command, CommandError, DocumentKey, DocumentWrite, Outcome, ReadError};
pub use self::document::{DOCUMENT_SCHEMA_VERSION, DocumentError, PageNumber};
pub use self::held::{HeldEvent, MAX_HELD_BYTES};
pub use self::pace::TooFast;
pub use self::summary::{Counts, PageSummary};

use self::document::{HEAD, Head, Named, Page, PageView, Slot, malformed};
use self::work::Work;
use crate::event::{Actor, TaskEvent};
use crate::ids::{Ids, TaskId, UserId};
use crate::task::Task;

/// The most tasks in the head: some 50 kB, so that a write stays a fraction of a millisecond.
pub const HEAD_BOUND: usize = 128;
/// The newest tasks that never leave the head, so that the default list of 100 costs one read.
pub const HEAD_NEWEST: usize = 100;
/// The most tasks on a page: some 80 kB, so that 10,000 tasks are 40 pages.
pub const PAGE_BOUND: usize = 256;
/// The most tasks outside the trash.
pub const MAX_TASKS: u32 = 10_000;
/// The most tasks in the trash; the next one deleted removes the one longest there, for good.
pub const MAX_TRASH: u32 = 10_000;

/// The most bytes of tasks, those in the trash too: 1.6 kB for each of 10,000. It bounds the memory that a search or an export takes, and
/// a user who fills every description cannot bring the list to a length that no answer can hold.
pub const MAX_BYTES: usize = 16 << 20;

/// The tasks of one user: the head, and those pages that were loaded.
#[derive(Debug, Clone)]
pub struct TaskList {
    head: Head,
    pages: BTreeMap<PageNumber, String>,
    holds_events: bool,
    actor: Option<Actor>,
}

impl TaskList {
    /// The list of a user who has none yet.
    pub fn empty(user_id: UserId) -> Self {
        Self::of(Head::empty(user_id))
    }

    /// Reads a head document.
    pub fn parse(user_id: UserId, head: &str) -> Result<Self, DocumentError> {
        let head = Head::parse(head)?;
        if head.user_id != user_id {
            return Err(DocumentError::Misplaced { document: HEAD.name() });
        }
        Ok(Self::of(head))
    }

    fn of(head: Head) -> Self {
        Self { head, pages: BTreeMap::new(), holds_events: false, actor: None }
    }

    /// Names who gives the coming commands, in their events.
    pub fn set_actor(&mut self, actor: Actor) {
        self.actor = Some(actor);
    }

    /// The head as it is, for a write that only confirms events. Its revision does not change.
    pub fn head_json(&self) -> String {
        work::to_json(&self.head)
    }

    /// Adds a page's document; it is read when it is needed.
    pub fn load_page(&mut self, number: PageNumber, json: String) {
        self.pages.insert(number, json);
    }

    /// A page's document, if it is loaded.
    pub fn page_json(&self, number: PageNumber) -> Option<&str> {
        self.pages.get(&number).map(String::as_str)
    }

    /// Whose list it is.
    pub const fn user_id(&self) -> UserId {
        self.head.user_id
    }

    /// The number of the last event; 0 when there was none.
    pub const fn sequence(&self) -> u64 {
        self.head.sequence
    }

    /// The number of the last write; 0 when there was none.
    pub const fn revision(&self) -> u64 {
        self.head.revision
    }

    /// How many tasks there are, pages included.
    pub const fn counts(&self) -> Counts {
        self.head.counts
    }

    /// What the head knows of the pages, by number.
    pub fn pages(&self) -> &[PageSummary] {
        &self.head.pages
    }

    /// The pages that may hold a task; none when it is in the head.
    pub fn pages_for_task(&self, id: TaskId) -> Vec<PageNumber> {
        if self.head.tasks.iter().any(|slot| slot.id == id) {
            return Vec::new();
        }
        self.head.pages.iter().filter(|page| page.may_hold(id)).map(|page| page.number).collect()
    }

    /// The page that making this many tasks adds to; none when they fit the head or begin a new page.
    pub fn spill_target(&self, new_tasks: usize) -> Option<PageNumber> {
        spill::target(&self.head, new_tasks)
    }

    /// One task, in the trash or not.
    pub fn task(&self, id: TaskId) -> Result<Option<Task>, ReadError> {
        if let Some(slot) = self.head.tasks.iter().find(|slot| slot.id == id) {
            return Ok(Some(slot.task().map_err(|source| malformed(&HEAD, source))?));
        }
        let (at_hand, absent): (Vec<_>, Vec<_>) =
            self.pages_for_task(id).into_iter().partition(|number| self.pages.contains_key(number));
        for number in at_hand {
            let page = self.open_page(number)?;
            if let Some(slot) = page.tasks.iter().find(|slot| slot.id == id) {
                return Ok(Some(slot.task().map_err(|source| malformed(&number, source))?));
            }
        }
        self.require(&absent)?;
        Ok(None)
    }

    /// All tasks outside the trash, in the order of their ids: for calendars and daily digests. Every page with one is needed.
    pub fn tasks(&self) -> Result<Vec<Task>, ReadError> {
        let mut tasks = self.collect(|page| page.counts.live() > 0)?;
        tasks.retain(|task| !task.is_trashed());
        Ok(tasks)
    }

    /// All tasks, those in the trash too, in the order of their ids: for exports. Every page is needed.
    pub fn every_task(&self) -> Result<Vec<Task>, ReadError> {
        self.collect(|_| true)
    }

    fn collect(&self, wanted: impl Fn(&PageSummary) -> bool) -> Result<Vec<Task>, ReadError> {
        let numbers: Vec<PageNumber> =
            self.head.pages.iter().filter(|page| wanted(page)).map(|page| page.number).collect();
        self.require(&numbers)?;
        let mut tasks = BTreeMap::new();
        let mut add = |slot: &Slot, document: &dyn Named| -> Result<(), ReadError> {
            let task = slot.task().map_err(|source| malformed(document, source))?;
            tasks.insert(task.id, task);
            Ok(())
        };
        self.head.tasks.iter().try_for_each(|slot| add(slot, &HEAD))?;
        for number in numbers {
            self.open_page(number)?.tasks.iter().try_for_each(|slot| add(slot, &number))?;
        }
        Ok(tasks.into_values().collect())
    }

    /// Does one command, or none of it.
    ///
    /// After `Ok` the list is as it will be once the outcome's documents are written; after `Err` it is as it was.
    pub fn apply(&mut self, command: &Command, now: Timestamp, ids: Ids<'_>) -> Result<Outcome, CommandError> {
        let mut work = Work::on(self, now);
        let task = work.run(command, ids)?;
        let done = work.finish()?;
        let (events, writes) = self.take(done);
        Ok(Outcome { task, events, writes })
    }

    /// Does many commands in one commit; one that fails leaves the others be.
    ///
    /// # Errors
    /// Only when documents are missing or unusable; then nothing was done.
    pub fn apply_all(&mut self, commands: &[Command], now: Timestamp, ids: Ids<'_>) -> Result<BatchOutcome, ReadError> {
        let mut work = Work::on(self, now);
        let results = work.run_all(commands, ids)?;
        let done = work.finish()?;
        let (events, writes) = self.take(done);
        Ok(BatchOutcome { results, events, writes })
    }

    fn take(&mut self, done: work::Done) -> (Vec<TaskEvent>, Vec<DocumentWrite>) {
        if let Some(head) = done.head {
            self.head = head;
        }
        for write in &done.writes {
            if let DocumentKey::Page(number) = write.key {
                match &write.json {
                    Some(json) => self.pages.insert(number, json.clone()),
                    None => self.pages.remove(&number),
                };
            }
        }
        (done.events, done.writes)
    }

    /// Succeeds when all of these pages are loaded.
    pub(crate) fn require(&self, numbers: &[PageNumber]) -> Result<(), ReadError> {
        let missing: Vec<PageNumber> =
            numbers.iter().copied().filter(|number| !self.pages.contains_key(number)).collect();
        if missing.is_empty() { Ok(()) } else { Err(ReadError::PagesNeeded(missing)) }
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    pub(crate) fn page_text(&self, number: PageNumber) -> Result<&str, ReadError> {
        self.pages.get(&number).map(String::as_str).ok_or_else(|| ReadError::PagesNeeded(vec![number]))
    }

    fn open_page(&self, number: PageNumber) -> Result<Page, ReadError> {
        let page = Page::parse(number, self.page_text(number)?)?;
        self.belongs(number, page.page, page.user_id, page.revision)?;
        Ok(page)
    }

    pub(crate) fn view_page(&self, number: PageNumber) -> Result<PageView<'_>, ReadError> {
        let page = PageView::parse(number, self.page_text(number)?)?;
        self.belongs(number, page.page, page.user_id, page.revision)?;
        Ok(page)
    }

    /// Whether a page is the one that the head speaks of.
    fn belongs(&self, number: PageNumber, page: PageNumber, user_id: UserId, found: u64) -> Result<(), ReadError> {
        if page != number || user_id != self.head.user_id {
            return Err(DocumentError::Misplaced { document: number.name() }.into());
        }
        let expected = self.head.summary(number).map_or(0, |summary| summary.revision);
        if expected == found { Ok(()) } else { Err(ReadError::StalePage { number, expected, found }) }
    }
}
