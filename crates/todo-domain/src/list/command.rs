//! What may be asked of a list, and what comes of it.

use jiff::Timestamp;

use super::document::{DocumentError, PageNumber};
use crate::event::TaskEvent;
use crate::ids::TaskId;
use crate::task::{NewTask, Task, TaskChange};
use crate::validation::ValidationError;

/// One thing to do to a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Make a task.
    Create(Box<NewTask>),
    /// Make a task of this id, unless there is one already, in the trash or not: then nothing happens and that one is answered.
    ///
    /// For occurrences of recurring tasks, whose events may arrive more than once, and when the whole list is gone: then
    /// there is no such task.
    CreateOnce(TaskId, Box<NewTask>),
    /// Change some fields; completing and reopening through `status` included.
    Update {
        /// Which task.
        id: TaskId,
        /// What to change.
        change: Box<TaskChange>,
        /// The version that the caller has seen; any when `None`.
        expected_version: Option<u64>,
    },
    /// Complete a task; nothing happens when it is completed.
    Complete {
        /// Which task.
        id: TaskId,
        /// The version that the caller has seen; any when `None`.
        expected_version: Option<u64>,
    },
    /// Make a completed task pending again; nothing happens when it is open.
    Reopen {
        /// Which task.
        id: TaskId,
        /// The version that the caller has seen; any when `None`.
        expected_version: Option<u64>,
    },
    /// Put a task into the trash.
    Delete {
        /// Which task.
        id: TaskId,
        /// The version that the caller has seen; any when `None`.
        expected_version: Option<u64>,
    },
    /// Take a task out of the trash; nothing happens when it is not there.
    Restore(TaskId),
    /// Remove a task of the trash for good. No event: for consumers it went when it was deleted.
    Purge(TaskId),
    /// Remove all tasks that went to the trash before this instant, for good. No event.
    PurgeTrashedBefore(Timestamp),
}

impl Command {
    /// Shorthand for [`Command::Create`].
    pub fn create(task: NewTask) -> Self {
        Self::Create(Box::new(task))
    }

    /// Shorthand for [`Command::Update`] of any version.
    pub fn update(id: TaskId, change: TaskChange) -> Self {
        Self::Update { id, change: Box::new(change), expected_version: None }
    }
}

/// Why a command was not done. The list is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The input was refused, with every reason.
    #[error("the task was refused: {0}")]
    Invalid(#[from] ValidationError),
    /// There is no such task, or it is not (or is) in the trash.
    #[error("there is no task `{0}`")]
    NotFound(TaskId),
    /// The task has changed since the caller saw it.
    #[error("task has version {current}, not {expected}")]
    VersionMismatch {
        /// The version asked for.
        expected: u64,
        /// The version that it has.
        current: u64,
    },
    /// The list is full.
    #[error("a list holds at most {} tasks: delete some first", super::MAX_TASKS)]
    TooManyTasks,
    /// The list is too long in bytes.
    #[error("a list holds at most {} bytes, its trash too: shorten or remove something first", super::MAX_BYTES)]
    TooManyBytes,
    /// What the documents cannot answer yet.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why the documents at hand do not suffice.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// These pages have to be loaded first; then the same call succeeds.
    #[error("pages of the task list are needed: {}", Numbers(.0))]
    PagesNeeded(Vec<PageNumber>),
    /// The page was written before or after the head was: read both again.
    #[error("page {number} of the task list has revision {found}, the head expects {expected}")]
    StalePage {
        /// The page.
        number: PageNumber,
        /// The revision that the head knows.
        expected: u64,
        /// The revision of the page.
        found: u64,
    },
    /// A document cannot be used.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

struct Numbers<'a>(&'a [PageNumber]);

impl std::fmt::Display for Numbers<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, number) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(formatter, "{separator}{number}")?;
        }
        Ok(())
    }
}

/// Which document of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKey {
    /// The head.
    Head,
    /// A page.
    Page(PageNumber),
}

/// One document to write, all of an outcome in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentWrite {
    /// Which document.
    pub key: DocumentKey,
    /// Its JSON; `None` removes the document.
    pub json: Option<String>,
}

/// What came of one command. With no events and no writes, nothing happened.
#[derive(Debug)]
pub struct Outcome {
    /// The task after the command; `None` after a purge.
    pub task: Option<Task>,
    /// What consumers are to be told, in order.
    pub events: Vec<TaskEvent>,
    /// What is to be stored, the head first.
    pub writes: Vec<DocumentWrite>,
}

/// What came of many commands in one commit.
#[derive(Debug)]
pub struct BatchOutcome {
    /// For each command what came of it: the task, none after a purge, or why it was not done while the others were.
    pub results: Vec<Result<Option<Task>, CommandError>>,
    /// What consumers are to be told, in order.
    pub events: Vec<TaskEvent>,
    /// What is to be stored, the head first.
    pub writes: Vec<DocumentWrite>,
}
