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
#[derive(Debug, Default)]
pub(crate) struct Documents(BTreeMap<String, (Box<RawValue>, String)>);

impl Documents {
    /// The document of a key, with its entity tag; `None` when there is none.
    pub(crate) fn get<D: DeserializeOwned>(&self, key: &str) -> Result<Option<(D, String)>, Failure> {
        let Some((text, etag)) = self.0.get(key) else { return Ok(None) };
        Ok(Some((parse(key, text.get())?, etag.clone())))
    }

    /// The JSON of a key's document, with its entity tag; `None` when there is none.
    pub(crate) fn text(&self, key: &str) -> Option<(&str, &str)> {
        self.0.get(key).map(|(text, etag)| (text.get(), etag.as_str()))
    }

    /// The document of a key, empty when there is none.
    pub(crate) fn get_or_default<D: DeserializeOwned + Default>(&self, key: &str) -> Result<D, Failure> {
        Ok(self.get(key)?.map(|(document, _)| document).unwrap_or_default())
    }

    /// Writes a document in the place of the one that was read, or as the first of its key, and keeps it for so long.
    pub(crate) fn replace<D: Serialize>(
        &self,
        key: String,
        document: &D,
        kept_seconds: Option<i64>,
    ) -> Result<Operation, Failure> {
        let etag = self.0.get(&key).map(|(_, etag)| etag.clone());
        let item = in_place_of(etag, item(key, document)?.with_metadata(metadata_key::OUTBOX_SKIP, "true"));
        Ok(Operation::upsert(match kept_seconds {
            Some(seconds) => item.with_metadata(metadata_key::TTL_IN_SECONDS, seconds.to_string()),
            None => item,
        }))
    }

    /// The document that a user has; empty when there is none.
    pub(crate) fn of_user<D: UserDocument>(&self, user: UserId) -> Result<D, Failure> {
        let document: D = self.get_or_default(&D::key(user))?;
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
            let item = in_place_of(etag, item(key.to_owned(), &document)?);
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

    /// Commits; `false` after a pause when another writer was faster.
    pub(crate) async fn commit(&self, operations: Vec<Operation>, attempt: u32) -> Result<bool, Failure> {
        match self.dapr.transact(&self.settings.state_store, &Transaction::new(operations)).await {
            Ok(()) => Ok(true),
            Err(error) if error.is_conflict() => {
                pause(attempt);
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// An item that is written only in the place of what was read, or as the first of its key where nothing was.
pub(crate) fn in_place_of(etag: Option<String>, item: StateItem) -> StateItem {
    match etag {
        Some(etag) => item.with_etag(etag),
        None => item.first_write(),
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

/// A store without entity tags, for tests of what is written.
#[cfg(test)]
pub(crate) mod model {
    use proptest::prelude::*;
    use todo_domain::list::{Command, TaskList};
    use todo_domain::{NewTask, Patch, TaskChange, TaskEvent, UserId};

    use super::*;

    /// Documents by their keys.
    #[derive(Debug, Clone, Default, PartialEq)]
    pub(crate) struct Store(pub(crate) BTreeMap<String, String>);

    impl Store {
        pub(crate) fn read(&self, keys: &[String]) -> Documents {
            let raw = |text: &String| RawValue::from_string(text.clone()).unwrap();
            let found = keys.iter().filter_map(|key| Some((key.clone(), (raw(self.0.get(key)?), String::new()))));
            Documents(found.collect())
        }

        pub(crate) fn apply(&mut self, operations: Vec<Operation>) {
            for Operation { operation, request } in operations {
                match request.value {
                    Some(value) if operation == Operation::UPSERT => {
                        assert_eq!(
                            request.metadata[metadata_key::OUTBOX_SKIP],
                            "true",
                            "`{}` is published",
                            request.key
                        );
                        self.0.insert(request.key, value.get().to_owned());
                    }
                    _ => drop(self.0.remove(&request.key)),
                }
            }
        }
    }

    /// The events of a user who makes a few tasks, some of them long, and changes them again and again.
    pub(crate) fn events(count: usize) -> Vec<TaskEvent> {
        let mut list = TaskList::empty(UserId::new(uuid::Uuid::from_u128(1)));
        let (mut last, mut events) = (1, Vec::new());
        let mut ids = move || {
            last += 1;
            uuid::Uuid::from_u128(last)
        };
        let now = "2026-03-01T09:00:00Z".parse().unwrap();
        let mut tasks = Vec::new();
        for number in 0..count {
            let command = if number % 16 == 0 {
                let description = Some("x".repeat(number * 9_000 % 9_001));
                Command::create(NewTask { title: format!("task {number}"), description, ..NewTask::default() })
            } else {
                let id = tasks[number * 7 % tasks.len()];
                let change = TaskChange {
                    title: Patch::Set(format!("title {number}")),
                    description: Patch::Set("y".repeat(number * 8_999 % 9_001)),
                    ..TaskChange::default()
                };
                Command::update(id, change)
            };
            let outcome = list.apply(&command, now, &mut ids).unwrap();
            tasks.extend(outcome.task.filter(|_| number % 16 == 0).map(|task| task.id));
            events.extend(outcome.events);
        }
        events
    }

    /// Every event 1 to 3 times, in any order.
    pub(crate) fn deliveries(count: usize) -> impl Strategy<Value = Vec<usize>> {
        proptest::collection::vec(1_usize..=3, count)
            .prop_map(|times| {
                times.iter().enumerate().flat_map(|(index, times)| vec![index; *times]).collect::<Vec<_>>()
            })
            .prop_shuffle()
    }
}
