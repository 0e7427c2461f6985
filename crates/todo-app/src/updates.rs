//! What changes on a user's tasks, for the user's open pages: as server-sent events, at once and with nothing missed.
//!
//! Each event of `task-events` becomes one message of the topic `task-updates`, and is remembered for a while in the
//! user's [`ring`], so that a page that lost its connection is told what it missed.
//! A stream opens the topic first and reads the ring then: what is in neither has not been handled yet, and will come.
//! Where the sidecar streams no topic, as daprd does not over HTTP, a page's instance looks at the ring again and again.

mod ended;
mod feed;
mod listener;
mod poll;
mod relay;
mod ring;

use dapr::{Metadata, Transport, metadata_key};
use serde::Serialize;
use todo_domain::{AccountDeleted, TaskEvent, TaskUpdates, UserId};

pub use self::ended::{SESSION_ENDED, SessionEnded};
pub use self::feed::End;
pub use self::listener::{Listener, STREAM_COOKIE};
pub use self::poll::Poller;
pub use self::relay::{Pieces, Relay, away, full};
pub use self::ring::{RingSlot, UpdatesIndex, WINDOW};
use crate::{App, failure::Failure, lists::ATTEMPTS, numbered::Entry};

/// What tells a page its updates, as the sidecar allows.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of it, for as long as its page is open")]
pub enum Source<P, T> {
    /// The sidecar's stream of the topic.
    Stream(Relay<P>),
    /// The user's ring.
    Poll(Poller<T>),
}

impl<P: Pieces, T: Transport> Pieces for Source<P, T> {
    async fn next(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Stream(relay) => relay.next().await,
            Self::Poll(poller) => poller.next().await,
        }
    }
}

/// The topic of updates.
pub const TASK_UPDATES: &str = "task-updates";
/// Seconds for which an update is worth telling: those of the topic, and of the ring.
const KEPT_SECONDS: i64 = 60 * 60;

impl<T: Transport> App<T> {
    /// Remembers the updates of an event, and tells them to open pages.
    ///
    /// An event that comes again is told again: whoever told it may have failed between the two. Pages have it once.
    ///
    /// # Errors
    /// [`Failure::Sidecar`] when the store or the broker is away, [`Failure::Busy`] when others win every time.
    pub async fn record_updates(&self, event: &TaskEvent) -> Result<(), Failure> {
        let user = event.user_id;
        let message = TaskUpdates::of(event);
        let entry = Entry::new(event.sequence, &message);
        let keys = ring::keys_of(user, event.sequence);
        for attempt in 1..=ATTEMPTS {
            let found = self.load_documents(keys.clone().into()).await?;
            let Some(operations) = ring::recorded(&found, user, &entry)? else { return Ok(()) };
            if operations.is_empty() || self.commit(operations, attempt).await? {
                let id = message.updates.first().map(|update| update.update_id.to_string());
                return self.publish_update(user, entry.value.get().as_bytes().to_vec(), [("cloudevent.id", id)]).await;
            }
        }
        Err(busy(user))
    }

    /// Removes what is remembered of a user who has gone, and ends the user's streams.
    ///
    /// # Errors
    /// As [`App::record_updates`].
    pub async fn forget_updates(&self, event: &AccountDeleted) -> Result<(), Failure> {
        let user = event.user_id;
        for attempt in 1..=ATTEMPTS {
            let found = self.load_documents(ring::keys(user)).await?;
            if self.commit(ring::forgotten(&found, user)?, attempt).await? {
                return self.tell_ended(&SessionEnded::all(user)).await;
            }
        }
        Err(busy(user))
    }

    /// Tells that sessions or API tokens have ended: what was opened with them ends.
    ///
    /// # Errors
    /// [`Failure::Sidecar`] when the broker is away; streams then end with their access token.
    pub async fn tell_ended(&self, ended: &SessionEnded) -> Result<(), Failure> {
        let kind = Some(SESSION_ENDED.to_owned());
        self.publish_update(ended.user_id, json(ended), [("cloudevent.type", kind)]).await
    }

    async fn publish_update<const N: usize>(
        &self,
        user: UserId,
        message: Vec<u8>,
        attributes: [(&str, Option<String>); N],
    ) -> Result<(), Failure> {
        let mut metadata = Metadata::from([
            (metadata_key::PARTITION_KEY.to_owned(), user.to_string()),
            (metadata_key::TTL_IN_SECONDS.to_owned(), KEPT_SECONDS.to_string()),
        ]);
        let given = attributes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        metadata.extend(given);
        Ok(self.dapr.publish(&self.settings.pubsub, TASK_UPDATES, message, &metadata).await?)
    }
}

fn json(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("messages have text keys and finite numbers")
}

fn busy(user: UserId) -> Failure {
    Failure::Busy { subject: format!("the updates of `{user}`"), attempts: ATTEMPTS }
}
