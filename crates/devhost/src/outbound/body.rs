//! A response's body that must not pause for too long.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

/// Ends with a read timeout if no frame comes for a time.
pub(super) struct TimedBody {
    incoming: Incoming,
    limit: Duration,
    /// Set up when the body is waited for, so that a body that is all there needs no timer.
    deadline: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    /// Given back when the guest is done with the response.
    _place: OwnedSemaphorePermit,
}

impl TimedBody {
    pub(super) fn new(incoming: Incoming, limit: Duration, place: OwnedSemaphorePermit) -> Self {
        Self { incoming, limit, deadline: None, waiting: false, _place: place }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(context) {
            this.waiting = false;
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::from)));
        }
        let limit = this.limit;
        let deadline = this.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        if !this.waiting {
            this.waiting = true;
            let from = Instant::now();
            deadline.as_mut().reset(from.checked_add(limit).unwrap_or(from));
        }
        deadline.as_mut().poll(context).map(|()| Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
