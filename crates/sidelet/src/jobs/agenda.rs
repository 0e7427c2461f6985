//! What is due next, in memory: some 140 bytes for each job.

use std::collections::{BTreeSet, HashMap, HashSet};

/// The ids of jobs by the time at which they are to be fired, in Unix milliseconds.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    by_time: BTreeSet<(i64, i64)>,
    times: HashMap<i64, i64>,
    /// What was taken, and is not over.
    taken: HashSet<i64>,
}

impl Agenda {
    /// Notes a job, once, whatever was noted of it before.
    pub(super) fn put(&mut self, id: i64, time: i64) {
        if let Some(before) = self.times.insert(id, time) {
            self.by_time.remove(&(before, id));
        }
        self.by_time.insert((time, id));
    }

    /// Notes a job unless it is known, and says whether it was not.
    pub(super) fn meet(&mut self, id: i64, time: i64) -> bool {
        let new = !self.times.contains_key(&id) && !self.taken.contains(&id);
        if new {
            self.put(id, time);
        }
        new
    }

    /// Forgets a job, which may be unknown.
    pub(super) fn remove(&mut self, id: i64) {
        if let Some(time) = self.times.remove(&id) {
            self.by_time.remove(&(time, id));
        }
    }

    /// Takes the job that has been due for the longest.
    pub(super) fn take_due(&mut self, now: i64) -> Option<i64> {
        let (_, id) = self.by_time.first().copied().filter(|(time, _)| *time <= now)?;
        self.remove(id);
        self.taken.insert(id);
        Some(id)
    }

    /// What was taken is over, or was noted anew.
    pub(super) fn end(&mut self, id: i64) {
        self.taken.remove(&id);
    }

    /// How many there are, with those that are not over.
    pub(super) fn len(&self) -> usize {
        self.times.len() + self.taken.len()
    }

    /// How many are due, with those that are not over.
    pub(super) fn due(&self, now: i64) -> usize {
        self.by_time.range(..=(now, i64::MAX)).count() + self.taken.len()
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<i64> {
        self.by_time.first().map(|(time, _)| *time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_come_by_their_time_and_each_once() {
        let mut agenda = Agenda::default();
        for (id, time) in [(1, 30), (2, 10), (3, 20), (1, 15)] {
            agenda.put(id, time);
        }
        agenda.remove(3);
        agenda.remove(9);
        assert_eq!((agenda.times.len(), agenda.next()), (2, Some(10)));
        assert_eq!(agenda.take_due(9), None);
        assert_eq!((agenda.due(9), agenda.due(15)), (0, 2));
        assert_eq!(agenda.take_due(15), Some(2));
        assert_eq!(agenda.due(9), 1, "it is not over");
        assert!(!agenda.meet(2, 1) && !agenda.meet(1, 1), "one is taken, and one is known");
        agenda.end(2);
        assert!(agenda.meet(2, 20));
        agenda.remove(2);
        assert_eq!(agenda.take_due(15), Some(1));
        assert_eq!((agenda.take_due(i64::MAX), agenda.by_time.len(), agenda.next()), (None, 0, None));
    }
}
