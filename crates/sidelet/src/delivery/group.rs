//! One consumer group: an app's subscription to a topic.

mod attempt;
mod batch;
mod outcome;
mod revoke;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    GroupState,
    caller::Caller,
    source::{Arrival, Source},
    status::Status,
    terms::Terms,
    window::Window,
};
use crate::{
    log::Topic,
    pubsub::PubSub,
    resiliency::{Allowance, Breaker},
    store::StoreError,
};

use attempt::{Attempt, Taken, Tried};
use batch::Batch;

/// Calls to the app at once, with one message each.
const IN_FLIGHT: usize = 32;
/// Content held for messages whose turn has not come. Of a file, what is beyond is read again; of Kafka, no more is read.
const HELD: usize = 8 << 20;
/// How long what is finished waits to be noted, so that many are noted at once.
const NOTE: Duration = Duration::from_millis(10);

/// One partition of the group's topic, while it is the group's.
#[derive(Debug)]
struct Partition {
    window: Window,
    /// Told apart from the same partition before it was taken away and came again.
    term: u64,
    /// Messages of it on their way.
    in_flight: usize,
    /// It is taken away: nothing of it goes out any more.
    leaving: bool,
    /// Something was finished and is not noted.
    unnoted: bool,
}

/// What a group is made of.
#[derive(Debug)]
pub(crate) struct Group {
    /// Its name in the tables and the log.
    name: Arc<str>,
    pubsub: Arc<PubSub>,
    topic: Arc<Topic>,
    source: Source,
    caller: Caller,
    terms: watch::Receiver<Arc<Terms>>,
    status: Arc<Status>,
}

/// Something that ended.
enum Event {
    Tried(Vec<Tried>),
    Buried { partition: usize, term: u64, offset: i64, result: Result<(), StoreError> },
}

impl Group {
    /// Finds out how far the group has come.
    pub(crate) async fn open(
        name: Arc<str>,
        pubsub: Arc<PubSub>,
        topic: Arc<Topic>,
        caller: Caller,
        terms: watch::Receiver<Arc<Terms>>,
        status: Arc<Status>,
    ) -> Result<Self, StoreError> {
        let source = Source::open(&pubsub, topic.clone(), &name).await?;
        Ok(Self { name, pubsub, topic, source, caller, terms, status })
    }

    /// Delivers until `stop`, and then until what is on its way has been answered.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let terms = self.terms.borrow_and_update().clone();
        let delivery = Delivery {
            breaker: terms.policy.breaker.clone().map(|policy| Breaker::new(policy, Instant::now())),
            terms,
            group: self,
            partitions: BTreeMap::new(),
            terms_of_partitions: 0,
            leave_at: None,
            work: FuturesUnordered::new(),
            in_flight: 0,
            batch: Batch::default(),
            retries: BinaryHeap::new(),
            absence: None,
            note_at: None,
        };
        delivery.run(stop).await;
    }
}

/// The app was not there.
struct Absence {
    times: u32,
    probe_at: Instant,
}

/// A group at work.
struct Delivery {
    group: Group,
    /// The terms of now.
    terms: Arc<Terms>,
    partitions: BTreeMap<usize, Partition>,
    /// How many terms of partitions have begun.
    terms_of_partitions: u64,
    /// When revoked partitions are given back at the latest.
    leave_at: Option<Instant>,
    work: FuturesUnordered<BoxFuture<'static, Event>>,
    /// Calls and burials that have not ended.
    in_flight: usize,
    batch: Batch,
    retries: BinaryHeap<Reverse<(Instant, usize, i64)>>,
    absence: Option<Absence>,
    breaker: Option<Breaker>,
    note_at: Option<Instant>,
}

