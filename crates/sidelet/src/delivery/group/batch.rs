//! Messages that wait to go out together.

use tokio::time::Instant;

use super::{Delivery, attempt::Taken};
use crate::resources::Bulk;

/// Content of one call at most, so that its body stays near what an app takes.
const BYTES: usize = 2 << 20;
/// Calls at once: while one is answered, others may fill.
pub(super) const CALLS: usize = 4;

/// What is gathered for the next call.
///
/// It has one message of a key at most, since an app may take one and not the other. It goes out when it is full, when
/// its first message has waited long enough, or when it holds up another message: then waiting only costs time.
#[derive(Debug, Default)]
pub(super) struct Batch {
    taken: Vec<Taken>,
    bytes: usize,
    due: Option<Instant>,
}

impl Batch {
    fn add(&mut self, taken: Taken, bulk: Bulk) {
        self.bytes += bytes(&taken);
        self.due.get_or_insert_with(|| Instant::now() + bulk.wait);
        self.taken.push(taken);
    }

    fn is_full(&self, bulk: Bulk) -> bool {
        self.taken.len() >= bulk.count || self.bytes >= BYTES
    }

    /// When it goes out at the latest.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Takes back what is of such a partition.
    pub(super) fn forget(&mut self, is_gone: impl Fn(usize) -> bool) {
        self.taken.retain(|taken| !is_gone(taken.partition));
        self.bytes = self.taken.iter().map(bytes).sum();
        self.due = self.due.filter(|_| !self.taken.is_empty());
    }

    pub(super) fn take(&mut self) -> Vec<Taken> {
        std::mem::take(self).taken
    }
}

/// What is not held counts as much as a call: it is read when it goes out.
fn bytes(taken: &Taken) -> usize {
    taken.message.as_ref().map_or(BYTES, |message| message.content.len())
}

impl Delivery {
    /// Starts calls with many messages while `limit` allows.
    pub(super) fn start_batches(&mut self, bulk: Bulk, limit: usize) {
        while self.in_flight < limit.min(CALLS) {
            self.gather(bulk);
            let goes = self.batch.is_full(bulk)
                || self.batch.due.is_some_and(|due| due <= Instant::now())
                || self.batch.taken.iter().any(|taken| self.partitions[&taken.partition].window.holds_up(taken.offset));
            if !goes {
                return;
            }
            let taken = self.batch.take();
            self.start_call(taken);
        }
    }

    fn gather(&mut self, bulk: Bulk) {
        for (number, partition) in self.partitions.iter_mut().filter(|(_, partition)| !partition.leaving) {
            while !self.batch.is_full(bulk)
                && let Some((offset, message)) = partition.window.take()
            {
                self.batch.add(Taken { partition: *number, term: partition.term, offset, message }, bulk);
            }
        }
    }

    /// Gives back what was gathered, on other terms.
    pub(super) fn give_back_batch(&mut self) {
        for taken in self.batch.take().into_iter().rev() {
            self.window(taken.partition).again(taken.offset);
        }
    }
}
