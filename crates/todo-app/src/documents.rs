//! Documents in the state store, as JSON.

use std::collections::BTreeMap;

use dapr::{Operation, StateItem, Transaction, Transport, metadata_key};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use todo_domain::UserId;

use crate::{
    App,
    failure::Failure,
    lists::{ATTEMPTS, pause},
};

/// A document that is empty where it is not there.
pub(crate) trait Document: Serialize + DeserializeOwned + Default + Clone + PartialEq {}

impl<D: Serialize + DeserializeOwned + Default + Clone + PartialEq> Document for D {}

/// A document that each user has one of.
pub(crate) trait UserDocument: Document {
    /// Its key in the store.
    fn key(user: UserId) -> String;

    /// Whether the user's account is gone, so that nothing is written any more.
    fn is_closed(&self) -> bool;

    /// What stands in its place for a while once the account is gone.
    fn closed() -> Self;
}

/// Documents that were read in one call.
#[derive(Debug)]
pub(crate) struct Documents(BTreeMap<String, (Box<RawValue>, String)>);

impl Documents {
    /// The document of a key, with its entity tag; `None` when there is none.
    pub(crate) fn get<D: DeserializeOwned>(&self, key: &str) -> Result<Option<(D, String)>, Failure> {
        let Some((text, etag)) = self.0.get(key) else { return Ok(None) };
        Ok(Some((parse(key, text.get())?, etag.clone())))
    }

    /// The document that a user has; empty when there is none.
    pub(crate) fn of_user<D: UserDocument>(&self, user: UserId) -> Result<D, Failure> {
        let document: D = self.get(&D::key(user))?.map(|(document, _)| document).unwrap_or_default();
        if document.is_closed() { Err(Failure::Closed) } else { Ok(document) }
    }
}

impl<T: Transport> App<T> {
    /// Reads a document and its entity tag; `None` when there is none.
    pub(crate) async fn load_document<D: DeserializeOwned>(&self, key: &str) -> Result<Option<(D, String)>, Failure> {
        let Some(found) = self.dapr.get(&self.settings.state_store, key).await? else { return Ok(None) };
        let text = std::str::from_utf8(&found.value).map_err(|source| corrupt(key, source))?;
        Ok(Some((parse(key, text)?, found.etag)))
    }

    /// Reads documents in one call.
    pub(crate) async fn load_documents(&self, keys: Vec<String>) -> Result<Documents, Failure> {
        let entries = self.dapr.bulk_get(&self.settings.state_store, keys).await?;
        let found = entries.into_iter().filter_map(|entry| {
            let data = entry.data?;
            Some((entry.key, (data, entry.etag.unwrap_or_default())))
        });
        Ok(Documents(found.collect()))
    }

    /// Reads the document that a user has.
    ///
    /// # Errors
    /// [`Failure::Closed`] when the account is gone; [`Failure::Sidecar`] when the store is away.
    pub(crate) async fn user_document<D: UserDocument>(&self, user: UserId) -> Result<D, Failure> {
        let document: D = self.load_document(&D::key(user)).await?.map(|(document, _)| document).unwrap_or_default();
        if document.is_closed() { Err(Failure::Closed) } else { Ok(document) }
    }

    /// Changes the document that a user has, as [`App::change_document`].
    ///
    /// # Errors
    /// The change's own; [`Failure::Closed`] when the account is gone.
    pub(crate) async fn change_user_document<D: UserDocument, R, E: From<Failure>>(
        &self,
        user: UserId,
        mut change: impl FnMut(&mut D) -> Result<R, E>,
    ) -> Result<R, E> {
        let unless_closed =
            |document: &mut D| if document.is_closed() { Err(Failure::Closed.into()) } else { change(document) };
        self.change_document(&D::key(user), unless_closed).await
    }

    /// Reads a document, changes it, writes it under its entity tag, and tries again when another was faster.
    /// One that the change leaves as it was is not written.
    ///
    /// # Errors
    /// The change's own; [`Failure::Busy`] when others won each time.
    pub(crate) async fn change_document<D: Document, R, E: From<Failure>>(
        &self,
        key: &str,
        mut change: impl FnMut(&mut D) -> Result<R, E>,
    ) -> Result<R, E> {
        for attempt in 1..=ATTEMPTS {
            let found = self.load_document::<D>(key).await?;
            let (mut document, etag) = found.map_or_else(Default::default, |(document, etag)| (document, Some(etag)));
            let before = document.clone();
            let result = change(&mut document)?;
            if document == before {
                return Ok(result);
            }
            let item = item(key.to_owned(), &document)?;
            let item = match etag {
                Some(etag) => item.with_etag(etag),
                None => item.first_write(),
            };
            match self.dapr.save(&self.settings.state_store, &item).await {
                Ok(()) => return Ok(result),
                Err(error) if error.is_conflict() => pause(attempt),
                Err(error) => return Err(Failure::from(error).into()),
            }
        }
        Err(Failure::Busy { subject: format!("the document `{key}`"), attempts: ATTEMPTS }.into())
    }

    /// Writes items and removes keys, all or none, whatever stands there now; nothing of it is published.
    pub(crate) async fn store_documents(&self, items: Vec<StateItem>, removed: Vec<String>) -> Result<(), Failure> {
        let written =
            items.into_iter().map(|item| Operation::upsert(item.with_metadata(metadata_key::OUTBOX_SKIP, "true")));
        let removed = removed.into_iter().map(|key| Operation::delete(StateItem::key(key)));
        let transaction = Transaction::new(written.chain(removed).collect());
        Ok(self.dapr.transact(&self.settings.state_store, &transaction).await?)
    }
}

/// A document as an item of the store.
pub(crate) fn item<D: Serialize>(key: String, document: &D) -> Result<StateItem, Failure> {
    StateItem::new(key.clone(), document).map_err(|source| corrupt(&key, source))
}

/// The same, gone after some seconds.
pub(crate) fn passing_item<D: Serialize>(key: String, document: &D, seconds: i64) -> Result<StateItem, Failure> {
    Ok(item(key, document)?.with_metadata(metadata_key::TTL_IN_SECONDS, seconds.to_string()))
}

fn parse<D: DeserializeOwned>(key: &str, text: &str) -> Result<D, Failure> {
    serde_json::from_str(text).map_err(|source| corrupt(key, source))
}

fn corrupt(key: &str, source: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::Corrupt { subject: format!("the document `{key}`"), source: Box::new(source) }
}
