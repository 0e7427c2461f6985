//! What of one partition is read and not finished.
//!
//! Messages of one key are taken one after the other; those without a key do not wait for each other.
//! What is finished beyond a message that is not, is remembered, so that a stubborn message repeats nobody else's.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use crate::log::{Message, Progress};

/// Messages read and not finished, at most: one key that fails for ever stops its partition after so many of its own.
/// It is more than the largest import of one user; each costs some 100 bytes and, at worst, 8 in every note of offsets.
const UNFINISHED: usize = 16_384;
/// Messages asked for at a time.
const READ: usize = 256;
/// Messages from before a restart asked for at a time.
const READ_LEFT: usize = 64;

/// One message of the window.
#[derive(Debug)]
struct Slot {
    key: Option<Arc<str>>,
    /// Absent when it was given back to save memory: it is read again when its turn comes.
    message: Option<Message>,
    failures: u32,
}

/// The window of one partition.
#[derive(Debug)]
pub(super) struct Window {
    /// The next offset to read.
    next: i64,
    /// One past the highest finished offset.
    finished: i64,
    slots: BTreeMap<i64, Slot>,
    /// Offsets of each key in order; the first is on its way or waits for its next try.
    keys: HashMap<Arc<str>, VecDeque<i64>>,
    /// Offsets whose turn it is.
    ready: VecDeque<i64>,
    /// Offsets from before a restart, to be read one by one.
    left: Vec<i64>,
    /// Bytes of content held.
    held: usize,
}

impl Window {
    pub(super) fn new(progress: Progress) -> Self {
        Self {
            next: progress.next,
            finished: progress.next,
            slots: BTreeMap::new(),
            keys: HashMap::new(),
            ready: VecDeque::new(),
            left: progress.unfinished,
            held: 0,
        }
    }

    /// The next offset to read.
    pub(super) fn next(&self) -> i64 {
        self.next
    }

    /// Bytes of content held.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Whether something came, now or before a restart, that is not finished.
    pub(super) fn is_open(&self) -> bool {
        !self.slots.is_empty() || !self.left.is_empty()
    }

    /// How many messages may be read now. Half of a read is waited for, so that reads are few.
    pub(super) fn room(&self) -> usize {
        let room = UNFINISHED.saturating_sub(self.slots.len()).min(READ);
        if room < READ / 2 { 0 } else { room }
    }

    /// The first of the offsets that a process before this one left, to be read before anything else.
    /// They stay named until [`Window::restore`].
    pub(super) fn left(&self) -> &[i64] {
        &self.left[..self.left.len().min(READ_LEFT)]
    }

    /// Takes the messages of [`Window::left`]. What is not among them is gone from the log.
    pub(super) fn restore(&mut self, messages: Vec<Message>, keep: bool) {
        self.left.drain(..self.left.len().min(READ_LEFT));
        for message in messages {
            self.add(message, keep);
        }
    }

    /// Takes the next messages. Their content is kept unless `keep` says that memory is short.
    ///
    /// A log that is read from the lowest unfinished message on brings finished ones as well: these are passed over.
    pub(super) fn extend(&mut self, messages: Vec<Message>, keep: bool) {
        for message in messages {
            if message.offset >= self.next {
                // What a process before this one left and has not come by now is gone from the log.
                self.left.clear();
                self.next = message.offset + 1;
            } else if let Ok(place) = self.left.binary_search(&message.offset) {
                self.left.drain(..=place);
            } else {
                continue;
            }
            self.add(message, keep);
        }
    }

    /// Nothing is to be read below `offset`.
    pub(super) fn skip_to(&mut self, offset: i64) {
        self.next = self.next.max(offset);
    }

    fn add(&mut self, message: Message, keep: bool) {
        let (offset, key) = (message.offset, message.key.clone());
        let first = match &key {
            Some(key) => {
                let queue = self.keys.entry(key.clone()).or_default();
                queue.push_back(offset);
                queue.len() == 1
            }
            None => true,
        };
        if first {
            self.ready.push_back(offset);
        }
        let message = keep.then_some(message);
        self.held += message.as_ref().map_or(0, |message| message.content.len());
        self.slots.insert(offset, Slot { key, message, failures: 0 });
    }

    /// An offset whose turn it is, and its message if that is still held.
    pub(super) fn take(&mut self) -> Option<(i64, Option<Message>)> {
        let offset = self.ready.pop_front()?;
        let message = self.slots.get(&offset).and_then(|slot| slot.message.clone());
        Some((offset, message))
    }

    /// Whether a message waits behind this one, which is on its way or about to be.
    pub(super) fn holds_up(&self, offset: i64) -> bool {
        let key = self.slots.get(&offset).and_then(|slot| slot.key.as_ref());
        key.and_then(|key| self.keys.get(key)).is_some_and(|queue| queue.len() > 1)
    }

