//! What happened to tasks, for the people whose they are: who changed what and when, and what stood there before.
//!
//! Each event of `task-events` is one row, and the row is the event's alone: however often and in whatever order events
//! come, the same rows are there in the end.
//! A row stands twice: among the user's rows by the event's number, and among the task's by the task's version.
//! Rows are in blocks of [`BLOCK`], so that an event rewrites two small documents; they are kept for 90 days.

mod rows;

use std::collections::BTreeSet;

use dapr::{Operation, StateItem, Transaction, Transport};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use todo_domain::{AccountDeleted, TaskEvent, TaskId, UserId};

pub use self::rows::{ActivityBody, ChangeBody, MAX_VALUE};
use crate::{
    App,
    documents::Documents,
    failure::Failure,
    lists::ATTEMPTS,
    numbered::{Block, Entry},
};

/// Rows of one document.
const BLOCK: u64 = 32;
/// Documents that are read at once.
const READ_AT_ONCE: u64 = 8;
/// Days for which rows are kept.
const KEPT_DAYS: i64 = 90;
const KEPT_SECONDS: i64 = KEPT_DAYS * 24 * 60 * 60;
/// Seconds for which it is remembered that a user has gone: as long as the topic keeps events.
const GONE_SECONDS: i64 = 7 * 24 * 60 * 60;

/// What is known of a user's rows, as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityIndex {
    /// The highest number of a row.
    pub last: u64,
    /// Whether the user has gone: no row comes any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}

/// Which rows are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActivityQuery {
    /// The most rows of a page; [`ActivityQuery::DEFAULT_LIMIT`] unless given.
    pub limit: Option<usize>,
    /// Only rows below this number: where the page before ended.
    pub before: Option<u64>,
}

impl ActivityQuery {
    /// Rows of a page unless a query says otherwise.
    pub const DEFAULT_LIMIT: usize = 50;
    /// The most rows that a query may ask for.
    pub const MAX_LIMIT: usize = 100;
}

/// Rows, the newest first.
#[derive(Debug)]
pub struct ActivityPage {
    /// Their JSON ([`ActivityBody`]).
    pub rows: Vec<Box<RawValue>>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<u64>,
}

/// Whose rows, as the first part of their keys.
#[derive(Debug, Clone, Copy)]
enum Subject {
    User(UserId),
    Task(UserId, TaskId),
}

impl Subject {
    fn key(self, block: u64) -> String {
        match self {
            Self::User(user) => format!("activity/{user}/{block}"),
            Self::Task(user, task) => format!("activity/{user}/{task}/{block}"),
        }
    }
}

fn index_key(user: UserId) -> String {
    format!("activity/{user}")
}

impl<T: Transport> App<T> {
    /// Writes an event down. One that is there already changes nothing.
    ///
    /// # Errors
    /// [`Failure::Sidecar`] when the store is away, [`Failure::Busy`] when others win [`ATTEMPTS`] times in a row.
    pub async fn record_activity(&self, event: &TaskEvent) -> Result<(), Failure> {
        let row = ActivityBody::of(event);
        for attempt in 1..=ATTEMPTS {
            let found = self.load_documents(keys_of(event).into()).await?;
            let operations = recorded(&found, event, &row)?;
            if operations.is_empty() || self.commit(operations, attempt).await? {
                return Ok(());
            }
        }
        Err(busy(event.user_id))
    }

