//! Telling people and their programs what happened: the inbox, webhooks, mail and web push.
//!
//! An event becomes an entry of the user's inbox and, for each receiver, a message of the topic `deliveries`; each
//! message is one try. A try that fails makes a job, which publishes the next one. Everything is idempotent in the store:
//! the inbox by the ids of its entries, a delivery by a note that it was made.
//!
//! - [`inbox`]: what a user was told;
//! - [`webhooks`], [`push`]: who is told beside;
//! - [`target`]: which addresses may be called;
//! - [`delivery`]: a try, and when the next one is;
//! - [`signature`]: how a receiver knows that a message is from here.

pub mod delivery;
mod email;
mod fan_out;
pub mod inbox;
pub mod push;
mod send;
pub mod signature;
pub mod target;
pub mod webhooks;

use dapr::Transport;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use todo_domain::UserId;
use uuid::{Builder, Uuid};

pub use self::fan_out::ChangedTask;
use self::{
    inbox::Inbox,
    push::PushSubscriptions,
    target::Targets,
    webhooks::{Webhooks, state_key},
};
use crate::{
    App,
    access::ACCESS_TOKEN_SECONDS,
    documents::{UserDocument, passing_item},
    failure::Failure,
};

/// Seconds for which it is remembered that a user has gone: until every access token has ended, twice over.
const CLOSED_SECONDS: i64 = 2 * ACCESS_TOKEN_SECONDS;

/// The ways out that the operator opened.
#[derive(Debug, Clone)]
pub struct Channels {
    /// Where webhooks and push messages may go.
    pub targets: Targets,
    /// The output binding that sends mail; `None`: no mail is sent.
    pub email_binding: Option<String>,
    /// The key by which push services know this service; `None`: nothing is pushed.
    pub sender_key: Option<web_push::SenderKey>,
    /// Where push services reach its operator, a `mailto:` or `https:` URI; may be empty.
    pub contact: String,
}

impl<T: Transport> App<T> {
    /// Removes what is kept of a user whose account is gone. Again is no error.
    ///
    /// # Errors
    /// [`Failure::Sidecar`] when the store is away.
    pub async fn forget_receivers(&self, user: UserId) -> Result<(), Failure> {
        let webhooks: Option<(Webhooks, String)> = self.load_document(&Webhooks::key(user)).await?;
        let webhooks = webhooks.map(|(document, _)| document.webhooks).unwrap_or_default();
        let items =
            vec![closed_item::<Inbox>(user)?, closed_item::<Webhooks>(user)?, closed_item::<PushSubscriptions>(user)?];
        self.store_documents(items, webhooks.iter().map(|webhook| state_key(webhook.id)).collect()).await
    }
}

fn closed_item<D: UserDocument>(user: UserId) -> Result<dapr::StateItem, Failure> {
    passing_item(D::key(user), &D::closed(), CLOSED_SECONDS)
}

/// The instant that many seconds later; the last one there is beyond the end of time.
fn after(now: Timestamp, seconds: i64) -> Timestamp {
    // jiff's own arithmetic takes spans of ten units, all of which a component would carry.
    Timestamp::from_millisecond(now.as_millisecond().saturating_add(seconds.saturating_mul(1000)))
        .unwrap_or(Timestamp::MAX)
}

/// A text of JSON.
fn raw<D: Serialize>(document: &D) -> Result<Box<RawValue>, Failure> {
    serde_json::value::to_raw_value(document)
        .map_err(|source| Failure::Corrupt { subject: "what is to be delivered".to_owned(), source: source.into() })
}

/// The id that follows from texts: the same for the same ones.
fn derived_id(texts: &[&str]) -> Uuid {
    let mut hash = Sha256::new();
    for text in texts {
        // With its length, so that no two lists of texts are one.
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    Builder::from_custom_bytes(bytes).into_uuid()
}
