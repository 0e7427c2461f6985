//! A connection whose other side must take what is sent to it, within a time.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::time::{Instant, Sleep, sleep};

/// Fails a write of which nothing is taken for `patience`, so that who asks and never reads holds no memory for ever.
pub(super) struct Patient<T> {
    inner: T,
    patience: Duration,
    /// Runs while a write waits.
    end: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl<T> Patient<T> {
    pub(super) fn new(inner: T, patience: Duration) -> Self {
        Self { inner, patience, end: None, waiting: false }
    }

    /// Passes on how a write went, unless it has waited for too long.
    fn judge<R>(&mut self, context: &mut Context<'_>, went: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if went.is_ready() {
            self.waiting = false;
            return went;
        }
        let end = self.end.get_or_insert_with(|| Box::pin(sleep(self.patience)));
        if !self.waiting {
            self.waiting = true;
            end.as_mut().reset(Instant::now() + self.patience);
        }
        end.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: Read + Unpin> Read for Patient<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<T: Write + Unpin> Write for Patient<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let went = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.judge(context, went)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let went = Pin::new(&mut self.inner).poll_flush(context);
        self.judge(context, went)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let went = Pin::new(&mut self.inner).poll_shutdown(context);
        self.judge(context, went)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let went = Pin::new(&mut self.inner).poll_write_vectored(context, parts);
        self.judge(context, went)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use hyper_util::rt::TokioIo;

    use super::*;

    #[tokio::test]
    async fn a_write_that_nobody_takes_fails_and_one_that_is_taken_does_not() {
        let (near, mut far) = tokio::io::duplex(4);
        let mut near = Patient::new(TokioIo::new(near), Duration::from_millis(20));
        let mut write = async || poll_fn(|context| Pin::new(&mut near).poll_write(context, b"1234")).await;
        assert_eq!(write().await.unwrap(), 4);
        let taken = async { tokio::io::AsyncReadExt::read_exact(&mut far, &mut [0; 4]).await.unwrap() };
        let (written, _) = tokio::join!(write(), taken);
        assert_eq!(written.unwrap(), 4);
        assert_eq!(write().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
