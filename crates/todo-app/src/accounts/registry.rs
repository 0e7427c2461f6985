//! Who the users are, for what is done for each of them: 256 documents `users/{00..ff}`, by a hash of the id.
//!
//! A user is named there from sign-up to deletion, in the same transactions. Accounts of older releases enter at their
//! next sign-in or refresh.

use std::fmt;

use dapr::{Operation, StateItem, Transport, metadata_key};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use todo_domain::UserId;

use super::Account;
use crate::{App, access::digest, documents::item, failure::Failure, lists::ATTEMPTS};

/// A part of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard(u8);

/// The users of a shard, as they are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// In the order of their ids.
    #[serde(default)]
    pub users: Vec<UserId>,
    /// What a newer release added; kept as it is.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Shard {
    /// Every shard.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self)
    }

    /// The shard that names a user.
    pub fn of(user: UserId) -> Self {
        let hash = digest(user.to_string());
        Self(hash.get(..2).and_then(|text| u8::from_str_radix(text, 16).ok()).unwrap_or_default())
    }

    /// Reads its two digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 2 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        u8::from_str_radix(text, 16).ok().filter(|_| digits).map(Self)
    }

    /// The key of its document.
    pub(crate) fn key(self) -> String {
        format!("users/{self}")
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:02x}", self.0)
    }
}

impl<T: Transport> App<T> {
    /// What names a user in the registry, or no longer does, to be done in one transaction; `None` when it is so already.
    pub(super) async fn registration(&self, user: UserId, named: bool) -> Result<Option<Operation>, Failure> {
        let key = Shard::of(user).key();
        let (mut registered, etag) = self.load_document::<Registered>(&key).await?.unwrap_or_default();
        match (registered.users.binary_search(&user), named) {
            (Ok(_), true) | (Err(_), false) => return Ok(None),
            (Err(place), true) => registered.users.insert(place, user),
            (Ok(place), false) => drop(registered.users.remove(place)),
        }
        let write = if registered.users.is_empty() { StateItem::key(key) } else { item(key, &registered)? };
        let write = if etag.is_empty() { write.first_write() } else { write.with_etag(etag) };
        Ok(Some(if registered.users.is_empty() {
            Operation::delete(write)
        } else {
            Operation::upsert(write.with_metadata(metadata_key::OUTBOX_SKIP, "true"))
        }))
    }

    /// The users of a shard.
    pub(crate) async fn users_of(&self, shard: Shard) -> Result<Vec<UserId>, Failure> {
        let found = self.load_document::<Registered>(&shard.key()).await?;
        Ok(found.map(|(registered, _)| registered.users).unwrap_or_default())
    }

    /// Takes a user out of the registry whose account is gone.
    pub(crate) async fn unregister(&self, user: UserId) -> Result<(), Failure> {
        self.register(user, false).await
    }

    /// Names the user of an account that an older release has made. A failure leaves that to the next sign-in.
    pub(super) async fn register_older(&self, account: &Account) {
        if account.registered {
            return;
        }
        if let Err(failure) = self.register(account.id, true).await {
            eprintln!("a user could not be registered, which the next sign-in tries again: {failure}");
            return;
        }
        let note = |account: &mut Account| {
            account.registered = true;
            Ok(())
        };
        // Without the note, the next sign-in finds the user registered already.
        drop(self.change_account(account.id, note).await);
    }

    async fn register(&self, user: UserId, named: bool) -> Result<(), Failure> {
        for attempt in 1..=ATTEMPTS {
            let Some(operation) = self.registration(user, named).await? else { return Ok(()) };
            if self.commit(vec![operation], attempt).await? {
                return Ok(());
            }
        }
        Err(Failure::Busy { subject: "the registry of users".to_owned(), attempts: ATTEMPTS })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shard_reads_back_and_users_spread_over_them() {
        assert!(Shard::all().all(|shard| Shard::parse(&shard.to_string()) == Some(shard)));
        assert_eq!(Shard::all().count(), 256);
        for text in ["", "0", "000", "0G", "FF", "+1"] {
            assert_eq!(Shard::parse(text), None, "{text}");
        }
        let mut shards: Vec<Shard> = (0..1_000).map(|_| Shard::of(UserId::new(crate::fresh_id()))).collect();
        shards.sort();
        shards.dedup();
        assert!(shards.len() > 200, "{}", shards.len());
    }
}
