//! One call, with one message or with many.

use std::sync::Arc;

use futures::future::join_all;

use super::{Event, Group};
use crate::{
    delivery::{
        bulk,
        caller::Caller,
        terms::{Outgoing, Stays, Terms},
        verdict::Verdict,
    },
    log::{Message, Topic},
    pubsub::PubSub,
    store::{StoreError, now},
};

/// A message whose turn it is.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) partition: usize,
    /// The partition's term in which it was taken.
    pub(super) term: u64,
    pub(super) offset: i64,
    /// Absent when it is not held and is to be read.
    pub(super) message: Option<Message>,
}

/// A message after a try.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) taken: Taken,
    pub(super) verdict: Verdict,
    /// Whether the app has seen it.
    pub(super) asked: bool,
}

/// Everything that a call needs, without the group.
pub(super) struct Attempt {
    pubsub: Arc<PubSub>,
    topic: Arc<Topic>,
    caller: Caller,
    terms: Arc<Terms>,
    taken: Vec<Taken>,
}

impl Attempt {
    /// A call on the terms of now, whatever they become while it is on its way.
    pub(super) fn new(group: &Group, terms: Arc<Terms>, taken: Vec<Taken>) -> Self {
        Self { pubsub: group.pubsub.clone(), topic: group.topic.clone(), caller: group.caller.clone(), terms, taken }
    }

    pub(super) async fn run(mut self) -> Event {
        if let Err(error) = self.load().await {
            tracing::error!(%error, "messages could not be read");
            let later = |taken| Tried { taken, verdict: Verdict::Absent, asked: false };
            return Event::Tried(self.taken.into_iter().map(later).collect());
        }
        let (mut verdicts, mut outgoing) = (Vec::with_capacity(self.taken.len()), Vec::new());
        for taken in &self.taken {
            match self.prepare(taken) {
                Ok(message) => {
                    outgoing.push((verdicts.len(), message));
                    verdicts.push(None);
                }
                Err(verdict) => verdicts.push(Some(verdict)),
            }
        }
        let asked: Vec<bool> = verdicts.iter().map(Option::is_none).collect();
        for (index, verdict) in self.call(outgoing).await {
            verdicts[index] = Some(verdict);
        }
        let judged = self.taken.into_iter().zip(verdicts).zip(asked).map(|((taken, verdict), asked)| Tried {
            taken,
            verdict: verdict.expect("a message goes out or has a verdict"),
            asked,
        });
        Event::Tried(judged.collect())
    }

    /// Reads what is not held.
    async fn load(&mut self) -> Result<(), StoreError> {
        for taken in self.taken.iter_mut().filter(|taken| taken.message.is_none()) {
            let found = self.pubsub.read(&self.topic, taken.partition, taken.offset, 1, 1).await?;
            taken.message = found.into_iter().find(|message| message.offset == taken.offset);
        }
        Ok(())
    }

    /// The message as it goes out, or what becomes of it without the app.
    fn prepare(&self, taken: &Taken) -> Result<Outgoing, Verdict> {
        // What is gone from the log is finished.
        let message = taken.message.as_ref().ok_or(Verdict::Done)?;
        if message.expires.is_some_and(|expires| expires <= now()) {
            return Err(Verdict::Drop("it has expired".into()));
        }
        self.terms.outgoing(&self.topic, taken.partition, message).map_err(|stays| match stays {
            Stays::Unrouted => Verdict::Unrouted,
            Stays::Unreadable => Verdict::Drop("it is not a CloudEvent".into()),
        })
    }

    /// Calls the app: once for a message of its own, or once for each route that some of many take.
    async fn call(&self, outgoing: Vec<(usize, Outgoing)>) -> Vec<(usize, Verdict)> {
        let limit = self.terms.timeout();
        if self.terms.bulk.is_none() {
            let calls = outgoing.into_iter().map(async |(index, outgoing)| {
                let Taken { partition, message, .. } = &self.taken[index];
                let message = message.as_ref().expect("what goes out was read");
                (index, self.caller.deliver(outgoing, limit, &self.topic, *partition, message).await)
            });
            return join_all(calls).await;
        }
        let mut routes: Vec<(Arc<str>, Vec<usize>)> = Vec::new();
        for (index, Outgoing { url, .. }) in outgoing {
            match routes.iter_mut().find(|(known, _)| *known == url) {
                Some((_, indexes)) => indexes.push(index),
                None => routes.push((url, vec![index])),
            }
        }
        let calls = routes.into_iter().map(async |(url, indexes)| {
            let entry = |index: &usize| bulk::Entry {
                partition: self.taken[*index].partition,
                message: self.taken[*index].message.as_ref().expect("what goes out was read"),
                raw: self.terms.wraps(),
            };
            let entries: Vec<_> = indexes.iter().map(entry).collect();
            let entries = bulk::entries(&self.topic, &entries);
            let verdicts = self.caller.deliver_many(&url, limit, &self.topic, entries).await;
            indexes.into_iter().zip(verdicts).collect::<Vec<_>>()
        });
        join_all(calls).await.into_iter().flatten().collect()
    }
}
