//! What follows from what ended.

use std::{cmp::Reverse, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    Absence, Arrival, Delivery, Event, HELD, NOTE,
    attempt::{Taken, Tried},
};
use crate::{
    dead_letter::{self, Facts},
    delivery::{GroupState, Trouble, backoff, verdict::Verdict},
    envelope,
    log::{Message, Topic},
    store::now,
};

/// The wait after a dead letter could not be written.
const BURY_AGAIN: Duration = Duration::from_secs(1);

impl Delivery {
    pub(super) fn arrived(&mut self, arrival: Arrival) {
        let keep = !self.group.source.reads_again() || self.held() < HELD;
        match arrival {
            Arrival::Assigned { partition, progress } => self.begin(partition, progress),
            Arrival::Revoked { partitions, lost } => self.revoke(&partitions, lost),
            Arrival::Read { partition, messages, end } => {
                // What comes after its partition was revoked is another member's.
                let Some(partition) = self.partitions.get_mut(&partition).filter(|partition| !partition.leaving) else {
                    return;
                };
                match messages.is_empty() {
                    true => partition.window.skip_to(end),
                    false => partition.window.extend(messages, keep),
                }
            }
            Arrival::Restored { partition, messages } => self.window(partition).restore(messages, keep),
            Arrival::Changed => {}
        }
    }

    pub(super) fn ended(&mut self, event: Event) {
        match event {
            Event::Tried(tried) => {
                self.in_flight -= 1;
                // Those that find the app away go back to the front, the first of them last.
                for tried in tried.into_iter().rev() {
                    self.leave_flight(tried.taken.partition, tried.taken.term);
                    self.tried(tried);
                }
            }
            Event::Buried { partition, term, offset, result } => {
                self.in_flight -= 1;
                self.leave_flight(partition, term);
                match result {
                    _ if !self.is_ours(partition, term) => {}
                    Ok(()) => self.finish(partition, offset),
                    Err(error) => {
                        tracing::error!(group = %self.group.name, offset, %error, "a dead letter could not be written");
                        // Tried again without counting it against the message.
                        self.retries.push(Reverse((Instant::now() + BURY_AGAIN, partition, offset)));
                    }
                }
            }
        }
    }

    fn tried(&mut self, Tried { taken, verdict, asked }: Tried) {
        if verdict != Verdict::Absent && asked && self.absence.take().is_some() {
            tracing::info!(group = %self.group.name, "the app is there again");
            self.group.status.enter(GroupState::Working);
        }
        if asked {
            self.tell_breaker(&verdict);
        }
        let (partition, offset) = (taken.partition, taken.offset);
        if !self.is_ours(partition, taken.term) {
            // Another member brings it again, or has done so.
            return;
        }
        match verdict {
            Verdict::Done | Verdict::Ignored => self.finish(partition, offset),
            Verdict::Absent => {
                self.window(partition).again(offset);
                self.note_absence();
            }
            Verdict::Drop(reason) => {
                let attempts = self.window(partition).failures(offset) + u32::from(asked);
                self.give_up(taken, &reason, attempts);
            }
            Verdict::Unrouted if self.terms.dead_letters.is_some() => {
                self.give_up(taken, "no route of the subscription takes it", 0);
            }
            Verdict::Unrouted => self.finish(partition, offset),
            Verdict::Retry { reason, status } => {
                let attempts = self.window(partition).fail(offset);
                let retry = self.terms.policy.retry.as_ref();
                if self.terms.dead_letters.is_some() && !backoff::goes_on(retry, attempts, status) {
                    self.give_up(taken, &reason, attempts);
                    return;
                }
                let wait = backoff::after_failures(retry, attempts);
                tracing::warn!(group = %self.group.name, partition, offset, attempts, %reason, "a message comes again");
                self.group.status.failed(partition, offset, Trouble { attempts, reason: reason.into_owned() });
                self.retries.push(Reverse((Instant::now() + wait, partition, offset)));
            }
        }
    }

    /// To the dead letter topic where there is one.
    fn give_up(&mut self, taken: Taken, reason: &str, attempts: u32) {
        let Taken { partition, offset, message, .. } = taken;
        let (group, topic) = (&self.group.name, &self.group.topic.name);
        let (Some(letters), Some(message)) = (self.terms.dead_letters.clone(), message) else {
            tracing::warn!(%group, %topic, partition, offset, %reason, "a message is dropped");
            self.finish(partition, offset);
            return;
        };
        tracing::warn!(%group, %topic, partition, offset, attempts, %reason, dead_letter_topic = %letters.name, "a message goes to the dead letters");
        let facts = Facts {
            reason: reason.to_owned(),
            group: group.to_string(),
            attempts,
            time: envelope::time_text(now()),
            topic: topic.clone(),
            partition,
            offset,
        };
        self.bury(letters, partition, &message, &facts);
    }

    fn bury(&mut self, letters: Arc<Topic>, partition: usize, message: &Message, facts: &Facts) {
        self.in_flight += 1;
        let mut term = 0;
        if let Some(partition) = self.partitions.get_mut(&partition) {
            partition.in_flight += 1;
            term = partition.term;
        }
        let (offset, pubsub) = (message.offset, self.group.pubsub.clone());
        let letter = dead_letter::letter(letters, message, facts);
        self.work.push(Box::pin(async move {
            let result = pubsub.append(vec![letter]).await;
            Event::Buried { partition, term, offset, result }
        }));
    }

    /// An app that is away says nothing about how it does when it is there.
    fn tell_breaker(&mut self, verdict: &Verdict) {
        let Some(breaker) = &mut self.breaker else { return };
        match verdict {
            Verdict::Absent => {}
            Verdict::Retry { .. } => {
                if breaker.failed(Instant::now()) {
                    tracing::warn!(group = %self.group.name, "the circuit breaker opens; messages wait");
                    self.group.status.enter(GroupState::BreakerOpen);
                }
            }
            Verdict::Done | Verdict::Ignored | Verdict::Drop(_) | Verdict::Unrouted => {
                if breaker.succeeded(Instant::now()) {
                    tracing::info!(group = %self.group.name, "the circuit breaker closes");
                    self.group.status.enter(GroupState::Working);
                }
            }
        }
    }

    fn note_absence(&mut self) {
        let now = Instant::now();
        let times = match &self.absence {
            // Others that were on their way at the same time say nothing new.
            Some(absence) if absence.probe_at > now => return,
            Some(absence) => absence.times + 1,
            None => 1,
        };
        if times == 1 {
            tracing::warn!(group = %self.group.name, url = self.terms.url(), "the app is not there; its messages wait");
            self.group.status.enter(GroupState::AppAway);
        }
        self.absence = Some(Absence { times, probe_at: now + backoff::after_absences(times) });
    }

    fn finish(&mut self, number: usize, offset: i64) {
        let partition = self.partitions.get_mut(&number).expect("a partition of this group");
        if partition.window.failures(offset) > 0 {
            self.group.status.finished(number, offset);
        }
        partition.window.finish(offset);
        partition.unnoted = true;
        self.note_at.get_or_insert_with(|| Instant::now() + NOTE);
    }

    pub(super) fn note(&mut self) {
        self.note_at = None;
        for (number, partition) in self.partitions.iter_mut().filter(|(_, partition)| partition.unnoted) {
            partition.unnoted = false;
            self.group.source.note(*number, partition.window.progress());
        }
    }
}