    /// Whether a message waits for its turn that has come.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// It is finished; the next of its key has its turn.
    pub(super) fn finish(&mut self, offset: i64) {
        let Some(slot) = self.slots.remove(&offset) else { return };
        self.held -= slot.message.map_or(0, |message| message.content.len());
        self.finished = self.finished.max(offset + 1);
        let Some(key) = slot.key else { return };
        let Some(queue) = self.keys.get_mut(&key) else { return };
        queue.pop_front();
        match queue.front() {
            Some(next) => self.ready.push_back(*next),
            None => drop(self.keys.remove(&key)),
        }
    }

    /// How often it has failed.
    pub(super) fn failures(&self, offset: i64) -> u32 {
        self.slots.get(&offset).map_or(0, |slot| slot.failures)
    }

    /// It failed once more; says how often it has.
    pub(super) fn fail(&mut self, offset: i64) -> u32 {
        let Some(slot) = self.slots.get_mut(&offset) else { return 0 };
        slot.failures += 1;
        slot.failures
    }

    /// Its next try has come.
    pub(super) fn again(&mut self, offset: i64) {
        self.ready.push_front(offset);
    }

    /// What is to be remembered.
    pub(super) fn progress(&self) -> Progress {
        let open = self.slots.range(..self.finished).map(|(offset, _)| *offset);
        Progress { next: self.finished, unfinished: open.chain(self.left.iter().copied()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(offset: i64, key: &str) -> Message {
        let key = (!key.is_empty()).then(|| Arc::from(key));
        Message { offset, time: 0, key, attributes: "{}".into(), expires: None, content: "x".into() }
    }

    fn window(keys: &[&str]) -> Window {
        let mut window = Window::new(Progress { next: 0, unfinished: Vec::new() });
        window.extend((0..).zip(keys).map(|(offset, key)| message(offset, key)).collect(), true);
        window
    }

    fn ready(window: &mut Window) -> Vec<i64> {
        std::iter::from_fn(|| window.take().map(|(offset, _)| offset)).collect()
    }

    #[test]
    fn one_of_each_key_is_on_its_way() {
        let mut window = window(&["a", "a", "b", "", ""]);
        assert_eq!(ready(&mut window), [0, 2, 3, 4]);
        window.finish(0);
        assert_eq!(ready(&mut window), [1]);
    }

    #[test]
    fn a_failing_message_holds_up_its_key_alone() {
        let mut window = window(&["a", "a", "b", "b"]);
        assert_eq!(ready(&mut window), [0, 2]);
        assert_eq!(window.fail(0), 1);
        window.finish(2);
        assert_eq!(ready(&mut window), [3]);
        window.finish(3);
        assert_eq!(ready(&mut window), [0_i64; 0]);
        assert_eq!(window.progress(), Progress { next: 4, unfinished: vec![0, 1] });
        window.again(0);
        assert_eq!(ready(&mut window), [0]);
        window.finish(0);
        window.finish(1);
        assert_eq!(window.progress(), Progress { next: 4, unfinished: Vec::new() });
    }

    #[test]
    fn what_was_left_is_named_until_it_is_finished() {
        let mut window = Window::new(Progress { next: 9, unfinished: vec![3, 5] });
        assert_eq!(window.progress(), Progress { next: 9, unfinished: vec![3, 5] });
        window.restore(vec![message(3, "a")], true);
        window.extend(vec![message(9, "a")], true);
        assert_eq!(ready(&mut window), [3]);
        assert_eq!(window.progress(), Progress { next: 9, unfinished: vec![3] });
        window.finish(3);
        assert_eq!(ready(&mut window), [9]);
    }

    #[test]
    fn what_was_finished_beyond_a_message_that_was_not_does_not_come_again() {
        let mut window = Window::new(Progress { next: 9, unfinished: vec![3, 5, 6] });
        window.extend((3..8).map(|offset| message(offset, "a")).collect(), true);
        assert_eq!(window.progress(), Progress { next: 9, unfinished: vec![3, 5, 6] });
        window.extend((8..11).map(|offset| message(offset, "")).collect(), true);
        assert_eq!(ready(&mut window), [3, 9, 10]);
        window.finish(3);
        window.finish(9);
        assert_eq!(ready(&mut window), [5]);
        assert_eq!(window.progress(), Progress { next: 10, unfinished: vec![5, 6] });
        // The log holds nothing below 10 any more.
        let mut window = Window::new(Progress { next: 9, unfinished: vec![3] });
        window.extend(vec![message(10, "a")], true);
        window.finish(10);
        assert_eq!(window.progress(), Progress { next: 11, unfinished: Vec::new() });
    }

    #[test]
    fn what_is_not_held_is_read_again() {
        let mut window = window(&[]);
        window.extend(vec![message(0, "a")], false);
        assert_eq!((window.held(), window.take().map(|(_, message)| message.is_some())), (0, Some(false)));
    }
}
