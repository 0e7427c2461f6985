//! Sorting in few bytes of code.
//!
//! Each element type that the standard library sorts costs a component 10 kB; sorting indices costs them once.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The indices below `count`, in the order of what they stand for; equal ones stay in theirs.
pub(crate) fn order_of(count: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..count).collect();
    indices.sort_by(|one, other| compare(*one, *other));
    indices
}

/// The first few of many, without keeping or sorting the rest.
pub(crate) struct First<T> {
    limit: usize,
    /// The greatest on top.
    kept: BinaryHeap<T>,
    seen: usize,
}

impl<T: Ord> First<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, kept: BinaryHeap::new(), seen: 0 }
    }

    pub(crate) fn push(&mut self, item: T) {
        self.seen += 1;
        if self.kept.len() < self.limit {
            self.kept.push(item);
        } else if let Some(mut last) = self.kept.peek_mut()
            && item < *last
        {
            *last = item;
        }
    }

    /// How many were pushed, kept or not.
    pub(crate) const fn seen(&self) -> usize {
        self.seen
    }

    /// The greatest of those kept, once there are as many as wanted.
    pub(crate) fn last(&self) -> Option<&T> {
        if self.kept.len() < self.limit { None } else { self.kept.peek() }
    }

    /// Those kept, smallest first.
    pub(crate) fn into_sorted(self) -> Vec<T> {
        self.kept.into_sorted_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_few_are_kept_in_order() {
        let mut first = First::new(3);
        for number in [5, 1, 4, 1, 3] {
            first.push(number);
        }
        assert_eq!((first.seen(), first.last()), (5, Some(&3)));
        assert_eq!(first.into_sorted(), [1, 1, 3]);
    }

    #[test]
    fn indices_are_ordered_by_what_they_stand_for() {
        let words = ["b", "c", "a", "b"];
        assert_eq!(order_of(4, &mut |one, other| words[one].cmp(words[other])), [2, 0, 3, 1]);
    }
}
