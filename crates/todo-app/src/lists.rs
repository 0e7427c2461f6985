//! Task lists in the state store: load, apply, commit with the events, try again on a conflict.
//!
//! A list is a head document and, past its bound, pages (`todo_domain::list`).
//! One commit is one state transaction: the head under its entity tag, the pages that changed, and each event as an
//! outbox projection, so that a document is never stored without its event nor an event published without its document.
//! Where the sidecar has no outbox to rely on, the head itself holds the events until they are published ([`held`]).
//! The head's entity tag guards the pages too: they are only ever written together with it.

mod conflict;
mod held;
mod service;

use dapr::{Operation, StateItem, Transport, metadata_key};
use serde::Serialize;
use serde_json::value::RawValue;
use todo_domain::ids::Ids;
use todo_domain::list::{
    BatchOutcome, Closing, Command, CommandError, DocumentKey, DocumentWrite, PageNumber, ReadError, TaskList,
};
use todo_domain::{Actor, ActorKind, EventId, Task, TaskEvent, UserId};

pub(crate) use self::conflict::{ATTEMPTS, pause};
pub use self::held::Published;
pub(crate) use self::held::{CLOSED_SECONDS, Held};
use self::held::{Way, left_operations, published_key};
pub use self::service::Once;
use crate::{
    App,
    access::Writer,
    failure::Failure,
    fresh_id,
    http::{Answer, Response, problem::Problem},
    settings::Events,
};

/// What came of each command: the task, none after a purge, or why it was not done.
pub type Results = Vec<Result<Option<Task>, CommandError>>;

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
    /// Up to where its events have been published, where that is not the outbox's business.
    published: Published,
}

impl Loaded {
    fn empty(user: UserId) -> Self {
        Self { list: TaskList::empty(user), etag: String::new(), published: Published::default() }
    }
}

/// A commit that is ready.
pub(crate) struct Prepared<R> {
    /// What comes of it.
    pub(crate) outcome: R,
    /// What stores it.
    pub(crate) operations: Vec<Operation>,
    /// What is to be published once it is stored.
    pub(crate) held: Option<Held>,
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
            let loaded = self.load(user).await?;
            self.look_after_held(&loaded).await;
            let mut list = loaded.list;
            match self.with_pages(&mut list, |list| question(list)).await? {
                Some(answer) => return Ok(answer),
                None => pause(attempt),
            }
        }
        Err(busy(user))
    }

    /// Does commands on a user's list, all in one commit, and makes the answer of what came of them.
    ///
    /// A command that is refused leaves the others be. When there is no answer but a problem, nothing is stored.
    /// A write that its client numbered is answered as it was the first time.
    ///
    /// # Errors
    /// The answer's own; 409 when others won [`ATTEMPTS`] times in a row; 422 for another write's number; 429 for too
    /// many writes; 503 when the store is away: of a commit that was not answered it is not known whether it happened.
    pub async fn change_list(
        &self,
        writer: &Writer,
        commands: &[Command],
        answer: impl Fn(Results) -> Answer,
    ) -> Answer {
        let user = writer.user.id;
        for attempt in 1..=ATTEMPTS {
            if let Some(key) = &writer.idempotency_key
                && let Some(earlier) = self.earlier_answer(key).await?
            {
                self.publish_what_is_left(user).await;
                return Ok(earlier);
            }
            let Some(prepared) = self.prepare(writer, commands).await? else {
                pause(attempt);
                continue;
            };
            let Prepared { outcome, mut operations, held } = prepared;
            let response = answer(outcome)?;
            if let Some(key) = &writer.idempotency_key {
                operations.push(key.record(&response)?);
            }
            if operations.is_empty() {
                return Ok(response);
            }
            if self.commit(operations, attempt).await? {
                self.publish_after_commit(held).await;
                return Ok(response);
            }
        }
        Err(busy(user).into())
    }

    /// What came of commands, and the operations that store it; `None` when a page was written meanwhile: try again.
    async fn prepare(&self, writer: &Writer, commands: &[Command]) -> Result<Option<Prepared<Results>>, Failure> {
        let user = writer.user.id;
        let mut loaded = self.load(user).await?;
        let way = self.begin_write(&mut loaded).await?;
        let Loaded { mut list, etag, .. } = loaded;
        list.set_actor(writer.actor.clone());
        if writer.is_paced() && self.settings.writes_per_minute > 0 {
            list.spend_write(self.settings.writes_per_minute, self.now)?;
        }
        let applied = self.with_pages(&mut list, |list| list.apply_all(commands, self.now, &mut fresh_id)).await?;
        let Some(BatchOutcome { results, events, writes }) = applied else { return Ok(None) };
        let held = way.held(&list);
        // A whole file is in memory several times by now: what is done with goes.
        drop(list);
        let operations = operations(user, &etag, writes, &events, &way, None)?;
        Ok(Some(Prepared { outcome: results, operations, held }))
    }

    /// Does one command on a user's list, and makes the answer of the task.
    ///
    /// # Errors
    /// As [`App::change_list`]; the command's own refusal; 404 for a command that leaves no task.
    pub async fn change_task(&self, writer: &Writer, command: Command, answer: impl Fn(&Task) -> Response) -> Answer {
        let single = |mut results: Results| {
            let task = results.pop().expect("one command has one result").map_err(Failure::from)?;
            task.as_ref().map(&answer).ok_or_else(|| Problem::not_found("There is no such task."))
        };
        self.change_list(writer, std::slice::from_ref(&command), single).await
    }

    /// What closes a user's list, to be done in one transaction; `None` when a page was written meanwhile: try again.
    pub(crate) async fn closing_operations(
        &self,
        user: UserId,
        kept_seconds: i64,
        ids: Ids<'_>,
    ) -> Result<Option<Prepared<()>>, Problem> {
        let mut loaded = self.load(user).await?;
        let way = self.begin_write(&mut loaded).await?;
        let Loaded { mut list, etag, .. } = loaded;
        list.set_actor(Actor::of(ActorKind::User));
        let closed = self.with_pages(&mut list, |list| list.close(self.now, &mut *ids)).await?;
        let Some(closed) = closed else { return Ok(None) };
        let Closing { events, farewell, writes } = closed.ok_or(Failure::Closed)?;
        let mut operations = operations(user, &etag, writes, &events, &way, Some(kept_seconds))?;
        if matches!(way, Way::Outbox(_)) {
            operations.push(event_operation(user, farewell.sequence, farewell.event_id, &farewell));
        }
        Ok(Some(Prepared { outcome: (), operations, held: way.held(&list) }))
    }

    async fn load(&self, user: UserId) -> Result<Loaded, Failure> {
        let loaded = self.load_even_closed(user).await?;
        if loaded.list.is_closed() { Err(Failure::Closed) } else { Ok(loaded) }
    }

    async fn load_even_closed(&self, user: UserId) -> Result<Loaded, Failure> {
        let key = head_key(user);
        if self.settings.events == Events::Outbox {
            let head = self.dapr.get(&self.settings.state_store, &key).await?;
            let Some(found) = head else { return Ok(Loaded::empty(user)) };
            let text = text(user, found.value)?;
            return Ok(Loaded {
                list: TaskList::parse(user, &text)?,
                etag: found.etag,
                published: Published::default(),
            });
        }
        let note = published_key(user);
        let found = self.load_documents(vec![key.clone(), note.clone()]).await?;
        let Some((text, etag)) = found.text(&key) else { return Ok(Loaded::empty(user)) };
        let (list, etag) = (TaskList::parse(user, text)?, etag.to_owned());
        Ok(Loaded { list, etag, published: found.get_or_default(&note)? })
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
}

