//! Publishes what the transactions of a store wrote, where its pub/sub is elsewhere.
//!
//! Messages are rows of the store, written with the transaction. One relay at a time, among all replicas, reads them in
//! order, appends them to their topics, and removes them when the broker has acknowledged them: it holds a lease, which
//! is taken when there is something to do and is not renewed when there is not. A message that was appended when the
//! process ended, and not yet removed, comes again; the order of a key is kept.
//!
//! A relay looks when its own replica commits, when another one tells that it did, when the lease of another one ends
//! that may have left something, and once at its start. Otherwise it asks nothing.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, interval, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Message, Source, Turn, Waiting};
use crate::{pubsub::PubSub, store::StoreError};

/// How long one relay may go on without asking: so long nothing is relayed after it was killed.
pub(crate) const LEASE: Duration = Duration::from_secs(5);
/// What is left of a lease at least when it is relied on.
const MARGIN: Duration = Duration::from_millis(500);
/// Messages of one batch at most.
const BATCH: u32 = 500;
/// The first and the longest wait after a failure.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

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
    stop: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// A relay at work.
struct Work<'relay> {
    relay: &'relay Relay,
    /// Appended, and not yet removed.
    relayed: Vec<i64>,
    /// When to look, whatever happens.
    look: Option<Instant>,
    /// Until when another holds the lease, as far as is known.
    others_until: Option<Instant>,
    failures: u32,
    /// How many messages are still tried one at a time, since one of them is refused for good.
    singly: u32,
    /// Whether the last look failed.
    unread: bool,
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
            stop: CancellationToken::new(),
            task: Mutex::default(),
        });
        let working = relay.clone();
        let task = tokio::spawn(async move {
            let look = Some(Instant::now());
            Work {
                relay: &working,
                relayed: Vec::new(),
                look,
                others_until: None,
                failures: 0,
                singly: 0,
                unread: false,
            }
            .run()
            .await;
        });
        *relay.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        relay
    }

    /// Whether this replica is the one that relays: then nobody else needs to be told of its commits.
    pub(crate) fn holds(&self) -> bool {
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
            tokio::select! {
                () = self.relay.stop.cancelled() => return,
                () = self.relay.changed.notified() => {
                    // Who holds the lease was told by the commit itself.
                    if let Some(until) = self.others_until.filter(|until| *until > Instant::now()) {
                        self.look.get_or_insert(until);
                        continue;
                    }
                }
                () = self.relay.heard.notified() => {
                    // Who committed looks first, or told the holder; this is for when it died of it, or was late.
                    self.look.get_or_insert(Instant::now() + LEASE);
                    continue;
                }
                () = sleep_until(self.look.unwrap_or_else(Instant::now)), if self.look.is_some() => {}
            }
            // One that is still to come is for what may be late.
            self.look = self.look.filter(|look| *look > Instant::now());
            while self.turn().await {}
        }
    }

    /// Takes a batch, and appends it. Whether to go on at once.
    async fn turn(&mut self) -> bool {
        let most = match self.failures {
            // What was appended is removed, and the rest is left to others.
            _ if self.relay.stop.is_cancelled() => 0,
            0 if self.singly == 0 => BATCH,
            // While a broker is away or refuses, one message at a time is tried.
            _ => 1,
        };
        let turn = match self.relay.source.next(self.relay.me, &self.relayed, most).await {
            Ok(turn) => turn,
            Err(error) => {
                self.unread = true;
                self.fail(&error, "messages that wait to be relayed could not be read");
                return false;
            }
        };
        self.relayed.clear();
        self.others_until = None;
        if std::mem::take(&mut self.unread) {
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
                let alone = if let [one] = &waiting[..] { Some(one.id) } else { None };
                match (self.append(waiting).await, alone) {
                    (Ok(()), _) => {
                        self.failures = 0;
                        self.singly = self.singly.saturating_sub(1);
                        true
                    }
                    (Err(error @ StoreError::Rejected { .. }), Some(id)) => self.set_aside(id, &error).await,
                    (Err(error), _) => {
                        if let StoreError::Rejected { .. } = error {
                            self.singly = BATCH;
                        }
                        // What was appended is removed with the next question.
                        self.fail(&error, "messages could not be relayed");
                        false
                    }
                }
            }
        }
    }

    /// Keeps a message for people that no pub/sub will ever take. Whether to go on at once.
    async fn set_aside(&mut self, id: i64, reason: &StoreError) -> bool {
        match self.relay.source.set_aside(id, &reason.to_string()).await {
            Ok(()) => {
                tracing::error!(%reason, id, "a message is refused for good; it is kept in the outbox's table, set aside");
                (self.failures, self.singly) = (0, 0);
                true
            }
            Err(error) => {
                self.fail(&error, "a message that is refused could not be set aside");
                false
            }
        }
    }

    fn hold(&self, until: Option<Instant>) {
        *self.relay.held_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    fn fail(&mut self, error: &StoreError, what: &'static str) {
        if self.failures == 0 {
            tracing::warn!(%error, "{what}; it is tried again until it succeeds");
        }
        let wait = WAITS.0.saturating_mul(1 << self.failures.min(10)).min(WAITS.1);
        self.failures = self.failures.saturating_add(1);
        self.look = Some(Instant::now() + wait);
    }

    /// Appends messages in their order, those for each pub/sub component together.
    async fn append(&mut self, waiting: Vec<Waiting>) -> Result<(), StoreError> {
        let mut parts: Vec<(Arc<str>, Vec<i64>, Vec<Message>)> = Vec::new();
        for Waiting { id, message } in waiting {
            match parts.iter_mut().find(|(pubsub, ..)| *pubsub == message.pubsub) {
                Some((_, ids, messages)) => {
                    ids.push(id);
                    messages.push(message);
                }
                None => parts.push((message.pubsub.clone(), vec![id], vec![message])),
            }
        }
        let mut result = Ok(());
        for (pubsub, ids, messages) in parts {
            match self.append_to(&pubsub, messages).await {
                Ok(()) => self.relayed.extend(ids),
                Err(error) => result = Err(error),
            }
        }
        result
    }

    /// Appends, and keeps the lease while the broker takes its time.
    async fn append_to(&self, pubsub: &str, messages: Vec<Message>) -> Result<(), StoreError> {
        let missing = || StoreError::failed("they are for a pub/sub component that is not there; put it back");
        let pubsub = self.relay.pubsubs.get(pubsub).ok_or_else(missing)?;
        let append = async {
            let mut appended = Vec::with_capacity(messages.len());
            for message in messages {
                let topic = pubsub.topic(&message.topic).await?;
                appended.push(message.to(topic));
            }
            pubsub.append(appended).await
        };
        tokio::pin!(append);
        let mut renewal = interval(LEASE / 2);
        renewal.tick().await;
        loop {
            tokio::select! {
                result = &mut append => return result,
                _ = renewal.tick() => {
                    if let Ok(Turn::Ours { until, .. }) = self.relay.source.next(self.relay.me, &[], 1).await {
                        self.hold(Some(until));
                    }
                }
            }
        }
    }
}
