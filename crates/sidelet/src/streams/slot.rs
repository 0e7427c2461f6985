//! What waits for one reader.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Notify;

use super::event::Event;

/// Bytes that wait for one reader, at most, unless one message is longer.
const BUFFER: usize = 256 << 10;
/// Bytes of a reader's messages that may be appended while it takes nothing. Beyond that it is too slow.
///
/// The events of 10,000 tasks that are imported at once are some 5 MB: who reads them as they come is not ended.
const BEHIND: usize = 16 << 20;

/// Between a tap and a reader.
#[derive(Debug)]
pub(super) struct Slot {
    state: Mutex<State>,
    /// Something is to be seen here.
    pub(super) changed: Notify,
}

#[derive(Debug)]
struct State {
    events: VecDeque<Event>,
    bytes: usize,
    /// The offset behind the last event, by partition.
    next: Box<[i64]>,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Every message is put here as it is appended.
    Live,
    /// The reader reads the log by itself. This many bytes were appended since it last did.
    Behind(usize),
    TooSlow,
}

/// What a reader finds.
#[derive(Debug)]
pub(super) enum Found {
    Event(Event),
    /// Nothing, and the tap will put there what comes.
    Nothing,
    /// Nothing, and the log holds more, from these offsets on.
    Behind(Box<[i64]>),
    TooSlow,
}

impl Slot {
    /// Begins at these offsets, of which the log may hold messages already.
    pub(super) fn new(next: Box<[i64]>) -> Self {
        let state = State { events: VecDeque::new(), bytes: 0, next, standing: Standing::Behind(0) };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// Where it begins: the offset of the next message of each partition.
    pub(super) fn begins(&self) -> Box<[i64]> {
        self.state().next.clone()
    }

    /// Puts a message there that was appended now. Without `data` there is no room for it anywhere.
    pub(super) fn offer(&self, partition: usize, offset: i64, length: usize, data: Option<&Bytes>) {
        let mut state = self.state();
        if offset < state.next[partition] {
            return;
        }
        state.standing = match state.standing {
            Standing::Live => match data {
                Some(data) if state.events.is_empty() || state.bytes + length <= BUFFER => {
                    state.push(Event { partition, offset, data: data.clone() });
                    Standing::Live
                }
                _ => Standing::Behind(length),
            },
            Standing::Behind(bytes) if bytes + length <= BEHIND => Standing::Behind(bytes + length),
            Standing::Behind(_) | Standing::TooSlow => {
                (state.events, state.bytes) = (VecDeque::new(), 0);
                Standing::TooSlow
            }
        };
        drop(state);
        self.changed.notify_one();
    }

    /// Puts what the reader has read by itself there: `partition` is read up to `next`.
    pub(super) fn fill(&self, partition: usize, next: i64, events: Vec<Event>) {
        let mut state = self.state();
        if let Standing::Behind(bytes) = &mut state.standing {
            *bytes = 0;
            events.into_iter().for_each(|event| state.push(event));
            state.next[partition] = next;
        }
    }

    /// Goes on live when nothing that the tap has passed is missing.
    pub(super) fn join(&self, is_passed: impl Fn(usize, i64) -> bool) {
        let mut state = self.state();
        let misses = state.next.iter().enumerate().any(|(partition, next)| is_passed(partition, *next));
        if !misses && state.standing != Standing::TooSlow {
            state.standing = Standing::Live;
        }
    }

    /// Takes what is there.
    pub(super) fn take(&self) -> Found {
        let mut state = self.state();
        if let Some(event) = state.events.pop_front() {
            state.bytes -= event.data.len();
            if state.events.is_empty() {
                // An idle reader holds no buffer.
                state.events = VecDeque::new();
            }
            return Found::Event(event);
        }
        match state.standing {
            Standing::Live => Found::Nothing,
            Standing::Behind(_) => Found::Behind(state.next.clone()),
            Standing::TooSlow => Found::TooSlow,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, event: Event) {
        self.bytes += event.data.len();
        self.next[event.partition] = event.offset + 1;
        self.events.push_back(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(slot: &Slot, offset: i64, length: usize) {
        slot.offer(0, offset, length, Some(&Bytes::from(vec![b'x'; length])));
    }

    #[test]
    fn what_does_not_fit_is_left_in_the_log_and_too_much_of_it_is_too_slow() {
        let slot = Slot::new([5].into());
        slot.join(|_, next| next < 5);
        offer(&slot, 4, 10);
        assert!(matches!(slot.take(), Found::Nothing), "it was appended before the reader came");
        offer(&slot, 5, BUFFER * 2);
        offer(&slot, 6, 10);
        offer(&slot, 7, 10);
        assert!(matches!(slot.take(), Found::Event(Event { offset: 5, .. })), "one message always fits");
        assert!(matches!(slot.take(), Found::Behind(next) if *next == [6]));
        slot.join(|_, next| next < 8);
        assert!(matches!(slot.take(), Found::Behind(_)), "messages are missing");
        slot.fill(0, 8, vec![Event { partition: 0, offset: 6, data: Bytes::new() }]);
        slot.join(|_, next| next < 8);
        assert!(matches!(slot.take(), Found::Event(Event { offset: 6, .. })));
        assert!(matches!(slot.take(), Found::Nothing));
        offer(&slot, 8, BUFFER);
        offer(&slot, 9, BEHIND);
        assert!(matches!(slot.take(), Found::Event(_)));
        assert!(matches!(slot.take(), Found::Behind(_)));
        offer(&slot, 10, 1);
        assert!(matches!(slot.take(), Found::TooSlow));
    }
}
