//! The secret of the calendar feed: calendars cannot sign in, so the path itself is the key.

use dapr::Transport;
use serde::Deserialize;
use todo_domain::TimeZoneName;

use super::account::{self, Account};
use crate::{
    App,
    access::{FeedSecret, User, digest},
    failure::Failure,
    http::problem::Problem,
    idempotency::IdempotencyKey,
};

/// The part of an account that a feed is checked against.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Holder {
    #[serde(default)]
    time_zone: TimeZoneName,
    #[serde(default)]
    feed_hash: Option<String>,
}

impl<T: Transport> App<T> {
    /// Opens a calendar feed. One that was open before ends.
    ///
    /// # Errors
    /// 401 when the account is gone.
    pub async fn open_feed(&self, user: &User, key: Option<&IdempotencyKey>) -> Result<FeedSecret, Problem> {
        let mut feed = FeedSecret::new(user.id);
        if let Some(key) = key {
            feed.secret = self.settings.signing_key.derived_secret(&key.purpose());
        }
        let open = |account: &mut Account| {
            account.feed_hash = Some(digest(&feed.secret));
            Ok(())
        };
        self.change_account(user.id, open).await?;
        Ok(feed)
    }

    /// Ends the calendar feed. That there is none is no error.
    ///
    /// # Errors
    /// 401 when the account is gone.
    pub async fn close_feed(&self, user: &User) -> Result<(), Problem> {
        let close = |account: &mut Account| {
            account.feed_hash = None;
            Ok(())
        };
        self.change_account(user.id, close).await.map(|_| ())
    }

    /// Whose feed a secret opens; `None` when it opens none.
    ///
    /// # Errors
    /// [`Failure::Sidecar`] when the store is away.
    pub async fn user_of_feed(&self, feed: &FeedSecret) -> Result<Option<User>, Failure> {
        let holder = self.load_document::<Holder>(&account::key(feed.user_id)).await?;
        let opened = holder.filter(|(holder, _)| holder.feed_hash.as_ref() == Some(&digest(&feed.secret)));
        Ok(opened.map(|(holder, _)| User { id: feed.user_id, time_zone: holder.time_zone }))
    }
}
