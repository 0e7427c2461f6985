//! What follows from what ended.

use std::{cmp::Reverse, sync::Arc};

use tokio::time::Instant;

use super::{
    Absence, Delivery, Event, NOTE, READ_AGAIN,
    attempt::{Taken, Tried},
};
use crate::{
    dead_letter::{self, Facts},
    delivery::{GroupState, Trouble, backoff, verdict::Verdict},
    envelope,
    sqlite::log::{self, Message, Topic},
    store::{StoreError, now},
};

/// Content held for messages whose turn has not come. What is beyond is read again.
const HELD: usize = 8 << 20;

impl Delivery {
    pub(super) fn ended(&mut self, event: Event) {
        match event {
            Event::Read { partition, end, result } => match self.read(partition, result) {
                Some(messages) if messages.is_empty() => self.group.partitions[partition].window.skip_to(end),
                Some(messages) => {
                    let keep = self.held() < HELD;
                    self.group.partitions[partition].window.extend(messages, keep);
                }
                None => {}
            },
            Event::Restored { partition, result } => {
                if let Some(messages) = self.read(partition, result) {
                    let keep = self.held() < HELD;
                    self.group.partitions[partition].window.restore(messages, keep);
                }
            }
            Event::Tried(tried) => {
                self.in_flight -= 1;
                // Those that find the app away go back to the front, the first of them last.
                for tried in tried.into_iter().rev() {
                    self.tried(tried);
                }
            }
            Event::Buried { partition, offset, result } => {
                self.in_flight -= 1;
                match result {
                    Ok(()) => self.finish(partition, offset),
                    Err(error) => {
                        tracing::error!(group = %self.group.name, offset, %error, "a dead letter could not be written");
                        // Tried again without counting it against the message.
                        self.retries.push(Reverse((Instant::now() + READ_AGAIN, partition, offset)));
                    }
                }
            }
        }
    }

    /// Bytes of content held.
    fn held(&self) -> usize {
        self.group.partitions.iter().map(|partition| partition.window.held()).sum()
    }

    fn read(&mut self, partition: usize, result: Result<Vec<Message>, StoreError>) -> Option<Vec<Message>> {
        self.group.partitions[partition].reading = false;
        match result {
            Ok(messages) => Some(messages),
            Err(error) => {
                tracing::error!(group = %self.group.name, %error, "messages could not be read");
                self.read_after = Some(Instant::now() + READ_AGAIN);
                None
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
        let window = &mut self.group.partitions[partition].window;
        match verdict {
            Verdict::Done | Verdict::Ignored => self.finish(partition, offset),
            Verdict::Absent => {
                window.again(offset);
                self.note_absence();
            }
            Verdict::Drop(reason) => {
                let attempts = window.failures(offset) + u32::from(asked);
                self.give_up(taken, &reason, attempts);
            }
            Verdict::Unrouted if self.terms.dead_letters.is_some() => {
                self.give_up(taken, "no route of the subscription takes it", 0);
            }
            Verdict::Unrouted => self.finish(partition, offset),
            Verdict::Retry { reason, status } => {
                let attempts = window.fail(offset);
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
        let Taken { partition, offset, message } = taken;
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
        let (offset, database) = (message.offset, self.group.database.clone());
        let letter = dead_letter::letter(letters, message, facts);
        self.work.push(Box::pin(async move {
            let result = database.write(move |batch| log::append(batch, &letter)).await;
            Event::Buried { partition, offset, result }
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

    fn finish(&mut self, partition: usize, offset: i64) {
        let window = &mut self.group.partitions[partition].window;
        if window.failures(offset) > 0 {
            self.group.status.finished(partition, offset);
        }
        window.finish(offset);
        self.group.partitions[partition].unnoted = true;
        self.note_at.get_or_insert_with(|| Instant::now() + NOTE);
    }

    pub(super) fn note(&mut self) {
        self.note_at = None;
        for partition in self.group.partitions.iter_mut().filter(|partition| partition.unnoted) {
            partition.unnoted = false;
            self.group.database.note_progress(&partition.key, partition.window.progress());
        }
    }
}
