//! Events where no outbox takes part in the transaction: stored with the list, and published after the commit.
//!
//! A commit stores the events in the head ([`TaskList::hold_events`]). Then they are published in order, one after the
//! other, and a small document notes up to where; the next write of the list leaves those out.
//! Whoever is to write finds by that note what may not have been published, and publishes it before anything newer: so
//! each event comes first in its place, and after a crash or between two writers it comes twice.
//!
//! What a request could not publish, since the broker is away, is published by a job, `held-{userId}`, which tries until
//! it has. Meanwhile requests do not try for a while, and what a list holds is bounded.
//! A process that ended before it published left no job: then the next write publishes, or the next read makes the job.
//! Every list is read in its user's mornings.

use std::time::{Duration, Instant};

use dapr::{Metadata, Operation, Transport, metadata_key};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use todo_domain::UserId;
use todo_domain::list::{HeldEvent, TaskList};

use super::{Loaded, head_key};
use crate::{
    App,
    documents::{in_place_of, item, passing_item},
    events::TASK_EVENTS,
    failure::{Failure, chain},
    reminders::JobName,
    schedule::job,
    settings::Events,
};

/// Seconds for which requests leave publishing to the job after the broker did not take an event: whoever tries waits.
const QUIET_SECONDS: i64 = 60;
/// Seconds before the job's first try.
const FIRST_TRY: i64 = 5;
/// The age in seconds at which held events are nobody's any more: whoever committed them has published them, or has ended.
const ABANDONED: i64 = 10;
/// Events after which the note is written, and beyond which the head is written anew without them.
const MANY: usize = 100;
/// The most events that a request publishes itself; the job publishes what is behind them, so that an import is answered
/// in time.
const AT_ONCE: usize = 500;
/// How long a request publishes at most, where the broker is slow: a component has 30 s in all.
const PATIENCE: Duration = Duration::from_secs(5);
/// Seconds for which the list of a user who has gone holds its last events: longer than any broker should be away.
pub(crate) const CLOSED_SECONDS: i64 = 8 * 24 * 60 * 60;

/// Up to where the events of a list have been published, as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// Every event up to this one has been published, at least once.
    pub through: u64,
    /// Until when requests leave it to the job, in seconds of Unix time; 0 when the broker takes what comes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub quiet_until: i64,
}

/// What has to be published once its transaction is committed.
pub(crate) struct Held {
    user: UserId,
    published: Published,
    events: Vec<HeldEvent>,
    is_closed: bool,
}

impl Held {
    /// What a list holds and nobody has noted as published.
    fn of(list: &TaskList, published: Published) -> Self {
        let unpublished = list.held_events().iter().filter(|event| event.sequence > published.through);
        let (user, is_closed) = (list.user_id(), list.is_closed());
        Self { user, events: unpublished.cloned().collect(), is_closed, published }
    }

    fn is_quiet(&self, now: Timestamp) -> bool {
        now.as_second() < self.published.quiet_until
    }
}

/// How far publishing came.
enum Progress {
    /// Every event that was given.
    Ended,
    /// Time is up; the rest is held still.
    Stopped,
}

/// The events that a transaction publishes by its outbox, and those that are published after it.
pub(super) enum Way {
    Outbox(Vec<HeldEvent>),
    Publish(Published),
}

impl Way {
    /// What there is to publish once the list's documents are committed.
    pub(super) fn held(&self, list: &TaskList) -> Option<Held> {
        match self {
            Self::Outbox(_) => None,
            Self::Publish(published) => Some(Held::of(list, published.clone())),
        }
    }
}

impl<T: Transport> App<T> {
    /// Prepares a list for a write.
    ///
    /// With an outbox, what the list still holds from a time without goes out with the write.
    ///
    /// # Errors
    /// [`Failure::Backlog`] when too much is held.
    pub(super) async fn begin_write(&self, loaded: &mut Loaded) -> Result<Way, Failure> {
        let Loaded { list, published, .. } = loaded;
        if self.settings.events == Events::Outbox {
            let left = list.held_events().to_vec();
            list.confirm_events(u64::MAX);
            return Ok(Way::Outbox(left));
        }
        list.hold_events();
        list.confirm_events(published.through);
        if list.holds_too_much() {
            self.leave_to_job(list.user_id(), false).await;
            return Err(Failure::Backlog { subject: format!("the task list of `{}`", list.user_id()) });
        }
        Ok(Way::Publish(published.clone()))
    }

    /// Publishes what a commit has left in its list, or leaves it to the job. The commit stands whatever comes of it.
    pub(crate) async fn publish_after_commit(&self, held: Option<Held>) {
        let Some(mut held) = held.filter(|held| !held.events.is_empty()) else { return };
        let (user, is_whole) = (held.user, held.events.len() <= AT_ONCE);
        held.events.truncate(AT_ONCE);
        if !held.is_quiet(self.now) {
            match self.publish_until(Some(Instant::now() + PATIENCE), held).await {
                Ok(Progress::Ended) if is_whole => return,
                Ok(_) => {}
                Err(failure) => eprintln!("events of `{user}` are left to a job: {}", chain(&failure)),
            }
        }
        self.leave_to_job(user, true).await;
    }

    /// Publishes what a list holds, whoever left it there; nothing where there is an outbox.
    ///
    /// # Errors
    /// [`Failure::Sidecar`]; then it is held still.
    pub(crate) async fn publish_held(&self, user: UserId) -> Result<(), Failure> {
        if self.settings.events == Events::Outbox {
            return Ok(());
        }
        let Loaded { list, published, .. } = self.load_even_closed(user).await?;
        let held = Held::of(&list, published);
        if held.events.is_empty() { Ok(()) } else { self.publish_until(None, held).await.map(drop) }
    }

