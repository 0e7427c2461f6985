//! The way to one topic: one batch at a time, which is waited for until each message has arrived or failed.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use tokio::time::Instant;

use crate::{
    outbox::{Message, Waiting},
    pubsub::PubSub,
    store::StoreError,
};

/// A pub/sub component and a topic of it.
pub(crate) type Way = (Arc<str>, Arc<str>);

/// The first and the longest wait after a failure.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// What is known of a topic that is not simply ready for the next batch.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// A batch is on its way.
    busy: bool,
    /// Failures in a row, and when to try again.
    failures: u32,
    again_at: Option<Instant>,
    /// Messages go one at a time: one of several was refused for good, and perhaps all of them with it.
    singly: bool,
}

/// What became of a batch: of its messages from the first on, as far as they were tried.
pub(super) struct Arrived {
    pub(super) way: Way,
    ids: Vec<i64>,
    each: Vec<Result<(), StoreError>>,
}

/// What is to be done with what became of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// To be removed.
    pub(super) relayed: Vec<i64>,
    /// To be set aside, with the reason.
    pub(super) refused: Option<(i64, String)>,
}

impl Lane {
    /// Whether nothing of the topic is to be read for now.
    pub(super) fn is_closed(&self) -> bool {
        self.busy || self.again_at.is_some_and(|at| at > Instant::now())
    }

    /// When it opens again by itself.
    pub(super) fn opens_at(&self) -> Option<Instant> {
        self.again_at.filter(|_| !self.busy)
    }

    /// Whether it need not be remembered.
    pub(super) fn is_clear(&self) -> bool {
        !self.busy && self.failures == 0 && !self.singly
    }

    /// Sends a batch on its way: its first message alone while the topic fails or refuses.
    pub(super) fn send(
        &mut self,
        way: Way,
        pubsub: Option<Arc<PubSub>>,
        mut waiting: Vec<Waiting>,
    ) -> BoxFuture<'static, Arrived> {
        if self.singly || self.failures > 0 {
            waiting.truncate(1);
        }
        (self.busy, self.again_at) = (true, None);
        Box::pin(async move {
            let (ids, messages) = waiting.into_iter().map(|waiting| (waiting.id, waiting.message)).unzip();
            let each = append(&way, pubsub, messages).await.unwrap_or_else(|error| vec![Err(error)]);
            Arrived { way, ids, each }
        })
    }

    /// Takes note of what became of a batch.
    pub(super) fn settle(&mut self, arrived: Arrived) -> Settled {
        self.busy = false;
        let (mut settled, mut failed) = (Settled::default(), None);
        let alone = arrived.ids.len() == 1;
        for (id, done) in arrived.ids.into_iter().zip(arrived.each) {
            match done {
                Ok(()) => settled.relayed.push(id),
                Err(error) => drop(failed.get_or_insert((id, error))),
            }
        }
        match failed {
            None => (self.failures, self.singly) = (0, self.singly && settled.relayed.is_empty()),
            Some((id, error @ StoreError::Rejected { .. })) if alone => {
                (self.failures, self.singly) = (0, false);
                settled.refused = Some((id, error.to_string()));
            }
            Some((_, StoreError::Rejected { .. })) => self.singly = true,
            Some((_, error)) => self.fail(&arrived.way, &error),
        }
        settled
    }

    fn fail(&mut self, (pubsub, topic): &Way, error: &StoreError) {
        if self.failures == 0 {
            tracing::warn!(%pubsub, %topic, %error, "messages could not be relayed; it is tried again until it succeeds");
        }
        self.again_at = Some(Instant::now() + wait(self.failures));
        self.failures = self.failures.saturating_add(1);
    }
}

/// The wait after `failures` failures and one more.
pub(super) fn wait(failures: u32) -> Duration {
    WAITS.0.saturating_mul(1 << failures.min(10)).min(WAITS.1)
}

/// Appends, and says of each message what became of it, as far as it was tried. A message that was given up might arrive
/// all the same, and then once more: so each is waited for.
async fn append(
    (_, topic): &Way,
    pubsub: Option<Arc<PubSub>>,
    messages: Vec<Message>,
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    let missing = || StoreError::failed("they are for a pub/sub component that is not there; put it back");
    let pubsub = pubsub.ok_or_else(missing)?;
    let topic = pubsub.topic(topic).await?;
    pubsub.append_each(messages.into_iter().map(|message| message.to(topic.clone())).collect()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(each: Vec<Result<(), StoreError>>, sent: i64) -> Arrived {
        Arrived { way: ("pubsub".into(), "topic".into()), ids: (1..=sent).collect(), each }
    }

    #[tokio::test]
    async fn what_arrived_is_removed_and_what_is_refused_alone_is_set_aside() {
        let refused = || StoreError::rejected("it is too large");
        let mut lane = Lane { busy: true, ..Lane::default() };
        let settled = lane.settle(arrived(vec![Ok(()), Err(refused())], 4));
        assert_eq!(settled, Settled { relayed: vec![1], refused: None }, "the third and fourth were not tried");
        assert!(!lane.is_closed() && !lane.is_clear(), "the second one is tried alone");
        let settled = lane.settle(arrived(vec![Err(refused())], 1));
        assert_eq!(settled.refused, Some((1, refused().to_string())));
        assert!(lane.is_clear());
    }

    #[tokio::test]
    async fn a_topic_that_fails_is_closed_for_a_while_and_open_once_a_message_arrives() {
        let mut lane = Lane::default();
        lane.settle(arrived(vec![Err(StoreError::failed("it is not there"))], 2));
        assert!(lane.is_closed() && lane.opens_at().is_some());
        let settled = lane.settle(arrived(vec![Ok(())], 1));
        assert_eq!(settled.relayed, [1]);
        lane.again_at = None;
        assert!(lane.is_clear());
        assert_eq!((wait(0), wait(40)), WAITS);
    }
}
