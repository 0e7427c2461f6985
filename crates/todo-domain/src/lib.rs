//! The rules of tasks and task lists: `(state, command, now, ids) -> (state, events)`.
//!
//! Nothing here reads a clock, draws a random number, or does I/O: the caller gives the time and fresh ids, and reads and writes the documents.
//!
//! - [`task`]: a task, its fields, and the checks of what people give;
//! - [`recurrence`]: when a recurring task comes back;
//! - [`list`]: all tasks of one user in bounded documents, and the commands that change them;
//! - [`query`]: lists, searches and tags over those documents;
//! - [`event`]: what consumers are told.

pub mod event;
pub mod ids;
pub mod list;
pub mod query;
pub mod recurrence;
mod sorting;
pub mod task;
pub mod validation;
mod view;

pub use event::{EventPayload, EventType, TaskEvent, replay};
pub use ids::{EventId, Ids, InvalidId, SeriesId, SubtaskId, TaskId, UserId};
pub use recurrence::{InvalidRecurrence, Recurrence};
pub use task::{
    DueDate, NewSubtask, NewTask, Patch, Priority, Series, Status, Subtask, Task, TaskChange, TimeZoneName,
};
pub use validation::{FieldError, Refusals, ValidationError};
