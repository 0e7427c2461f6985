//! The clock that interrupts guests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// How often a computing guest lets others run and is asked whether its time is over.
const TICK: Duration = Duration::from_millis(10);

/// Advances the engine's epoch while guests are alive, and sleeps while none is.
///
/// It is a thread and no task: guests that loop may hold every thread of the async runtime.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
    handle: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    alive: AtomicUsize,
    ended: AtomicBool,
}

/// Counts one guest as alive until it is dropped.
#[derive(Debug)]
pub(crate) struct Alive(Arc<Shared>);

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start(engine: Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let watched = Arc::clone(&shared);
        let handle = std::thread::Builder::new().name("devhost-ticker".into()).spawn(move || {
            while !watched.ended.load(Ordering::Relaxed) {
                if watched.alive.load(Ordering::SeqCst) == 0 {
                    std::thread::park();
                } else {
                    std::thread::sleep(TICK);
                    engine.increment_epoch();
                }
            }
        })?;
        Ok(Self { shared, thread: handle.thread().clone(), handle: Some(handle) })
    }

    /// Counts one more guest.
    pub(crate) fn guest(&self) -> Alive {
        if self.shared.alive.fetch_add(1, Ordering::SeqCst) == 0 {
            self.thread.unpark();
        }
        Alive(Arc::clone(&self.shared))
    }

    /// Guests alive now.
    pub(crate) fn alive(&self) -> usize {
        self.shared.alive.load(Ordering::SeqCst)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        self.thread.unpark();
        if let Some(handle) = self.handle.take() {
            let _ = handle.join();
        }
    }
}
