//! Reminders, the work of each day, and messages for later: what is done when a time has come.
//!
//! Every time to come is a job of the sidecar's, and every job comes to the component `reminders`, which knows it by its
//! name ([`JobName`]):
//!
//! - `reminder-{task}-{slot}`: a reminder of a task, kept in step with the task by its events;
//! - `daily-{user}`: the user's morning: the digest, the trash, and reminders that are missing;
//! - `rearm-{shard}`: makes the morning of each user of a shard that has none;
//! - `later-{id}`: a message of anyone's ([`crate::schedule`]).
//!
//! Jobs may fire more than once: what they publish has an id derived from what it tells of.

mod arm;
mod daily;
mod fired;
mod name;
mod walk;

pub use self::arm::ReminderJob;
pub use self::daily::DailyJob;
pub use self::name::JobName;
pub use self::walk::RearmJob;

/// The topic of reminders and digests.
pub const TOPIC: &str = "reminders";
