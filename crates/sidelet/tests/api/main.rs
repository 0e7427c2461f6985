//! The sidecar at its seam: real HTTP, real files, real apps, and the real binary where something is killed.

mod harness;
mod outbox;
