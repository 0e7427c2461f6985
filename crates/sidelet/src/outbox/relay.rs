//! Publishes what the transactions of a store wrote, where its pub/sub is elsewhere.
//!
//! Messages are rows of the store, written with the transaction. One relay at a time, among all replicas, reads them in
//! order, appends them to their topics, and removes them when the broker has acknowledged them: it holds a lease, which
//! is taken when there is something to do and is not renewed when there is not. A message that was appended when the
//! process ended, and not yet removed, comes again; the order of a key is kept.
//!
//! Each pub/sub component has a [`Lane`]: one that is away, or that refuses a message, holds up no other.
//!
//! A relay looks when its own replica commits, when another one tells that it did, when the lease of another one ends
//! that may have left something, and once at its start. Otherwise it asks nothing.

mod lane;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{BATCH_BYTES, Source, Turn, Waiting};
use crate::{pubsub::PubSub, store::StoreError};

use lane::{Arrived, Lane, wait};

pub(crate) use lane::Way;

/// How long one relay may go on without asking: so long nothing is relayed after it was killed.
pub(crate) const LEASE: Duration = Duration::from_secs(5);
/// How often the one who relays tells the others at least that it commits: well before they look, [`LEASE`] after a word,
/// for what it may have left.
const REMINDER: Duration = Duration::from_millis(2500);
/// What is left of a lease at least when it is relied on.
const MARGIN: Duration = Duration::from_millis(500);
/// Messages of one batch at most.
const BATCH: u32 = 500;
/// How long a look waits for what is on its way.
const SOON: Duration = Duration::from_millis(5);
/// How long what is on its way at the end may take.
const PARTING: Duration = Duration::from_secs(3);

/// The relay of one table of messages.
#[derive(Debug)]
pub(crate) struct Relay {
    me: Uuid,
    source: Source,
    pubsubs: Arc<BTreeMap<String, Arc<PubSub>>>,
    /// There may be something to do now.
    changed: Notify,
    /// Another replica has committed.
    heard: Notify,
    /// When our lease ends.
    held_until: Mutex<Option<Instant>>,
    /// When others were told last.
    told: Mutex<Option<Instant>>,
    stop: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// A relay at work.
struct Work<'relay> {
    relay: &'relay Relay,
    /// Topics that have a batch on its way, or failed last.
    lanes: BTreeMap<Way, Lane>,
    on_their_way: FuturesUnordered<BoxFuture<'static, Arrived>>,
    /// Appended, and not yet removed.
    relayed: Vec<i64>,
    /// When to look, whatever happens.
    look: Option<Instant>,
    /// When another replica told last that it commits.
    heard: Option<Instant>,
    /// When to look since something was committed while messages are on their way: what comes back looks too.
    soon: Option<Instant>,
    /// When the lease is to be renewed, if messages are on their way then.
    renew_at: Instant,
    /// Until when another holds the lease, as far as is known.
    others_until: Option<Instant>,
    /// Looks that failed, in a row.
    failures: u32,
}

impl Relay {
    /// Begins with a look at what is left from before.
    pub(crate) fn start(source: Source, pubsubs: Arc<BTreeMap<String, Arc<PubSub>>>) -> Arc<Self> {
        let relay = Arc::new(Self {
            me: Uuid::new_v4(),
            source,
            pubsubs,
            changed: Notify::new(),
            heard: Notify::new(),
            held_until: Mutex::default(),
            told: Mutex::default(),
            stop: CancellationToken::new(),
            task: Mutex::default(),
        });
        let working = relay.clone();
        let task = tokio::spawn(async move {
            let look = Some(Instant::now());
            Work {
                relay: &working,
                lanes: BTreeMap::new(),
                on_their_way: FuturesUnordered::new(),
                relayed: Vec::new(),
                look,
                heard: None,
                soon: None,
                renew_at: Instant::now(),
                others_until: None,
                failures: 0,
            }
            .run()
            .await;
        });
        *relay.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        relay
    }

    /// Whether others are to be told of a commit that is made now. While this replica relays, they need not know of each.
    pub(crate) fn tells(&self) -> bool {
        let (mut told, now) = (self.told.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        let tells = !self.holds() || told.is_none_or(|told| told + REMINDER <= now);
        if tells {
            *told = Some(now);
        }
        tells
    }

    /// Whether this replica is the one that relays.
    fn holds(&self) -> bool {
        let until = *self.held_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| until > Instant::now() + MARGIN)
    }

    /// This replica has committed messages.
    pub(crate) fn committed(&self) {
        self.changed.notify_one();
    }

    /// Another replica has committed messages, or this one has perhaps.
    pub(crate) fn heard(&self) {
        if self.holds() {
            self.changed.notify_one();
        }
        self.heard.notify_one();
    }

    /// Ends after the batch that is under way. Says whether it ended in time.
    pub(crate) async fn shutdown(&self, deadline: Instant) -> bool {
        self.stop.cancel();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut task) = task else { return true };
        let ended = timeout_at(deadline, &mut task).await.is_ok();
        if !ended {
            task.abort();
        }
        ended
    }
}

