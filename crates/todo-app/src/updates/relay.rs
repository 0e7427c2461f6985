//! From the sidecar's stream of the topic to a page.

use dapr::Transport;
use jiff::Timestamp;

use super::Listener;
use super::feed::{End, Feed, Step};
use crate::{
    App,
    accounts::session_gone,
    http::problem::{Problem, kind},
    sse::{Item, Reader},
};

/// Pieces of a body, as they come.
pub trait Pieces {
    /// The next piece; `None` at the end, whether the body was whole or broke off.
    fn next(&mut self) -> impl Future<Output = Option<Vec<u8>>>;
}

/// Tells a page what the topic's stream says.
#[derive(Debug)]
pub struct Relay<P> {
    feed: Feed,
    upstream: Upstream<P>,
    clock: fn() -> Timestamp,
    /// What is told before anything more of the topic's stream is read.
    begin: String,
    is_over: bool,
}

/// A stream of the topic that is open.
#[derive(Debug)]
struct Upstream<P> {
    pieces: P,
    reader: Reader,
    /// What was read already.
    items: Vec<Item>,
}

impl<P: Pieces> Upstream<P> {
    /// Reads until the sidecar says that whatever is appended from now on will come; `None` when it does not.
    async fn ready(mut pieces: P) -> Option<Self> {
        let mut reader = Reader::default();
        loop {
            let mut items = reader.take(&pieces.next().await?).ok()?.into_iter();
            if items.any(|item| item == Item::Comment("ready".to_owned())) {
                return Some(Self { pieces, reader, items: items.collect() });
            }
        }
    }

    /// What it says next; `None` when it has broken off.
    async fn next(&mut self) -> Option<Vec<Item>> {
        if !self.items.is_empty() {
            return Some(std::mem::take(&mut self.items));
        }
        let bytes = self.pieces.next().await?;
        self.reader.take(&bytes).ok()
    }
}

impl<T: Transport> App<T> {
    /// Begins to tell a listener what the topic's stream says, behind the event that the page has seen last.
    ///
    /// # Errors
    /// 401 when the session has ended meanwhile; 503 when the topic's stream is none, or the store is away.
    pub async fn relay<P: Pieces>(
        &self,
        listener: Listener,
        resume: Option<u64>,
        upstream: P,
        clock: fn() -> Timestamp,
    ) -> Result<Relay<P>, Problem> {
        let upstream = Upstream::ready(upstream).await.ok_or_else(away)?;
        let listener = self.admit(listener).await?;
        let ring = self.ring(listener.user.id).await?;
        if ring.closed {
            return Err(session_gone());
        }
        let (feed, begin) = Feed::begin(listener, resume, &ring);
        Ok(Relay { feed, upstream, clock, begin, is_over: false })
    }
}

/// 503: what the updates come from is away.
pub fn away() -> Problem {
    Problem::new(503, kind::UNAVAILABLE)
        .detail("The updates do not come at this moment: try again.")
        .header("retry-after", "1")
}

/// The user has as many open streams as the sidecar allows.
pub fn full() -> Problem {
    Problem::new(429, kind::TOO_MANY_REQUESTS)
        .detail("You have too many open streams of updates: close one, and try again.")
        .header("retry-after", "1")
}

impl<P: Pieces> Pieces for Relay<P> {
    async fn next(&mut self) -> Option<Vec<u8>> {
        let mut text = std::mem::take(&mut self.begin);
        while text.is_empty() && !self.is_over {
            text = match self.upstream.next().await {
                Some(items) => self.told(&items),
                None => self.end(End::Interrupted),
            };
        }
        (!text.is_empty()).then(|| text.into_bytes())
    }
}

impl<P> Relay<P> {
    fn told(&mut self, items: &[Item]) -> String {
        let now = (self.clock)();
        let mut text = String::new();
        for item in items {
            match self.feed.take(item, now) {
                Step::Wait => {}
                Step::Tell(more) => text.push_str(&more),
                Step::End(end) => {
                    text.push_str(&self.end(end));
                    break;
                }
            }
        }
        text
    }

    fn end(&mut self, end: End) -> String {
        self.is_over = true;
        end.text()
    }
}
