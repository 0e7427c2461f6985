//! From the user's ring to a page, where the sidecar streams no topic over HTTP: looking again and again.
//!
//! It tells what a stream tells, up to [`INTERVAL`] later. Events that the ring does not hold in order yet are waited for;
//! when they stay away, the stream ends, and the page that comes back reads everything anew.

use std::time::Duration;

use dapr::Transport;
use jiff::Timestamp;

use super::{
    Listener,
    feed::{End, Feed},
    listener::Stay,
    relay::Pieces,
};
use crate::{App, accounts::session_gone, failure::chain, http::problem::Problem};

/// Between two looks: soon enough for a person, and one read of two small documents for each open page.
const INTERVAL: Duration = Duration::from_secs(2);
/// Looks after which a comment goes out when there is nothing to tell: 16 s.
const SILENT_LOOKS: u32 = 8;
/// Looks for which a missing event is waited for: 10 s.
const GAP_LOOKS: u32 = 5;

/// Tells a page what the ring says.
#[derive(Debug)]
pub struct Poller<T> {
    app: App<T>,
    feed: Feed,
    clock: fn() -> Timestamp,
    wait: fn(Duration),
    /// What is told before the first look.
    begin: String,
    silent_looks: u32,
    gap_looks: u32,
    is_over: bool,
}

impl<T: Transport + Clone> App<T> {
    /// Begins to tell a listener what the ring says, behind the event that the page has seen last.
    ///
    /// # Errors
    /// 401 when the session has ended meanwhile; 503 when the store is away.
    pub async fn poll_updates(
        &self,
        listener: Listener,
        resume: Option<u64>,
        clock: fn() -> Timestamp,
        wait: fn(Duration),
    ) -> Result<Poller<T>, Problem> {
        let listener = self.admit(listener).await?;
        let ring = self.ring(listener.user.id).await?;
        if ring.closed {
            return Err(session_gone());
        }
        let (feed, begin) = Feed::begin(listener, resume, &ring);
        Ok(Poller { app: self.clone(), feed, clock, wait, begin, silent_looks: 0, gap_looks: 0, is_over: false })
    }
}

impl<T: Transport> Pieces for Poller<T> {
    async fn next(&mut self) -> Option<Vec<u8>> {
        let mut text = std::mem::take(&mut self.begin);
        while text.is_empty() && !self.is_over {
            (self.wait)(INTERVAL);
            text = match self.look().await {
                Ok(text) if text.is_empty() => self.heartbeat(),
                Ok(text) => {
                    self.silent_looks = 0;
                    text
                }
                Err(end) => {
                    self.is_over = true;
                    end.text()
                }
            };
        }
        (!text.is_empty()).then(|| text.into_bytes())
    }
}

impl<T: Transport> Poller<T> {
    /// What there is to tell now.
    async fn look(&mut self) -> Result<String, End> {
        let listener = self.feed.listener();
        if listener.has_expired((self.clock)()) {
            return Err(End::TokenExpired);
        }
        let broken = |failure| {
            eprintln!("a page is told no more updates: {}", chain(&failure));
            End::Interrupted
        };
        let last = match self.app.stay(listener).await.map_err(broken)? {
            Stay::Until(last) => last,
            Stay::SignedOut => return Err(End::SignedOut),
            Stay::Gone => return Err(End::AccountDeleted),
        };
        if last <= self.feed.told() {
            self.gap_looks = 0;
            return Ok(String::new());
        }
        let ring = self.app.ring(self.feed.listener().user.id).await.map_err(broken)?;
        let text = self.feed.tell_on(&ring);
        let is_missing = self.feed.told() < ring.last;
        self.gap_looks = if is_missing && text.is_empty() { self.gap_looks + 1 } else { 0 };
        if self.gap_looks > GAP_LOOKS { Err(End::Interrupted) } else { Ok(text) }
    }

    /// A comment now and then, so that everything between here and the page knows that the stream is alive.
    fn heartbeat(&mut self) -> String {
        self.silent_looks += 1;
        if self.silent_looks < SILENT_LOOKS {
            return String::new();
        }
        self.silent_looks = 0;
        ":\n\n".to_owned()
    }
}