impl Work<'_> {
    async fn run(mut self) {
        loop {
            let opens = self.lanes.values().filter_map(Lane::opens_at).min();
            let renewal = Some(self.renew_at).filter(|_| !self.on_their_way.is_empty());
            let due = [self.look, self.soon, opens, renewal].into_iter().flatten().min();
            tokio::select! {
                () = self.relay.stop.cancelled() => return self.part().await,
                Some(arrived) = self.on_their_way.next() => self.settle(arrived).await,
                () = self.relay.changed.notified() => {
                    // Who holds the lease was told by the commit itself.
                    if let Some(until) = self.others_until.filter(|until| *until > Instant::now()) {
                        self.look.get_or_insert(until);
                        continue;
                    }
                    if !self.on_their_way.is_empty() {
                        self.soon.get_or_insert(Instant::now() + SOON);
                        continue;
                    }
                }
                () = self.relay.heard.notified() => {
                    // Who committed looks first, or told the holder; this is for when it died of it, or was late.
                    self.heard = Some(Instant::now());
                    self.look.get_or_insert(Instant::now() + LEASE);
                    continue;
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
            // One that is still to come is for what may be late.
            self.look = self.look.filter(|look| *look > Instant::now());
            while self.turn().await {}
            // What was told of last may have been on its way still.
            let again = self.heard.map(|heard| heard + LEASE).filter(|again| *again > Instant::now());
            self.look = self.look.or(again);
        }
    }

    /// Removes what was appended, and sends on their way the messages that come next. Whether to go on at once.
    async fn turn(&mut self) -> bool {
        // At the end the rest is left to others.
        let most = if self.relay.stop.is_cancelled() { 0 } else { BATCH };
        (self.soon, self.renew_at) = (None, Instant::now() + LEASE / 2);
        let closed: Vec<Way> =
            self.lanes.iter().filter(|(_, lane)| lane.is_closed()).map(|(way, _)| way.clone()).collect();
        let turn = match self.relay.source.next(self.relay.me, &self.relayed, most, &closed).await {
            Ok(turn) => turn,
            Err(error) => {
                self.fail(&error);
                return false;
            }
        };
        self.relayed.clear();
        self.others_until = None;
        if std::mem::take(&mut self.failures) > 0 {
            // What was on its way when the database went away may still be carried out.
            self.relay.heard.notify_one();
        }
        match turn {
            Turn::Nothing => false,
            Turn::Others { until } => {
                self.hold(None);
                self.others_until = Some(until);
                self.look = Some(until + Duration::from_millis(20));
                false
            }
            Turn::Ours { until, waiting } => {
                self.hold(Some(until));
                // The process may have stood still since it asked.
                if Instant::now() >= until {
                    return true;
                }
                let bytes: usize = waiting.iter().map(|waiting| waiting.message.content.len()).sum();
                // What was cut off may be for a topic that has nothing on its way.
                let is_cut = !waiting.is_empty() && (waiting.len() >= most as usize || bytes >= BATCH_BYTES);
                self.send(waiting);
                is_cut
            }
        }
    }

    /// Sends messages on their way, those of a topic together and in their order.
    fn send(&mut self, waiting: Vec<Waiting>) {
        let mut parts: BTreeMap<Way, Vec<Waiting>> = BTreeMap::new();
        for waiting in waiting {
            let way = (waiting.message.pubsub.clone(), waiting.message.topic.clone());
            parts.entry(way).or_default().push(waiting);
        }
        for (way, waiting) in parts {
            let pubsub = self.relay.pubsubs.get(&*way.0).cloned();
            let lane = self.lanes.entry(way.clone()).or_default();
            self.on_their_way.push(lane.send(way, pubsub, waiting));
        }
    }

    /// Takes note of a batch that has come to its end.
    async fn settle(&mut self, arrived: Arrived) {
        let way = arrived.way.clone();
        let lane = self.lanes.entry(way.clone()).or_default();
        let settled = lane.settle(arrived);
        if lane.is_clear() {
            self.lanes.remove(&way);
        }
        self.relayed.extend(settled.relayed);
        if let Some((id, reason)) = settled.refused {
            // Kept for people, since no pub/sub will ever take it. What could not be set aside is refused once more.
            match self.relay.source.set_aside(id, &reason).await {
                Ok(()) => tracing::error!(
                    reason,
                    id,
                    "a message is refused for good; it is kept in the outbox's table, set aside"
                ),
                Err(error) => self.fail(&error),
            }
        }
    }

    /// The end: what is on its way is waited for a little, and what has arrived is removed.
    async fn part(mut self) {
        let deadline = Instant::now() + PARTING;
        while let Ok(Some(arrived)) = timeout_at(deadline, self.on_their_way.next()).await {
            self.settle(arrived).await;
        }
        if !self.relayed.is_empty() {
            self.turn().await;
        }
    }

    fn hold(&self, until: Option<Instant>) {
        *self.relay.held_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// The store could not be asked.
    fn fail(&mut self, error: &StoreError) {
        if self.failures == 0 {
            tracing::warn!(%error, "messages that wait to be relayed could not be read; it is tried again until it succeeds");
        }
        self.look = Some(Instant::now() + wait(self.failures));
        self.failures = self.failures.saturating_add(1);
    }
}
