//! Which reminders of a task are still to come.

use jiff::Timestamp;

use super::{MAX_REMINDERS, Status, Task};
use crate::event::{EventType, TaskEvent};

impl Task {
    /// The instants at which its reminders are to be told, each in the slot of its lead, the longest first.
    ///
    /// A slot is empty that has no lead, whose time had passed when the task was last changed, or whose task is completed or in the trash.
    /// So it is a function of the task alone, and comes out the same whenever it is asked.
    pub fn armed_reminders(&self) -> [Option<Timestamp>; MAX_REMINDERS] {
        let mut slots = [None; MAX_REMINDERS];
        if self.status == Status::Completed || self.is_trashed() {
            return slots;
        }
        for (slot, (_, at)) in slots.iter_mut().zip(self.remind_at()) {
            *slot = Some(at).filter(|at| *at >= self.updated_at);
        }
        slots
    }

    /// Whether a reminder that was to be told at this instant still is: the task is open, and one of its leads falls there.
    pub fn is_reminded_at(&self, at: Timestamp) -> bool {
        self.status != Status::Completed
            && !self.is_trashed()
            && self.remind_at().iter().any(|(_, wanted)| *wanted == at)
    }
}

/// The fields on which reminders hang.
const REMINDING: [&str; 5] = ["dueDate", "reminders", "status", "timeZone", "deletedAt"];

impl TaskEvent {
    /// Whether the event may make, move or end a reminder.
    pub fn concerns_reminders(&self) -> bool {
        let changed = &self.payload.changed;
        let has_or_had = !self.payload.task.reminders.is_empty() || changed.iter().any(|field| field == "reminders");
        has_or_had
            && (self.event_type == EventType::Created
                || changed.iter().any(|field| REMINDING.contains(&field.as_str())))
    }
}
