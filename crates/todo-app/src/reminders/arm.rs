//! Jobs in step with tasks.
//!
//! What a task's jobs are to be is a function of the task as it is now, and not of the event that made one look: so
//! events that repeat or come out of order end in the same jobs.
//! After the jobs are made the task is looked at again, since another event's handler may have been at work meanwhile.

use dapr::Transport;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use todo_domain::task::MAX_REMINDERS;
use todo_domain::{TaskEvent, TaskId, UserId, instant};

use super::JobName;
use crate::{
    App,
    accounts::DaySettings,
    events::{EventError, TaskTopicEvent},
    failure::Failure,
    lists::ATTEMPTS,
    schedule::job,
};

/// What the job of a reminder carries.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReminderJob {
    /// Whose task.
    pub user_id: UserId,
    /// The task.
    pub task_id: TaskId,
    /// When the user is to be told.
    #[serde(deserialize_with = "instant::read")]
    pub remind_at: Timestamp,
}

/// The jobs that a task is to have, each in its slot.
type Slots = [Option<Timestamp>; MAX_REMINDERS];

impl<T: Transport> App<T> {
    /// Brings the jobs in step with what an event tells of.
    ///
    /// # Errors
    /// [`EventError::Failure`] when the store or the sidecar is away.
    pub async fn keep_reminders(&self, event: TaskTopicEvent) -> Result<(), EventError> {
        match event {
            TaskTopicEvent::Task(event) => Ok(self.keep_task(&event).await?),
            // Its tasks' own jobs went before, with the events that each of them is deleted.
            TaskTopicEvent::AccountDeleted(gone) => {
                Ok(self.dapr.delete_job(&JobName::Daily(gone.user_id).to_string()).await?)
            }
        }
    }

    async fn keep_task(&self, event: &TaskEvent) -> Result<(), Failure> {
        if event.sequence == 1
            && let Some(settings) = self.day_settings(event.user_id).await?
        {
            self.plan_day(event.user_id, &settings, false).await?;
        }
        if event.concerns_reminders() { self.arm_task(event.user_id, event.task_id).await } else { Ok(()) }
    }

    async fn arm_task(&self, user: UserId, task: TaskId) -> Result<(), Failure> {
        let mut armed = self.wanted_jobs(user, task).await?;
        for _ in 0..ATTEMPTS {
            for (slot, at) in armed.iter().enumerate() {
                self.arm_slot(user, task, slot, *at).await?;
            }
            let wanted = self.wanted_jobs(user, task).await?;
            if wanted == armed {
                return Ok(());
            }
            armed = wanted;
        }
        Err(Failure::Busy { subject: format!("the task `{task}`"), attempts: ATTEMPTS })
    }

    /// The jobs that a task is to have now; none when it or its list is gone.
    async fn wanted_jobs(&self, user: UserId, task: TaskId) -> Result<Slots, Failure> {
        match self.read_list(user, |list| list.task(task)).await {
            Ok(found) => Ok(found.map_or([None; MAX_REMINDERS], |task| task.armed_reminders())),
            Err(Failure::Closed) => Ok([None; MAX_REMINDERS]),
            Err(failure) => Err(failure),
        }
    }

    /// Makes the job of a slot, or takes it back.
    pub(super) async fn arm_slot(
        &self,
        user: UserId,
        task: TaskId,
        slot: usize,
        at: Option<Timestamp>,
    ) -> Result<(), Failure> {
        let name = JobName::Reminder(task, slot).to_string();
        let Some(remind_at) = at else { return Ok(self.dapr.delete_job(&name).await?) };
        let job = job(remind_at, &ReminderJob { user_id: user, task_id: task, remind_at })?;
        Ok(self.dapr.schedule_job(&name, &job).await?)
    }

    /// The zone and the morning of a user; `None` when the account is gone.
    pub(super) async fn day_settings(&self, user: UserId) -> Result<Option<DaySettings>, Failure> {
        Ok(self.load_document(&crate::accounts::key(user)).await?.map(|(settings, _)| settings))
    }
}