    /// Removes every row of a user who has gone.
    ///
    /// # Errors
    /// As [`App::record_activity`]; what was not removed yet is when the event comes again.
    pub async fn forget_activity(&self, event: &AccountDeleted) -> Result<(), Failure> {
        let user = event.user_id;
        let last = self.close_activity(user).await?.max(event.sequence);
        let mut groups = Vec::new();
        let mut next = Some(last / BLOCK);
        while let Some(newest) = next {
            let (oldest, blocks) = self.blocks_down_from(Subject::User(user), newest).await?;
            if blocks.is_empty() {
                break;
            }
            let mut keys = BTreeSet::new();
            for (number, block) in &blocks {
                let rows = block.entries.iter().filter_map(|entry| rows::place(&entry.value));
                keys.extend(rows.map(|(task, version)| Subject::Task(user, task).key(version / BLOCK)));
                keys.insert(Subject::User(user).key(*number));
            }
            groups.push(keys);
            next = oldest.checked_sub(1);
        }
        // The oldest first: whoever has to begin anew still finds the way to what is left.
        for keys in groups.into_iter().rev() {
            let operations = keys.into_iter().map(|key| Operation::delete(StateItem::key(key))).collect();
            self.dapr.transact(&self.settings.state_store, &Transaction::new(operations)).await?;
        }
        Ok(())
    }

    /// A page of a user's rows.
    ///
    /// # Errors
    /// [`Failure::Sidecar`] when the store is away.
    pub async fn activity_of_user(&self, user: UserId, query: ActivityQuery) -> Result<ActivityPage, Failure> {
        let found: Option<(ActivityIndex, String)> = self.load_document(&index_key(user)).await?;
        match found {
            Some((index, _)) if !index.closed => self.activity(Subject::User(user), index.last, query).await,
            _ => Ok(ActivityPage { rows: Vec::new(), next: None }),
        }
    }

    /// A page of a task's rows; `None` when the user has no such task, in the trash neither.
    ///
    /// # Errors
    /// As [`App::read_list`].
    pub async fn activity_of_task(
        &self,
        user: UserId,
        id: TaskId,
        query: ActivityQuery,
    ) -> Result<Option<ActivityPage>, Failure> {
        let Some(task) = self.read_list(user, |list| list.task(id)).await? else { return Ok(None) };
        self.activity(Subject::Task(user, id), task.version, query).await.map(Some)
    }

    /// Rows of a subject whose highest number is `last`.
    async fn activity(&self, subject: Subject, last: u64, query: ActivityQuery) -> Result<ActivityPage, Failure> {
        let limit = query.limit.unwrap_or(ActivityQuery::DEFAULT_LIMIT).clamp(1, ActivityQuery::MAX_LIMIT);
        let before = query.before.unwrap_or(u64::MAX);
        let newest = last.min(before.saturating_sub(1));
        let oldest_kept = self.now.as_second() - KEPT_SECONDS;
        let (mut rows, mut next_block) = (Vec::new(), Some(newest / BLOCK));
        while let Some(newest) = next_block {
            let (oldest, blocks) = self.blocks_down_from(subject, newest).await?;
            let entries = blocks.iter().flat_map(|(_, block)| block.entries.iter().rev());
            for entry in entries.filter(|entry| entry.number < before) {
                if rows.len() == limit {
                    return Ok(page(rows, true));
                }
                if rows::time_of(&entry.value).is_some_and(|at| at.as_second() < oldest_kept) {
                    return Ok(page(rows, false));
                }
                rows.push(entry.clone());
            }
            // Behind blocks that are gone there are none but older ones, which are gone too.
            next_block = if blocks.is_empty() { None } else { oldest.checked_sub(1) };
        }
        Ok(page(rows, false))
    }

    /// Blocks from one downwards, the newest first, and the number of the oldest that was looked for.
    async fn blocks_down_from(&self, subject: Subject, newest: u64) -> Result<(u64, Vec<(u64, Block)>), Failure> {
        let oldest = newest.saturating_sub(READ_AT_ONCE - 1);
        let found: Documents =
            self.load_documents((oldest..=newest).map(|number| subject.key(number)).collect()).await?;
        let mut blocks = Vec::new();
        for number in (oldest..=newest).rev() {
            if let Some((block, _)) = found.get(&subject.key(number))? {
                blocks.push((number, block));
            }
        }
        Ok((oldest, blocks))
    }

