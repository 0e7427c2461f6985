//! What one page is told, in order and once: first what it missed, then what comes.

use dapr::CloudEvent;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use todo_domain::UserId;

use super::listener::Credential;
use super::ring::Ring;
use super::{Listener, SESSION_ENDED, SessionEnded};
use crate::sse::{self, Item};

/// Why a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The access token has ended: refresh it, and open another stream.
    TokenExpired,
    /// The session or the API token has ended.
    SignedOut,
    /// The account is gone.
    AccountDeleted,
    /// The page did not read for too long.
    TooSlow,
    /// The service stops, or starts anew.
    Shutdown,
    /// What the updates come from broke off.
    Interrupted,
}

impl End {
    /// Every reason.
    pub const ALL: [Self; 6] =
        [Self::TokenExpired, Self::SignedOut, Self::AccountDeleted, Self::TooSlow, Self::Shutdown, Self::Interrupted];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokenExpired => "token-expired",
            Self::SignedOut => "signed-out",
            Self::AccountDeleted => "account-deleted",
            Self::TooSlow => "too-slow",
            Self::Shutdown => "shutdown",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether another stream of the same user can be opened.
    pub const fn may_reconnect(self) -> bool {
        !matches!(self, Self::SignedOut | Self::AccountDeleted)
    }

    /// The last event of a stream.
    pub fn text(self) -> String {
        let mut text = String::new();
        let data = format!(r#"{{"reason":"{}","reconnect":{}}}"#, self.as_str(), self.may_reconnect());
        sse::write(&mut text, "end", None, &data);
        text
    }
}

/// What is told next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing.
    Wait,
    /// This.
    Tell(String),
    /// Why there is no more.
    End(End),
}

/// The way of one page through the user's events.
#[derive(Debug)]
pub(super) struct Feed {
    listener: Listener,
    /// The number of the last event that was told, or that the page knows.
    told: u64,
}

/// The updates of one event, as the topic carries them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    user_id: UserId,
    sequence: u64,
    #[serde(borrow)]
    updates: Vec<&'a RawValue>,
}

impl Feed {
    /// Begins with what the page missed behind the event `resume`; a page that has seen none misses none.
    ///
    /// A page that missed more than the ring holds is told to read everything anew.
    pub(super) fn begin(listener: Listener, resume: Option<u64>, ring: &Ring) -> (Self, String) {
        let mut feed = Self { listener, told: ring.last };
        let mut text = feed.retry();
        let missed = |known| ring.entries.iter().filter(move |entry| known < entry.number && entry.number <= ring.last);
        let known = resume.filter(|known| {
            let numbers = missed(*known).map(|entry| entry.number);
            *known <= ring.last && numbers.eq(known + 1..=ring.last)
        });
        let kind = if resume.is_some() && known.is_none() { "reset" } else { "ready" };
        feed.told = known.unwrap_or(ring.last);
        sse::write(&mut text, kind, Some(feed.told), &format!(r#"{{"sequence":{}}}"#, feed.told));
        for entry in missed(feed.told) {
            text.push_str(&feed.tell(entry.value.get()).unwrap_or_default());
        }
        (feed, text)
    }

    /// What follows from an item of the topic's stream.
    pub(super) fn take(&mut self, item: &Item, now: Timestamp) -> Step {
        if self.listener.has_expired(now) {
            return Step::End(End::TokenExpired);
        }
        match item {
            // A heartbeat goes on, so that everything between here and the page knows that the stream is alive.
            Item::Comment(_) => Step::Tell(":\n\n".to_owned()),
            Item::Event(event) if event.kind == "end" => {
                Step::End(if event.data.contains("slow") { End::TooSlow } else { End::Shutdown })
            }
            Item::Event(event) => self.take_message(&event.data),
        }
    }

    /// Who is told.
    pub(super) const fn listener(&self) -> &Listener {
        &self.listener
    }

    /// The number of the last event that was told.
    pub(super) const fn told(&self) -> u64 {
        self.told
    }

    /// What a ring holds behind the last event, up to the first that is not there.
    pub(super) fn tell_on(&mut self, ring: &Ring) -> String {
        let mut text = String::new();
        for entry in &ring.entries {
            if entry.number == self.told + 1 {
                text.push_str(&self.tell(entry.value.get()).unwrap_or_default());
            }
        }
        text
    }

    fn take_message(&mut self, text: &str) -> Step {
        let Ok(CloudEvent::<&RawValue> { event_type, data, .. }) = serde_json::from_str(text) else {
            return Step::Wait;
        };
        if event_type == SESSION_ENDED {
            return match serde_json::from_str(data.get()) {
                Ok(ended) => self.after(&ended),
                Err(_) => Step::Wait,
            };
        }
        self.tell(data.get()).map_or(Step::Wait, Step::Tell)
    }

    /// The events of a message; `None` when they were told before, or are no business of this page.
    fn tell(&mut self, message: &str) -> Option<String> {
        let Message { user_id, sequence, updates } = serde_json::from_str(message).ok()?;
        if user_id != self.listener.user.id || sequence <= self.told {
            return None;
        }
        self.told = sequence;
        let mut text = String::new();
        let last = updates.len().saturating_sub(1);
        for (index, update) in updates.iter().enumerate() {
            // Whoever loses the connection among the updates of one event is told all of them again.
            let id = (index == last).then_some(sequence);
            sse::write(&mut text, "update", id, update.get());
        }
        Some(text)
    }

    fn after(&self, ended: &SessionEnded) -> Step {
        let Listener { user, credential, .. } = &self.listener;
        if ended.user_id != user.id {
            return Step::Wait;
        }
        let has_ended = match credential {
            Credential::Session(id) => id.is_some_and(|id| ended.sessions.contains(&id)),
            Credential::ApiToken(id) => ended.tokens.contains(id),
        };
        match (ended.account, has_ended) {
            (true, _) => Step::End(End::AccountDeleted),
            (false, true) => Step::End(End::SignedOut),
            (false, false) => Step::Wait,
        }
    }

    /// How long a page waits before it comes back: another time for each, so that many do not come at once.
    fn retry(&self) -> String {
        let mut random = [0; 2];
        let share = if getrandom::fill(&mut random).is_ok() { u16::from_le_bytes(random) } else { 0 };
        format!("retry: {}\n\n", 1_000 + u32::from(share) % 2_000)
    }
}

#[cfg(test)]
mod tests;
