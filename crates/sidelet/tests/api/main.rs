//! The sidecar at its seam: real HTTP, real files, real apps, and the real binary where something is killed.

mod delivery;
mod files;
mod harness;
mod outbox;
mod publish;
mod state;
