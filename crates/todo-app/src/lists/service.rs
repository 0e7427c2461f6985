//! What the service itself does on a user's list, asked by no one: for an event, or because its time has come.

use dapr::{Operation, StateItem, Transport, metadata_key};
use serde::Serialize;
use todo_domain::list::Command;
use todo_domain::{ActorKind, TimeZoneName, UserId};

use super::{ATTEMPTS, Prepared, Results, busy, pause};
use crate::{
    App,
    access::{User, Writer},
    documents::item,
    failure::Failure,
};

/// A document that marks something as done, stored in the same transaction, so that it is done once.
#[derive(Debug, Clone)]
pub struct Once {
    key: String,
    item: StateItem,
}

impl Once {
    /// The mark `key` with `document`, remembered for so many seconds.
    ///
    /// # Errors
    /// [`Failure::Corrupt`] for a document without a JSON form.
    pub fn new<D: Serialize>(key: String, document: &D, kept_seconds: u32) -> Result<Self, Failure> {
        let item = item(key.clone(), document)?
            .first_write()
            .with_metadata(metadata_key::TTL_IN_SECONDS, kept_seconds.to_string())
            .with_metadata(metadata_key::OUTBOX_SKIP, "true");
        Ok(Self { key, item })
    }
}

impl<T: Transport> App<T> {
    /// Does commands of the service itself on a user's list, all in one commit with the mark of `once`.
    /// `None` when that is there already: it was done before.
    ///
    /// A command that is refused leaves the others be; but with a mark, nothing is stored then. No bound on writes applies.
    ///
    /// # Errors
    /// [`Failure::Closed`] when the account is gone, [`Failure::Busy`] when others won [`ATTEMPTS`] times in a row,
    /// [`Failure::Sidecar`] when the store is away.
    pub(crate) async fn change_list_as_service(
        &self,
        user: UserId,
        kind: ActorKind,
        commands: &[Command],
        once: Option<&Once>,
    ) -> Result<Option<Results>, Failure> {
        let writer = Writer::service(User { id: user, time_zone: TimeZoneName::utc() }, kind);
        for attempt in 1..=ATTEMPTS {
            if let Some(once) = once
                && self.dapr.get(&self.settings.state_store, &once.key).await?.is_some()
            {
                self.publish_what_is_left(user).await;
                return Ok(None);
            }
            let Some(prepared) = self.prepare(&writer, commands).await? else {
                pause(attempt);
                continue;
            };
            let Prepared { outcome: results, mut operations, held } = prepared;
            if once.is_some() && results.iter().any(Result::is_err) {
                return Ok(Some(results));
            }
            operations.extend(once.map(|once| Operation::upsert(once.item.clone())));
            if operations.is_empty() {
                return Ok(Some(results));
            }
            if self.commit(operations, attempt).await? {
                self.publish_after_commit(held).await;
                return Ok(Some(results));
            }
        }
        Err(busy(user))
    }
}
