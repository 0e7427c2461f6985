//! The newest updates of a user, in a ring of small documents.
//!
//! An event is in the slot of its number, so that it rewrites one document of sixteen; a slot holds one block of events,
//! and the newest that came is the one that stays. What the ring holds in the end depends on the events alone, and not
//! on how often or in which order they came.

use dapr::{Operation, StateItem, Transport};
use serde::{Deserialize, Serialize};
use todo_domain::UserId;

use super::KEPT_SECONDS;
use crate::{
    App,
    documents::Documents,
    failure::Failure,
    numbered::{Block, Entry},
};

/// Documents of a ring.
const SLOTS: u64 = 16;
/// Events of a document.
const SLOT_EVENTS: u64 = 16;
/// Bytes of a document's events; the oldest go when there are more.
const SLOT_BYTES: usize = 128 << 10;
/// The events that a page may have missed, at the least, and still is told all of them, when they are of usual length.
pub const WINDOW: u64 = (SLOTS - 1) * SLOT_EVENTS + 1;
/// Seconds for which it is remembered that a user has gone: as long as the topic keeps events.
const GONE_SECONDS: i64 = 7 * 24 * 60 * 60;

/// What is known of a user's ring, as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdatesIndex {
    /// The highest number of an event that was handled.
    pub last: u64,
    /// Whether the user has gone: no event comes any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}

/// One document of the ring.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RingSlot {
    /// Which block of events: their numbers divided by 16.
    pub block_number: u64,
    /// The events.
    pub block: Block,
}

impl RingSlot {
    /// Takes an event; `false` when nothing changed, since it is there already or a newer block is.
    fn insert(&mut self, entry: &Entry) -> bool {
        let block_number = entry.number / SLOT_EVENTS;
        if block_number < self.block_number {
            return false;
        }
        if block_number > self.block_number {
            *self = Self { block_number, block: Block::default() };
        }
        if !self.block.insert(entry.clone()) {
            return false;
        }
        let mut bytes = 0;
        let fits = |entry: &&Entry| {
            bytes += entry.value.get().len();
            bytes <= SLOT_BYTES
        };
        let kept = self.block.entries.iter().rev().take_while(fits).count();
        self.block.entries.drain(..self.block.entries.len() - kept);
        true
    }
}

/// The newest updates, as a stream begins with them.
#[derive(Debug, Clone, Default)]
pub(super) struct Ring {
    /// The highest number of an event that was handled.
    pub(super) last: u64,
    /// Whether the user has gone.
    pub(super) closed: bool,
    /// In order.
    pub(super) entries: Vec<Entry>,
}

impl<T: Transport> App<T> {
    /// Reads a user's ring.
    ///
    /// The index first: documents are not read at one moment, and what it counts is in the slots before it is in it.
    pub(super) async fn ring(&self, user: UserId) -> Result<Ring, Failure> {
        let index = self.load_document(&index_key(user)).await?.map(|(index, _)| index).unwrap_or_default();
        let slots = (0..SLOTS).map(|slot| slot_key(user, slot)).collect();
        read(index, &self.load_documents(slots).await?, user)
    }
}

fn read(index: UpdatesIndex, found: &Documents, user: UserId) -> Result<Ring, Failure> {
    let UpdatesIndex { last, closed } = index;
    let mut entries = Vec::new();
    for slot in 0..SLOTS {
        let slot: RingSlot = found.get_or_default(&slot_key(user, slot))?;
        entries.extend(slot.block.entries);
    }
    entries.sort_unstable_by_key(|entry| entry.number);
    Ok(Ring { last, closed, entries })
}

/// What writes an event down; nothing when it is there already, `None` when the user has gone.
pub(super) fn recorded(found: &Documents, user: UserId, entry: &Entry) -> Result<Option<Vec<Operation>>, Failure> {
    let [index_key, slot_key] = keys_of(user, entry.number);
    let mut index: UpdatesIndex = found.get_or_default(&index_key)?;
    if index.closed {
        return Ok(None);
    }
    let mut operations = Vec::new();
    let mut slot: RingSlot = found.get_or_default(&slot_key)?;
    if slot.insert(entry) {
        operations.push(found.replace(slot_key, &slot, Some(KEPT_SECONDS))?);
    }
    if index.last < entry.number {
        index.last = entry.number;
        operations.push(found.replace(index_key, &index, None)?);
    }
    Ok(Some(operations))
}

