//! Response bodies: the host's own, and those that a guest is still writing.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

use super::Tasks;
use crate::guest::{Call, Failure};

/// A response's body.
pub(super) enum Body {
    /// All there.
    Full(Option<Bytes>),
    /// Written by a guest as it is read.
    Guest(Box<GuestBody>),
}

/// The response did not end as it should have, so the connection must not look as if it did.
#[derive(Debug, thiserror::Error)]
#[error("the component failed in the middle of its response")]
pub(super) struct Cut;

/// The body of a guest, which runs whenever the body is asked for more.
///
/// Dropped before its end, it stops the guest: the client has gone. After its end the guest goes
/// on by itself for a bounded time.
pub(super) struct GuestBody {
    body: HyperOutgoingBody,
    call: Option<Call>,
    failed: bool,
    /// Bytes that are still to come, if that is known; 0 is the end.
    left: Option<u64>,
    ended: bool,
    rest: Rest,
}

/// What a guest that goes on after its response needs.
pub(super) struct Rest {
    pub(super) component: std::sync::Arc<str>,
    pub(super) tasks: Tasks,
    pub(super) time: Duration,
}

impl Body {
    /// A body that is known as a whole.
    pub(super) fn full(text: impl Into<Bytes>) -> Self {
        Self::Full(Some(text.into()))
    }
}

impl GuestBody {
    /// Takes over a call that has set its response; `None` if it has already returned.
    ///
    /// `left` is 0 if the client will not get a body at all.
    pub(super) fn new(body: HyperOutgoingBody, call: Option<Call>, left: Option<u64>, rest: Rest) -> Self {
        Self { ended: body.is_end_stream(), body, call, failed: false, left, rest }
    }

    fn run_guest(&mut self, context: &mut Context<'_>) {
        let Some(call) = &mut self.call else {
            return;
        };
        if let Poll::Ready(outcome) = Pin::new(call).poll(context) {
            self.call = None;
            if let Err(failure) = outcome {
                self.failed = true;
                log_failure(&self.rest.component, &failure);
            }
        }
    }

    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        self.run_guest(context);
        match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            Some(Ok(frame)) => {
                if let (Some(left), Some(data)) = (&mut self.left, frame.data_ref()) {
                    *left = left.saturating_sub(data.len() as u64);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            None if !self.failed => {
                self.ended = true;
                Poll::Ready(None)
            }
            None | Some(Err(_)) => Poll::Ready(Some(Err(Cut))),
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match &mut *self {
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Guest(guest) => guest.poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_none(),
            Self::Guest(guest) => guest.ended,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Guest(guest) if guest.ended => SizeHint::with_exact(0),
            Self::Guest(guest) => guest.body.size_hint(),
        }
    }
}

impl Drop for GuestBody {
    fn drop(&mut self) {
        let complete = self.ended || self.left == Some(0);
        if let Some(call) = self.call.take()
            && complete
        {
            let body = std::mem::replace(&mut self.body, empty());
            finish(call, body, &self.rest);
        }
    }
}

/// Lets a guest end what it does after its response, and reads what nobody else will.
fn finish(call: Call, body: HyperOutgoingBody, rest: &Rest) {
    let component = std::sync::Arc::clone(&rest.component);
    let cut = rest.tasks.cut.clone();
    let time = rest.time;
    rest.tasks.tracker.spawn(async move {
        let drained = drain(body);
        let both = async { tokio::join!(call, drained).0 };
        let bounded = tokio::time::timeout(time, both);
        match cut.run_until_cancelled(bounded).await {
            Some(Ok(Err(failure))) => log_failure(&component, &failure),
            Some(Err(_)) => tracing::warn!(
                component.id = %component,
                "a component went on for too long after its response and was stopped"
            ),
            Some(Ok(Ok(()))) | None => {}
        }
    });
}

async fn drain(mut body: HyperOutgoingBody) {
    use http_body_util::BodyExt;

    while let Some(Ok(_)) = body.frame().await {}
}

fn empty() -> HyperOutgoingBody {
    use http_body_util::{BodyExt, Empty};

    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Logs why a guest failed, with what only its author should see.
pub(super) fn log_failure(component: &str, failure: &Failure) {
    let (message, error) = match failure {
        Failure::Time => {
            tracing::error!(component.id = component, "a component computed for too long and was stopped");
            return;
        }
        Failure::Memory(error) => ("a component asked for more memory than it may have and failed", error),
        Failure::Trap(error) => ("a component failed", error),
    };
    tracing::error!(component.id = component, error = %error.root_cause(), "{message}");
    tracing::debug!(component.id = component, "{error:#}");
}