    /// The same for a request that has done its work before: what it cannot publish waits.
    pub(crate) async fn publish_what_is_left(&self, user: UserId) {
        if self.settings.events == Events::Outbox {
            return;
        }
        match self.load_even_closed(user).await {
            Ok(Loaded { list, published, .. }) => self.publish_after_commit(Some(Held::of(&list, published))).await,
            Err(failure) => eprintln!("events of `{user}` may wait: {}", chain(&failure)),
        }
    }

    /// Makes the job for what a process that has ended left behind, if a list that is read holds such events.
    pub(super) async fn look_after_held(&self, loaded: &Loaded) {
        if self.settings.events == Events::Outbox {
            return;
        }
        let held = Held::of(&loaded.list, loaded.published.clone());
        let is_abandoned =
            held.events.first().is_some_and(|event| event.timestamp.as_second() + ABANDONED <= self.now.as_second());
        if is_abandoned && !held.is_quiet(self.now) {
            self.leave_to_job(held.user, false).await;
        }
    }

    /// Makes the job that publishes what a list holds. `anew`: in place of one that may be at its end already.
    async fn leave_to_job(&self, user: UserId, anew: bool) {
        match self.plan_held(user, FIRST_TRY, anew).await {
            Ok(()) => {}
            Err(Failure::Sidecar(error)) if error.is_conflict() => {}
            Err(failure) => eprintln!("events of `{user}` wait until the list is used again: {}", chain(&failure)),
        }
    }

    /// Makes the job that publishes what a list holds, after some seconds.
    pub(crate) async fn plan_held(&self, user: UserId, after: i64, anew: bool) -> Result<(), Failure> {
        // Whole seconds: jiff's arithmetic is a sixth of what a component may have.
        let at = Timestamp::from_second(self.now.as_second() + after).unwrap_or(self.now);
        let mut job = job(at, &user)?;
        job.overwrite = anew;
        Ok(self.dapr.schedule_job(&JobName::Held(user).to_string(), &job).await?)
    }

    /// Publishes events in order, until there are no more or a moment has come, and notes up to where.
    async fn publish_until(&self, end: Option<Instant>, held: Held) -> Result<Progress, Failure> {
        let (many, mut published) = (held.events.len() > MANY, held.published.clone());
        for (index, event) in held.events.iter().enumerate() {
            if end.is_some_and(|end| Instant::now() > end) {
                self.note(&held, &published).await;
                return Ok(Progress::Stopped);
            }
            if let Err(failure) = self.publish_event(held.user, event).await {
                published.quiet_until = self.now.as_second() + QUIET_SECONDS;
                self.note(&held, &published).await;
                return Err(failure);
            }
            published = Published { through: event.sequence, quiet_until: 0 };
            if (index + 1) % MANY == 0 {
                self.note(&held, &published).await;
            }
        }
        self.note(&held, &published).await;
        if many && !held.is_closed {
            self.forget_published(held.user).await;
        }
        Ok(Progress::Ended)
    }

    async fn publish_event(&self, user: UserId, event: &HeldEvent) -> Result<(), Failure> {
        let metadata = Metadata::from([
            (metadata_key::PARTITION_KEY.to_owned(), user.to_string()),
            ("cloudevent.id".to_owned(), event.event_id.to_string()),
        ]);
        let json = event.json().as_bytes().to_vec();
        Ok(self.dapr.publish(&self.settings.pubsub, TASK_EVENTS, json, &metadata).await?)
    }

    /// Notes up to where events were published. A note that is lost, or overtaken by an older one, brings events twice.
    async fn note(&self, held: &Held, published: &Published) {
        let key = published_key(held.user);
        let item = if held.is_closed { passing_item(key, published, CLOSED_SECONDS) } else { item(key, published) };
        let noted = match item {
            Ok(item) => self.dapr.save(&self.settings.state_store, &item).await.map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        if let Err(failure) = noted {
            eprintln!("events of `{}` will be published again: {}", held.user, chain(&failure));
        }
    }

    /// Writes the head without what was published, where that is so much that every reader would notice.
    /// Another's write does the same, and goes first.
    async fn forget_published(&self, user: UserId) {
        let forgotten = async {
            let Loaded { mut list, etag, published } = self.load(user).await?;
            list.confirm_events(published.through);
            let mut item = in_place_of(Some(etag), dapr::StateItem::key(head_key(user)));
            item.value = Some(super::raw(user, list.head_json())?);
            Ok::<_, Failure>(self.dapr.save(&self.settings.state_store, &item).await?)
        };
        if let Err(failure) = forgotten.await {
            eprintln!("the list of `{user}` keeps its published events until its next write: {}", chain(&failure));
        }
    }
}

/// The events of a transaction as its outbox takes them: those that a time without one has left, and its own.
pub(super) fn left_operations(user: UserId, way: &Way) -> impl Iterator<Item = Operation> + '_ {
    let left = match way {
        Way::Outbox(left) => left.as_slice(),
        Way::Publish(_) => &[],
    };
    left.iter().map(move |event| super::event_operation(user, event.sequence, event.event_id, event))
}

/// The key of the note.
pub(super) fn published_key(user: UserId) -> String {
    format!("tasks/{user}/published")
}

const fn is_zero(number: &i64) -> bool {
    *number == 0
}