/// The operations of one commit: the documents, and each event as an outbox projection.
/// A head that is only to be remembered for a while is written with the seconds that it is kept.
fn operations(
    user: UserId,
    etag: &str,
    writes: Vec<DocumentWrite>,
    events: &[TaskEvent],
    way: &Way,
    kept_seconds: Option<i64>,
) -> Result<Vec<Operation>, Failure> {
    let mut operations = Vec::with_capacity(writes.len() + events.len() + 1);
    for DocumentWrite { key, json } in writes {
        let item = match key {
            DocumentKey::Head if etag.is_empty() => StateItem::key(head_key(user)).first_write(),
            DocumentKey::Head => StateItem::key(head_key(user)).with_etag(etag),
            DocumentKey::Page(number) => StateItem::key(page_key(user, number)),
        };
        let Some(json) = json else {
            operations.push(Operation::delete(item));
            continue;
        };
        let mut item = item.with_metadata(metadata_key::OUTBOX_SKIP, "true");
        if let Some(seconds) = kept_seconds {
            item = item.with_metadata(metadata_key::TTL_IN_SECONDS, seconds.to_string());
        }
        item.value = Some(raw(user, json)?);
        operations.push(Operation::upsert(item));
    }
    if matches!(way, Way::Outbox(_)) && !operations.is_empty() {
        operations.extend(left_operations(user, way));
        operations.extend(events.iter().map(|event| event_operation(user, event.sequence, event.event_id, event)));
    }
    Ok(operations)
}

/// An event as what the outbox publishes. Its key is its own, and nothing is stored under it.
fn event_operation(user: UserId, sequence: u64, id: EventId, event: &impl Serialize) -> Operation {
    let item = StateItem::new(format!("tasks/{user}/events/{sequence}"), event)
        .expect("an event has text keys and finite numbers")
        .with_metadata(metadata_key::PARTITION_KEY, user.to_string())
        .with_metadata("cloudevent.id", id.to_string());
    Operation::projection(item)
}

fn raw(user: UserId, json: String) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(json).map_err(|source| corrupt(user, source))
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