impl Delivery {
    async fn run(mut self, stop: CancellationToken) {
        loop {
            let stopping = stop.is_cancelled();
            if stopping && self.in_flight == 0 {
                self.note();
                return self.group.source.close().await;
            }
            self.give_back_revoked();
            self.group.status.work.tell(self.partitions.values().any(|partition| partition.window.is_open()));
            if !stopping {
                self.start_due();
                self.forget_absence();
                self.ask_for_messages();
                self.start_deliveries();
            }
            let due = self.next_due().filter(|_| !stopping);
            tokio::select! {
                () = stop.cancelled(), if !stopping => {}
                Some(event) = self.work.next(), if !self.work.is_empty() => self.ended(event),
                arrival = self.group.source.next() => self.arrived(arrival),
                Ok(()) = self.group.terms.changed() => self.take_terms(),
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }

    /// The next time at which something is to be done. Without one the group sleeps until the log or an answer wakes it.
    fn next_due(&mut self) -> Option<Instant> {
        let retry = self.retries.peek().map(|Reverse((at, ..))| *at);
        let probe = self.absence.as_ref().filter(|_| self.in_flight == 0).map(|absence| absence.probe_at);
        let opened = self.has_ready().then(|| self.closed_until()).flatten();
        // A batch that may not go waits for what holds it.
        let batch = self.batch.due().filter(|_| self.limit() > self.in_flight && self.in_flight < batch::CALLS);
        [retry, probe, opened, batch, self.note_at, self.leave_at].into_iter().flatten().min()
    }

    /// Goes on with other terms. What is on its way ends on the old ones.
    fn take_terms(&mut self) {
        let terms = self.group.terms.borrow_and_update().clone();
        self.give_back_batch();
        if terms.policy.breaker.as_ref() != self.breaker.as_ref().map(Breaker::policy) {
            self.breaker = terms.policy.breaker.clone().map(|policy| Breaker::new(policy, Instant::now()));
        }
        self.terms = terms;
        tracing::info!(group = %self.group.name, "a subscription goes on with what was changed");
    }

    /// Gives their turn back to messages whose wait is over.
    fn start_due(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((at, partition, offset))) = self.retries.peek().copied()
            && at <= now
        {
            self.retries.pop();
            self.window(partition).again(offset);
        }
        if self.note_at.is_some_and(|at| at <= now) {
            self.note();
        }
    }

    fn ask_for_messages(&mut self) {
        let memory = self.group.source.reads_again() || self.held() < HELD;
        let allowed = self.absence.is_none() && memory;
        for (number, partition) in &self.partitions {
            self.group.source.want(*number, &partition.window, allowed && !partition.leaving);
        }
    }

    /// Bytes of content held.
    fn held(&self) -> usize {
        self.partitions.values().map(|partition| partition.window.held()).sum()
    }

    fn window(&mut self, partition: usize) -> &mut Window {
        &mut self.partitions.get_mut(&partition).expect("a partition of this group").window
    }

    fn start_deliveries(&mut self) {
        let limit = self.limit();
        if let Some(bulk) = self.terms.bulk {
            self.start_batches(bulk, limit);
        } else {
            let mut taken = Vec::new();
            for (number, partition) in self.partitions.iter_mut().filter(|(_, partition)| !partition.leaving) {
                while self.in_flight + taken.len() < limit
                    && let Some((offset, message)) = partition.window.take()
                {
                    taken.push(Taken { partition: *number, term: partition.term, offset, message });
                }
            }
            taken.into_iter().for_each(|taken| self.start_call(vec![taken]));
        }
    }

    /// Nothing waits any more: the app need not be probed, and whether it is there shows with the next message.
    /// Done before anything is read, since an absence holds up reads and nothing else would wake them.
    fn forget_absence(&mut self) {
        let over = self.absence.as_ref().is_some_and(|absence| absence.probe_at <= Instant::now());
        if over && self.in_flight == 0 && !self.has_ready() {
            self.absence = None;
            self.group.status.enter(GroupState::Working);
        }
    }

    fn start_call(&mut self, taken: Vec<Taken>) {
        self.in_flight += 1;
        for taken in &taken {
            if let Some(partition) = self.partitions.get_mut(&taken.partition) {
                partition.in_flight += 1;
            }
        }
        self.work.push(Box::pin(Attempt::new(&self.group, self.terms.clone(), taken).run()));
    }

    /// How many calls there may be at once, now.
    fn limit(&mut self) -> usize {
        let now = Instant::now();
        let present = match &self.absence {
            None => IN_FLIGHT,
            Some(absence) if absence.probe_at <= now => 1,
            Some(_) => 0,
        };
        match self.breaker.as_mut().map(|breaker| breaker.allowance(now)) {
            None | Some(Allowance::All) => present,
            Some(Allowance::Few(few)) => present.min(few as usize),
            Some(Allowance::Nothing(_)) => 0,
        }
    }

    /// When the circuit breaker lets something through again.
    fn closed_until(&mut self) -> Option<Instant> {
        match self.breaker.as_mut()?.allowance(Instant::now()) {
            Allowance::Nothing(until) => Some(until),
            Allowance::All | Allowance::Few(_) => None,
        }
    }

    fn has_ready(&self) -> bool {
        self.batch.due().is_some()
            || self.partitions.values().any(|partition| !partition.leaving && partition.window.has_ready())
    }
}