    /// Lets no row come any more, and gives the highest number of one.
    async fn close_activity(&self, user: UserId) -> Result<u64, Failure> {
        let key = index_key(user);
        for attempt in 1..=ATTEMPTS {
            let found = self.load_documents(vec![key.clone()]).await?;
            let ActivityIndex { last, .. } = found.get_or_default(&key)?;
            let closed = found.replace(key.clone(), &ActivityIndex { last, closed: true }, Some(GONE_SECONDS))?;
            if self.commit(vec![closed], attempt).await? {
                return Ok(last);
            }
        }
        Err(busy(user))
    }
}

/// The keys of what one event changes: the index, the user's block, the task's block.
fn keys_of(event: &TaskEvent) -> [String; 3] {
    let user = Subject::User(event.user_id).key(event.sequence / BLOCK);
    let task = Subject::Task(event.user_id, event.task_id).key(event.payload.task.version / BLOCK);
    [index_key(event.user_id), user, task]
}

/// What writes an event down; nothing when it is there already, or the user has gone.
fn recorded(found: &Documents, event: &TaskEvent, row: &ActivityBody<'_>) -> Result<Vec<Operation>, Failure> {
    let [index_key, user_key, task_key] = keys_of(event);
    let mut index: ActivityIndex = found.get_or_default(&index_key)?;
    let mut operations = Vec::new();
    if index.closed {
        return Ok(operations);
    }
    for (key, number) in [(user_key, row.sequence), (task_key, row.version)] {
        let mut block: Block = found.get_or_default(&key)?;
        if block.insert(Entry::new(number, row)) {
            operations.push(found.replace(key, &block, Some(KEPT_SECONDS))?);
        }
    }
    if index.last < event.sequence {
        index.last = event.sequence;
        operations.push(found.replace(index_key, &index, None)?);
    }
    Ok(operations)
}

fn page(entries: Vec<Entry>, more: bool) -> ActivityPage {
    let next = entries.last().filter(|_| more).map(|entry| entry.number);
    ActivityPage { rows: entries.into_iter().map(|entry| entry.value).collect(), next }
}

fn busy(user: UserId) -> Failure {
    Failure::Busy { subject: format!("the activity of `{user}`"), attempts: ATTEMPTS }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::documents::model::{Store, deliveries, events};

    const EVENTS: usize = 100;

    fn deliver(store: &mut Store, event: &TaskEvent) {
        let operations = recorded(&store.read(&keys_of(event)), event, &ActivityBody::of(event)).unwrap();
        store.apply(operations);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_same_rows_are_there_however_often_and_in_whatever_order_events_come(order in deliveries(EVENTS)) {
            let events = events(EVENTS);
            let (mut clean, mut store) = (Store::default(), Store::default());
            events.iter().for_each(|event| deliver(&mut clean, event));
            order.into_iter().for_each(|index| deliver(&mut store, &events[index]));
            prop_assert_eq!(store, clean);
        }
    }

    #[test]
    fn every_event_is_a_row_of_the_user_and_of_its_task() {
        let (events, mut store) = (events(EVENTS), Store::default());
        events.iter().for_each(|event| deliver(&mut store, event));
        let rows = |part: usize| -> usize {
            let blocks = store.0.iter().filter(|(key, _)| key.split('/').count() == part);
            blocks.map(|(_, text)| serde_json::from_str::<Block>(text).unwrap().entries.len()).sum()
        };
        assert_eq!((rows(3), rows(4)), (EVENTS, EVENTS));
    }

    #[test]
    fn nothing_is_written_of_a_user_who_has_gone() {
        let event = &events(1)[0];
        let mut store = Store::default();
        let closed = serde_json::to_string(&ActivityIndex { last: 7, closed: true }).unwrap();
        store.0.insert(index_key(event.user_id), closed);
        let before = store.clone();
        deliver(&mut store, event);
        assert_eq!(store, before);
    }
}
