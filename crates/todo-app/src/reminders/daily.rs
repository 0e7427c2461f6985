//! A user's morning.

use dapr::Transport;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use todo_domain::list::{Command, ReadError, TaskList};
use todo_domain::{ActorKind, DayTime, DigestEvent, DigestId, Task, TaskId, UserId};

use super::{JobName, TOPIC};
use crate::{
    App,
    accounts::DaySettings,
    derived_id,
    failure::Failure,
    schedule::{Message, job},
};

/// Days for which a deleted task is kept.
const TRASH_DAYS: i64 = 30;
/// How far ahead reminders that are missing are made again: to the next morning and one more, so that a morning that is
/// missed costs nothing.
const REARMED: SignedDuration = SignedDuration::from_hours(48);
/// The most of them, the soonest first: each is a call, and a morning has to end within the time of one call itself.
const MOST_REARMED: usize = 500;

/// What the job of a morning carries.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DailyJob {
    /// Whose morning.
    pub user_id: UserId,
}

/// What a list has to be done in a morning.
struct Morning {
    digest: Option<DigestEvent>,
    reminders: Vec<(TaskId, usize, Timestamp)>,
    trashed: u32,
}

impl<T: Transport> App<T> {
    /// Makes the job of a user's next morning; where there is one already it stays, unless it is to be overwritten.
    ///
    /// # Errors
    /// [`Failure::Sidecar`].
    pub(crate) async fn plan_day(&self, user: UserId, settings: &DaySettings, overwrite: bool) -> Result<(), Failure> {
        let time = settings.digest_time.unwrap_or(DayTime::DIGEST);
        let at = time.next_after(self.now, &settings.time_zone);
        let mut job = job(at, &DailyJob { user_id: user })?;
        job.overwrite = overwrite;
        match self.dapr.schedule_job(&JobName::Daily(user).to_string(), &job).await {
            Err(error) if error.is_conflict() => Ok(()),
            planned => Ok(planned?),
        }
    }

    /// Does what a user's morning asks for: publishes the digest, empties the trash of what is older than
    /// [`TRASH_DAYS`], makes reminders that are missing, and plans the next morning.
    ///
    /// A user who is gone has no further morning.
    ///
    /// # Errors
    /// [`Failure::Sidecar`], and then all of it is to be done again, which does nothing twice.
    pub async fn begin_day(&self, user: UserId) -> Result<(), Failure> {
        let Some(settings) = self.day_settings(user).await? else { return self.unregister(user).await };
        let morning = match self.read_list(user, |list| self.morning(user, &settings, list)).await {
            Err(Failure::Closed) => return Ok(()),
            morning => morning?,
        };
        if let Some(digest) = morning.digest {
            let message = Message::new(TOPIC, &user.to_string(), DigestEvent::TYPE, &digest)?;
            self.publish_message(&digest.digest_id.to_string(), &message).await?;
        }
        if morning.trashed > 0 {
            let cutoff = self.now - SignedDuration::from_hours(24 * TRASH_DAYS);
            let purge = [Command::PurgeTrashedBefore(cutoff)];
            self.change_list_as_service(user, ActorKind::System, &purge, None).await?;
        }
        for (task, slot, at) in morning.reminders {
            self.arm_slot(user, task, slot, Some(at)).await?;
        }
        self.plan_day(user, &settings, true).await
    }

    fn morning(&self, user: UserId, settings: &DaySettings, list: &TaskList) -> Result<Morning, ReadError> {
        let tasks = list.tasks()?;
        let id = |day| DigestId::new(derived_id(&format!("digest/{user}/{day}")));
        let wanted = settings.digest_time.is_some();
        Ok(Morning {
            digest: wanted.then(|| DigestEvent::of(user, &tasks, &settings.time_zone, self.now, id)).flatten(),
            reminders: self.coming_reminders(&tasks),
            trashed: list.counts().trashed,
        })
    }

    /// The soonest reminders of the next days. Their jobs are there, unless something lost them: then they are made again.
    fn coming_reminders(&self, tasks: &[Task]) -> Vec<(TaskId, usize, Timestamp)> {
        let end = self.now + REARMED;
        let slots = tasks.iter().flat_map(|task| {
            task.armed_reminders().into_iter().enumerate().map(move |(slot, at)| Some((task.id, slot, at?)))
        });
        let mut coming: Vec<_> = slots.flatten().filter(|(_, _, at)| (self.now..end).contains(at)).collect();
        coming.sort_unstable_by_key(|(_, _, at)| *at);
        coming.truncate(MOST_REARMED);
        coming
    }
}
