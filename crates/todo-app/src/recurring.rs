//! What follows a completed task that recurs.
//!
//! The event of a task's first completion, and no other, makes the next occurrence: as the task was in that moment,
//! under the id that was chosen with the completion.
//! So what is made does not hang on when, how often or in which order events come. Completing the task once more makes
//! nothing more; only a recurrence that was changed meanwhile begins anew.
//! That the event was handled is stored with the occurrence, so that one that its user removed for good does not come
//! back by a repeat.

use dapr::Transport;
use serde::{Deserialize, Serialize};
use todo_domain::list::{Command, CommandError};
use todo_domain::{ActorKind, EventType, TaskId};

use crate::{
    App,
    events::{EventError, TaskTopicEvent},
    failure::Failure,
    lists::Once,
};

/// Seconds for which a handled event is remembered: a day longer than the topic keeps it.
const REMEMBERED_SECONDS: u32 = 8 * 24 * 60 * 60;

/// That an event was handled, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Followed {
    /// The occurrence that it made.
    pub task_id: TaskId,
}

impl<T: Transport> App<T> {
    /// Makes the next occurrence of a recurring task that was completed; any other event has no effect.
    ///
    /// # Errors
    /// [`EventError::Poison`] when the list is full, so that the event waits among the dead letters until there is room.
    pub async fn follow_completed_task(&self, event: TaskTopicEvent) -> Result<(), EventError> {
        let TaskTopicEvent::Task(event) = event else { return Ok(()) };
        if event.event_type != EventType::Completed {
            return Ok(());
        }
        let Some((id, draft)) = event.payload.task.next_occurrence() else { return Ok(()) };
        let key = format!("followed/{}/{}", event.user_id, event.event_id);
        let once = Once::new(key, &Followed { task_id: id }, REMEMBERED_SECONDS)?;
        let command = [Command::CreateOnce(id, Box::new(draft))];
        let results = self.change_list_as_service(event.user_id, ActorKind::Recurrence, &command, Some(&once)).await?;
        match results.into_iter().flatten().next() {
            None | Some(Ok(_)) => Ok(()),
            // The list went with its account.
            Some(Err(CommandError::NotFound(_))) => Ok(()),
            Some(Err(CommandError::Read(error))) => Err(Failure::from(error).into()),
            Some(Err(refused)) => {
                let task = event.task_id;
                Err(EventError::Poison(format!("the occurrence after the task `{task}` cannot be made: {refused}")))
            }
        }
    }
}
