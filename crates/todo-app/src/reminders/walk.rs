//! The daily walk over all users: whoever has no morning planned gets one.
//!
//! It mends what a crash, a lost job or an older release left out. Each shard of the registry is a job of its own, so that
//! the walk is done in small steps, each of which is tried again until it is done.

use dapr::Transport;
use serde::{Deserialize, Serialize};
use todo_domain::UserId;

use super::JobName;
use crate::{
    App,
    accounts::{self, DaySettings, Shard},
    failure::Failure,
    schedule::job,
};

/// Accounts read in one call.
const ACCOUNTS: usize = 100;

/// What the job of a shard carries.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RearmJob {
    /// Which shard.
    pub shard: String,
}

impl<T: Transport> App<T> {
    /// Makes a job for each shard that has users.
    ///
    /// # Errors
    /// [`Failure::Sidecar`].
    pub async fn begin_walk(&self) -> Result<(), Failure> {
        let keys = Shard::all().map(|shard| shard.key()).collect();
        let entries = self.dapr.bulk_get(&self.settings.state_store, keys).await?;
        let present = |shard: &Shard| entries.iter().any(|entry| entry.data.is_some() && entry.key == shard.key());
        for shard in Shard::all().filter(present) {
            let job = job(self.now, &RearmJob { shard: shard.to_string() })?;
            self.dapr.schedule_job(&JobName::Rearm(shard).to_string(), &job).await?;
        }
        Ok(())
    }

    /// Plans the morning of each user of a shard who has none planned.
    pub(super) async fn plan_days_of(&self, shard: Shard) -> Result<(), Failure> {
        let users = self.users_of(shard).await?;
        for users in users.chunks(ACCOUNTS) {
            let keys = users.iter().map(|user| accounts::key(*user)).collect();
            for entry in self.dapr.bulk_get(&self.settings.state_store, keys).await? {
                let user = entry.key.rsplit_once('/').and_then(|(_, id)| UserId::parse(id).ok());
                let (Some(user), Some(data)) = (user, entry.data) else { continue };
                match serde_json::from_str::<DaySettings>(data.get()) {
                    Ok(settings) => self.plan_day(user, &settings, false).await?,
                    // One account that cannot be read must not keep the others from their mornings.
                    Err(error) => eprintln!("the account of `{user}` cannot be read: {error}"),
                }
            }
        }
        Ok(())
    }
}
