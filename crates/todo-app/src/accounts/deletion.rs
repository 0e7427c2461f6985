//! The end of an account: everything of the user's goes, in one transaction.

use dapr::{Operation, StateItem, Transport};

use super::{account, session_gone};
use crate::{
    App,
    access::{ACCESS_TOKEN_SECONDS, User},
    failure::Failure,
    fresh_id,
    http::problem::Problem,
    lists::{self, ATTEMPTS, Prepared, pause},
    settings::Events,
};

/// Seconds for which a closed list is remembered: until every access token of its user has ended, twice over.
const CLOSED_SECONDS: i64 = 2 * ACCESS_TOKEN_SECONDS;
/// Seconds: after the commit, and longer than it takes.
const LAST_TRY: i64 = 60;

impl<T: Transport> App<T> {
    /// Removes the account with its sessions and tokens, its e-mail address, and every task, those in the trash too.
    /// Consumers are told that each task is deleted.
    ///
    /// # Errors
    /// 401 when the account is gone already; 409 when others keep writing to it, and then nothing was removed.
    pub async fn delete_account(&self, user: &User) -> Result<(), Problem> {
        let publishes = self.settings.events == Events::Publish;
        let kept_seconds = if publishes { lists::CLOSED_SECONDS } else { CLOSED_SECONDS };
        for attempt in 1..=ATTEMPTS {
            let key = account::key(user.id);
            let (found, etag): (super::Account, String) = self.load_document(&key).await?.ok_or_else(session_gone)?;
            let Some(prepared) = self.closing_operations(user.id, kept_seconds, &mut fresh_id).await? else {
                pause(attempt);
                continue;
            };
            let Prepared { mut operations, held, .. } = prepared;
            // A store publishes what is upserted and never what is deleted.
            operations.push(Operation::delete(StateItem::key(account::email_key(&found.email))));
            operations.push(Operation::delete(StateItem::key(key).with_etag(etag)));
            operations.extend(self.registration(user.id, false).await?);
            if publishes {
                // Nobody comes back to a list that is closed: what it holds is published whatever becomes of this process.
                self.plan_held(user.id, LAST_TRY, true).await?;
            }
            if self.commit(operations, attempt).await? {
                self.publish_after_commit(held).await;
                return Ok(());
            }
        }
        Err(Failure::Busy { subject: "the account".to_owned(), attempts: ATTEMPTS }.into())
    }
}
