//! What guests print goes to the host's log, line by line.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError};

/// Longest line; a longer one is broken.
const MAX_LINE: usize = 8 << 10;
/// Bytes of one call that are logged; a guest that prints without end would fill the disk.
const MAX_LOGGED: usize = 256 << 10;

/// Standard output or error of one component.
#[derive(Clone, Debug)]
pub(super) struct Output {
    component: Arc<str>,
    stream: Stream,
}

/// Which of the two.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    Out,
    Error,
}

impl Output {
    pub(super) fn new(component: Arc<str>, stream: Stream) -> Self {
        Self { component, stream }
    }

    fn log(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end();
        if line.is_empty() {
            return;
        }
        match self.stream {
            Stream::Out => tracing::info!(target: "guest", "{}: {line}", self.component),
            Stream::Error => tracing::warn!(target: "guest", "{}: {line}", self.component),
        }
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // WASI 0.2 asks for `p2_stream` only.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Lines { output: self.clone(), unfinished: Vec::new(), left: MAX_LOGGED })
    }
}

/// Collects bytes until a line is whole.
struct Lines {
    output: Output,
    unfinished: Vec<u8>,
    /// Bytes that may still be logged.
    left: usize,
}

impl Lines {
    fn log(&mut self) {
        let line = std::mem::take(&mut self.unfinished);
        if self.left > 0 {
            self.output.log(&line);
            self.left = self.left.saturating_sub(line.len());
            if self.left == 0 {
                self.output.log(b"(what this call prints from here on is left out)");
            }
        }
    }
}

impl OutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.unfinished.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.unfinished.len() >= MAX_LINE {
                self.log();
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }

    fn check_write(&mut self) -> Result<usize, StreamError> {
        Ok(MAX_LINE)
    }
}

impl Pollable for Lines {
    // What `#[async_trait]` makes of `async fn ready(&mut self) {}`.
    fn ready<'this, 'future>(&'this mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'future>>
    where
        'this: 'future,
        Self: 'future,
    {
        Box::pin(std::future::ready(()))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.unfinished.is_empty() {
            self.log();
        }
    }
}
