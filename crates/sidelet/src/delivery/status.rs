//! What a group at work tells of itself. Only what goes wrong is written here, so that what goes well costs nothing.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use crate::activity::Work;

/// Messages in trouble that are told of; a group may have thousands.
const TOLD: usize = 1000;

/// How a group is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum GroupState {
    /// It delivers, or has nothing to deliver.
    #[default]
    Working,
    /// Its app is not there.
    AppAway,
    /// Its circuit breaker lets nothing or little through.
    BreakerOpen,
}

/// A message that failed and comes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Trouble {
    /// How often it has failed.
    pub(crate) attempts: u32,
    /// Why, the last time.
    pub(crate) reason: String,
}

/// Shared between a group and whoever asks.
#[derive(Debug, Default)]
pub(crate) struct Status {
    /// Whether a message came that is not finished.
    pub(crate) work: Work,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    state: GroupState,
    troubles: BTreeMap<(usize, i64), Trouble>,
}

impl Status {
    /// How the group is doing.
    pub(crate) fn state(&self) -> GroupState {
        self.inside().state
    }

    /// What failed of a message, while it is tried.
    pub(crate) fn trouble(&self, partition: usize, offset: i64) -> Option<Trouble> {
        self.inside().troubles.get(&(partition, offset)).cloned()
    }

    /// How many messages are in trouble, up to a bound.
    pub(crate) fn troubles(&self) -> usize {
        self.inside().troubles.len()
    }

    pub(super) fn enter(&self, state: GroupState) {
        self.inside().state = state;
    }

    pub(super) fn failed(&self, partition: usize, offset: i64, trouble: Trouble) {
        let mut inside = self.inside();
        if inside.troubles.len() < TOLD || inside.troubles.contains_key(&(partition, offset)) {
            inside.troubles.insert((partition, offset), trouble);
        }
    }

    pub(super) fn finished(&self, partition: usize, offset: i64) {
        self.inside().troubles.remove(&(partition, offset));
    }

    /// What failed of these partitions is another's.
    pub(super) fn forget(&self, is_gone: impl Fn(usize) -> bool) {
        self.inside().troubles.retain(|(partition, _), _| !is_gone(*partition));
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