/// What removes the ring, and lets no event into it any more.
pub(super) fn forgotten(found: &Documents, user: UserId) -> Result<Vec<Operation>, Failure> {
    let key = index_key(user);
    let UpdatesIndex { last, .. } = found.get_or_default(&key)?;
    let mut operations = vec![found.replace(key, &UpdatesIndex { last, closed: true }, Some(GONE_SECONDS))?];
    operations.extend((0..SLOTS).map(|slot| Operation::delete(StateItem::key(slot_key(user, slot)))));
    Ok(operations)
}

/// The keys of the whole ring.
pub(super) fn keys(user: UserId) -> Vec<String> {
    (0..SLOTS).map(|slot| slot_key(user, slot)).chain([index_key(user)]).collect()
}

/// The keys of what one event changes.
pub(super) fn keys_of(user: UserId, sequence: u64) -> [String; 2] {
    [index_key(user), slot_key(user, sequence / SLOT_EVENTS % SLOTS)]
}

pub(super) fn index_key(user: UserId) -> String {
    format!("updates/{user}")
}

fn slot_key(user: UserId, slot: u64) -> String {
    format!("updates/{user}/{slot}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use todo_domain::{TaskEvent, TaskUpdates};

    use super::*;
    use crate::documents::model::{Store, deliveries, events};

    /// More than the ring holds.
    const EVENTS: usize = 300;

    fn deliver(store: &mut Store, event: &TaskEvent) {
        let entry = Entry::new(event.sequence, &TaskUpdates::of(event));
        let found = store.read(&keys_of(event.user_id, event.sequence));
        store.apply(recorded(&found, event.user_id, &entry).unwrap().unwrap());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_ring_is_the_same_however_often_and_in_whatever_order_events_come(order in deliveries(EVENTS)) {
            let events = events(EVENTS);
            let (mut clean, mut store) = (Store::default(), Store::default());
            events.iter().for_each(|event| deliver(&mut clean, event));
            order.into_iter().for_each(|index| deliver(&mut store, &events[index]));
            prop_assert_eq!(store, clean);
        }
    }

    #[test]
    fn the_newest_events_are_there_without_gaps_and_a_user_who_has_gone_has_none() {
        let (user, mut store) = (UserId::new(uuid::Uuid::from_u128(1)), Store::default());
        for sequence in 1..=EVENTS as u64 {
            let found = store.read(&keys_of(user, sequence));
            store.apply(recorded(&found, user, &Entry::new(sequence, &0)).unwrap().unwrap());
        }
        let found = store.read(&keys(user));
        let ring = read(found.get_or_default(&index_key(user)).unwrap(), &found, user).unwrap();
        let numbers: Vec<u64> = ring.entries.iter().map(|entry| entry.number).collect();
        let last = EVENTS as u64;
        assert_eq!(ring.last, last);
        assert!(numbers.iter().copied().eq(numbers[0]..=last) && numbers[0] <= last - WINDOW + 1, "{numbers:?}");

        store.apply(forgotten(&store.read(&keys(user)), user).unwrap());
        assert_eq!(store.0.keys().collect::<Vec<_>>(), [&index_key(user)]);
        let entry = Entry::new(last + 1, &0);
        assert!(recorded(&store.read(&keys_of(user, last + 1)), user, &entry).unwrap().is_none());
    }

    #[test]
    fn a_slot_keeps_the_newest_that_fit() {
        let mut slot = RingSlot::default();
        for number in [3, 1, 2, 4] {
            slot.insert(&Entry::new(number, &"x".repeat(SLOT_BYTES / 2 - 2)));
        }
        let numbers: Vec<u64> = slot.block.entries.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers, [3, 4]);
        assert!(!slot.insert(&Entry::new(4, &0)));
    }
}
