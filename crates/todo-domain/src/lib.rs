//! The rules of tasks and task lists: `(state, command, now, ids) -> (state, events)`.
//!
//! Nothing here reads a clock, draws a random number, or does I/O: the caller gives the time and fresh ids, and reads and writes the documents.
//!
//! - [`task`]: a task, its fields, and the checks of what people give;
//! - [`recurrence`]: when a recurring task comes back;
//! - [`list`]: all tasks of one user in bounded documents, and the commands that change them;
//! - [`query`]: lists, searches and tags over those documents;
//! - [`quick_add`]: a task in one line;
//! - [`event`]: what consumers are told.
//!
//! ```
//! use todo_domain::list::{Command, TaskList};
//! use todo_domain::query::ListQuery;
//! use todo_domain::{NewTask, Recurrence, UserId};
//! # let mut last_id = 0_u128;
//! # let mut ids = || { last_id += 1; uuid::Uuid::from_u128(last_id) };
//! # let now: jiff::Timestamp = "2026-03-01T09:00:00Z".parse()?;
//!
//! let mut list = TaskList::empty(UserId::new(uuid::Uuid::nil()));
//! let recurrence = Recurrence::parse("FREQ=MONTHLY;BYDAY=-1FR")?;
//! let rent = NewTask { title: "Pay rent".into(), recurrence, ..NewTask::default() };
//! let made = list.apply(&Command::create(rent), now, &mut ids)?;
//! assert_eq!(made.events[0].payload.task.title, "Pay rent");
//! assert_eq!(ListQuery::default().run(&list, now)?.total, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod calendar;
pub mod digest;
pub mod event;
pub mod ids;
pub mod instant;
pub mod iso;
pub mod list;
pub mod query;
pub mod quick_add;
pub mod recurrence;
mod sorting;
pub mod task;
pub mod validation;
mod view;

pub use digest::{DayTime, InvalidDayTime};
pub use event::{
    AccountDeleted, Actor, ActorKind, DigestEvent, DigestSection, DigestTask, EventPayload, EventType, ReminderEvent,
    ReminderStatus, TaskEvent, TaskUpdate, TaskUpdates, replay,
};
pub use ids::{DigestId, EventId, Ids, InvalidId, ReminderId, SeriesId, SubtaskId, TaskId, UpdateId, UserId};
pub use recurrence::{InvalidRecurrence, Recurrence};
pub use task::{
    DueDate, NewSubtask, NewTask, Patch, Priority, Series, Status, Subtask, Task, TaskChange, TimeZoneName,
};
pub use validation::{FieldError, Refusals, ValidationError};
