//! Task lists in the state store: load, apply, commit with the events, try again on a conflict.
//!
//! A list is a head document and, past its bound, pages (`todo_domain::list`).
//! One commit is one state transaction: the head under its entity tag, the pages that changed, and each event as an
//! outbox projection, so that a document is never stored without its event nor an event published without its document.
//! The head's entity tag guards the pages too: they are only ever written together with it.

mod conflict;

use dapr::{Operation, StateItem, Transaction, Transport, metadata_key};
use serde_json::value::RawValue;
use todo_domain::list::{
    BatchOutcome, Command, CommandError, DocumentKey, DocumentWrite, PageNumber, ReadError, TaskList,
};
use todo_domain::{TaskEvent, UserId};

pub(crate) use self::conflict::{ATTEMPTS, pause};
use crate::{App, failure::Failure, fresh_id};

/// The key of a list's head document.
pub fn head_key(user: UserId) -> String {
    format!("tasks/{user}")
}

/// The key of one of a list's pages.
pub fn page_key(user: UserId, number: PageNumber) -> String {
    format!("tasks/{user}/{number}")
}

/// A list as it was read, with what guards its next write.
struct Loaded {
    list: TaskList,
    /// Empty when there is no head yet.
    etag: String,
}

impl<T: Transport> App<T> {
    /// Asks a question of a user's list, and loads the pages that it needs.
    ///
    /// # Errors
    /// [`Failure::Sidecar`] when the store is away, [`Failure::Busy`] when writers never leave a moment to read in.
    pub async fn read_list<R>(
        &self,
        user: UserId,
        mut question: impl FnMut(&TaskList) -> Result<R, ReadError>,
    ) -> Result<R, Failure> {
        for attempt in 1..=ATTEMPTS {
            let mut list = self.load(user).await?.list;
            match self.with_pages(&mut list, |list| question(list)).await? {
                Some(answer) => return Ok(answer),
                None => pause(attempt),
            }
        }
        Err(busy(user))
    }

    /// Does commands on a user's list, all in one commit.
    ///
    /// A command that is refused leaves the others be; its result says why.
    ///
    /// # Errors
    /// [`Failure::Sidecar`] when the store is away; of a commit that was not answered it is not known whether it happened.
    /// [`Failure::Busy`] when others won [`ATTEMPTS`] times in a row; then nothing was done.
    pub async fn change_list(
        &self,
        user: UserId,
        commands: &[Command],
    ) -> Result<Vec<Result<Option<todo_domain::Task>, CommandError>>, Failure> {
        for attempt in 1..=ATTEMPTS {
            let Loaded { mut list, etag } = self.load(user).await?;
            let applied = self.with_pages(&mut list, |list| list.apply_all(commands, self.now, &mut fresh_id)).await?;
            let Some(BatchOutcome { results, events, writes }) = applied else {
                pause(attempt);
                continue;
            };
            if writes.is_empty() {
                return Ok(results);
            }
            match self.commit(user, &etag, writes, &events).await {
                Ok(()) => return Ok(results),
                Err(Failure::Sidecar(error)) if error.is_conflict() => pause(attempt),
                Err(error) => return Err(error),
            }
        }
        Err(busy(user))
    }

    /// Does one command on a user's list.
    ///
    /// # Errors
    /// As [`App::change_list`], and [`Failure::Command`] when the command was refused.
    pub async fn change_task(&self, user: UserId, command: Command) -> Result<Option<todo_domain::Task>, Failure> {
        let mut results = self.change_list(user, std::slice::from_ref(&command)).await?;
        Ok(results.pop().expect("one command has one result")?)
    }

    async fn load(&self, user: UserId) -> Result<Loaded, Failure> {
        match self.dapr.get(&self.settings.state_store, &head_key(user)).await? {
            None => Ok(Loaded { list: TaskList::empty(user), etag: String::new() }),
            Some(found) => {
                let text = text(user, found.value)?;
                Ok(Loaded { list: TaskList::parse(user, &text)?, etag: found.etag })
            }
        }
    }

    /// Runs a step, loads the pages that it names as missing, and runs it again.
    /// `None` when a page was written after the head was read: both have to be read anew.
    async fn with_pages<R>(
        &self,
        list: &mut TaskList,
        mut step: impl FnMut(&mut TaskList) -> Result<R, ReadError>,
    ) -> Result<Option<R>, Failure> {
        loop {
            match step(list) {
                Ok(answer) => return Ok(Some(answer)),
                Err(ReadError::PagesNeeded(numbers)) => {
                    if !self.load_pages(list, &numbers).await? {
                        return Ok(None);
                    }
                }
                Err(ReadError::StalePage { .. }) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Loads pages in one call; `false` when one of them is gone, as after another's write.
    async fn load_pages(&self, list: &mut TaskList, numbers: &[PageNumber]) -> Result<bool, Failure> {
        let user = list.user_id();
        let keys: Vec<String> = numbers.iter().map(|number| page_key(user, *number)).collect();
        let entries = self.dapr.bulk_get(&self.settings.state_store, keys.clone()).await?;
        for entry in entries {
            let (Some(data), Some(position)) = (entry.data, keys.iter().position(|key| *key == entry.key)) else {
                return Ok(false);
            };
            list.load_page(numbers[position], String::from(Box::<str>::from(data)));
        }
        Ok(true)
    }

    async fn commit(
        &self,
        user: UserId,
        etag: &str,
        writes: Vec<DocumentWrite>,
        events: &[TaskEvent],
    ) -> Result<(), Failure> {
        let mut operations = Vec::with_capacity(writes.len() + events.len());
        for DocumentWrite { key, json } in writes {
            operations.push(document_operation(user, etag, key, json)?);
        }
        for event in events {
            operations.push(Operation::projection(event_item(user, event)));
        }
        Ok(self.dapr.transact(&self.settings.state_store, &Transaction::new(operations)).await?)
    }
}

fn document_operation(user: UserId, etag: &str, key: DocumentKey, json: Option<String>) -> Result<Operation, Failure> {
    let item = match key {
        DocumentKey::Head if etag.is_empty() => StateItem::key(head_key(user)).first_write(),
        DocumentKey::Head => StateItem::key(head_key(user)).with_etag(etag),
        DocumentKey::Page(number) => StateItem::key(page_key(user, number)),
    };
    let Some(json) = json else { return Ok(Operation::delete(item)) };
    let mut item = item.with_metadata(metadata_key::OUTBOX_SKIP, "true");
    item.value = Some(RawValue::from_string(json).map_err(|source| corrupt(user, source))?);
    Ok(Operation::upsert(item))
}

/// The event as what the outbox publishes. Its key is its own, and nothing is stored under it.
fn event_item(user: UserId, event: &TaskEvent) -> StateItem {
    StateItem::new(format!("tasks/{user}/events/{}", event.sequence), event)
        .expect("an event has text keys and finite numbers")
        .with_metadata(metadata_key::PARTITION_KEY, user.to_string())
        .with_metadata("cloudevent.id", event.event_id.to_string())
}

fn text(user: UserId, value: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(value).map_err(|source| corrupt(user, source))
}

fn corrupt(user: UserId, source: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::Corrupt { subject: format!("the task list of `{user}`"), source: Box::new(source) }
}

fn busy(user: UserId) -> Failure {
    Failure::Busy { subject: format!("the task list of `{user}`"), attempts: ATTEMPTS }
}
