//! Near-valid bodies and files: an answer or a refusal each, never a panic, and whatever came before, the next is served.
//!
//! `FUZZ_FACTOR` runs as many times as many cases; see the crate `fuzzing`.

mod bodies;
mod files;
mod jobs;

use proptest::{prelude::*, test_runner::TestRunner};

/// Runs an asynchronous claim for so many cases.
fn check<S: Strategy>(cases: u32, strategy: &S, claim: impl AsyncFn(S::Value) -> Result<(), TestCaseError>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    check_on(&runtime, cases, strategy, claim);
}

fn check_on<S: Strategy>(
    runtime: &tokio::runtime::Runtime,
    cases: u32,
    strategy: &S,
    claim: impl AsyncFn(S::Value) -> Result<(), TestCaseError>,
) {
    let mut runner = TestRunner::new(fuzzing::config(cases));
    if let Err(error) = runner.run(strategy, |value| runtime.block_on(claim(value))) {
        panic!("{error}");
    }
}
