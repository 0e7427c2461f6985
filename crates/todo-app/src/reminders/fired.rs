//! Jobs whose time has come.

use dapr::Transport;
use todo_domain::{ReminderEvent, ReminderId, ReminderStatus};

use super::{JobName, ReminderJob, TOPIC};
use crate::{App, derived_id, failure::Failure, http::Request, schedule::Message};

impl<T: Transport> App<T> {
    /// Does what a job is for. One that is not understood, or whose message is refused, is logged and over: it would be
    /// no better later.
    ///
    /// # Errors
    /// [`Failure::Sidecar`], and then the job fires again.
    pub async fn take_job(&self, name: &str, request: &Request) -> Result<(), Failure> {
        let body = std::str::from_utf8(request.body()).unwrap_or_default();
        let given_up = match JobName::parse(name) {
            Some(JobName::Reminder(..)) => match serde_json::from_str(body) {
                Ok(reminder) => return self.remind(&reminder).await,
                Err(error) => error.to_string(),
            },
            Some(JobName::Later(id)) => match serde_json::from_str::<Message>(body) {
                Ok(message) => match self.publish_message(&id, &message).await {
                    Err(Failure::Sidecar(error)) if error.refuses_content() => error.to_string(),
                    done => return done,
                },
                Err(error) => error.to_string(),
            },
            Some(JobName::Daily(user)) => return self.begin_day(user).await,
            Some(JobName::Held(user)) => return self.publish_held(user).await,
            Some(JobName::Rearm(shard)) => return self.plan_days_of(shard).await,
            None => "no job of this release has such a name".to_owned(),
        };
        let name: String = name.chars().take(100).collect();
        eprintln!("the job `{name}` is given up: {given_up}");
        Ok(())
    }

    /// Publishes a reminder, if the task is still to be remembered at this instant.
    async fn remind(&self, job: &ReminderJob) -> Result<(), Failure> {
        let ReminderJob { user_id, task_id, remind_at } = *job;
        let found = match self.read_list(user_id, |list| list.task(task_id)).await {
            Err(Failure::Closed) => None,
            found => found?,
        };
        let Some(task) = found.filter(|task| task.is_reminded_at(remind_at)) else { return Ok(()) };
        let Some(due_time) = task.due_date else { return Ok(()) };
        let reminder = ReminderEvent {
            reminder_id: ReminderId::new(derived_id(&format!("reminder/{task_id}/{remind_at}"))),
            task_id,
            user_id,
            due_time,
            remind_at,
            status: ReminderStatus::Pending,
            title: task.title,
        };
        let message = Message::new(TOPIC, &user_id.to_string(), ReminderEvent::TYPE, &reminder)?;
        self.publish_message(&reminder.reminder_id.to_string(), &message).await
    }
}
