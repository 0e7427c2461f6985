//! How much memory a guest may take.

use wasmtime::ResourceLimiter;

/// Refuses growth beyond the limit, and remembers that it did.
///
/// The guest sees a failed allocation, which ends most of them.
#[derive(Debug)]
pub(super) struct MemoryLimit {
    bytes: usize,
    refused: bool,
}

impl MemoryLimit {
    /// Allows each linear memory `bytes`.
    pub(super) fn new(bytes: usize) -> Self {
        Self { bytes, refused: false }
    }

    /// True once growth has been refused.
    pub(super) fn was_reached(&self) -> bool {
        self.refused
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let fits = desired <= self.bytes;
        self.refused |= !fits;
        Ok(fits)
    }

    fn table_growing(&mut self, _current: usize, _desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        // The pool bounds tables.
        Ok(true)
    }
}
