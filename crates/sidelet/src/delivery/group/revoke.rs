//! Partitions come and go.

use std::time::Duration;

use tokio::time::Instant;

use super::{Delivery, Partition};
use crate::{delivery::window::Window, log::Progress};

/// How long what is on its way may hold up whoever gets a partition next. What is answered later comes again there.
const LEAVE: Duration = Duration::from_secs(10);

impl Delivery {
    /// A partition is the group's from now on, or its log began anew.
    pub(super) fn begin(&mut self, partition: usize, progress: Progress) {
        self.forget(|number| number == partition);
        self.terms_of_partitions += 1;
        let window = Window::new(progress);
        let term = self.terms_of_partitions;
        let begun = Partition { window, term, in_flight: 0, leaving: false, unnoted: false };
        self.partitions.insert(partition, begun);
    }

    /// Nothing of these goes out any more. They are given back when what is on its way has been answered.
    pub(super) fn revoke(&mut self, partitions: &[usize], lost: bool) {
        if lost {
            self.forget(|number| partitions.contains(&number));
            return;
        }
        for number in partitions {
            if let Some(partition) = self.partitions.get_mut(number) {
                partition.leaving = true;
            }
        }
        // What was gathered for the next call goes out from whoever gets the partition.
        self.batch.forget(|number| partitions.contains(&number));
        self.leave_at = Some(Instant::now() + LEAVE);
    }

    pub(super) fn give_back_revoked(&mut self) {
        let Some(leave_at) = self.leave_at else { return };
        let waits = self.partitions.values().any(|partition| partition.leaving && partition.in_flight > 0);
        if waits && leave_at > Instant::now() {
            return;
        }
        self.leave_at = None;
        self.note();
        self.group.source.release();
        let leaving: Vec<usize> =
            self.partitions.iter().filter(|(_, partition)| partition.leaving).map(|(number, _)| *number).collect();
        self.forget(|number| leaving.contains(&number));
    }

    fn forget(&mut self, is_gone: impl Fn(usize) -> bool + Copy) {
        self.partitions.retain(|number, _| !is_gone(*number));
        self.retries.retain(|retry| !is_gone(retry.0.1));
        self.batch.forget(is_gone);
        self.group.status.forget(is_gone);
    }

    /// Whether a partition is the group's still, in this term.
    pub(super) fn is_ours(&self, partition: usize, term: u64) -> bool {
        self.partitions.get(&partition).is_some_and(|partition| partition.term == term)
    }

    /// A message of it is no longer on its way.
    pub(super) fn leave_flight(&mut self, partition: usize, term: u64) {
        if let Some(partition) = self.partitions.get_mut(&partition).filter(|partition| partition.term == term) {
            partition.in_flight -= 1;
        }
    }
}
