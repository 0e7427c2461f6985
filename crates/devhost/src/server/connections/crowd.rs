//! How many connections may be open, and who goes when one more comes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// How long one that was asked to go is waited for before the next is asked. One that is idle goes at once.
const PATIENCE: Duration = Duration::from_millis(5);

/// The open connections, in the order of their coming.
#[derive(Debug)]
pub(super) struct Crowd {
    places: Arc<Semaphore>,
    /// Those that have not been asked to go.
    staying: Mutex<Staying>,
}

#[derive(Debug, Default)]
struct Staying {
    next: u64,
    members: BTreeMap<u64, CancellationToken>,
}

/// One open connection; its place is free when it is dropped.
#[derive(Debug)]
pub(super) struct Member {
    crowd: Arc<Crowd>,
    number: u64,
    go: CancellationToken,
    asked: AtomicBool,
    _place: OwnedSemaphorePermit,
}

impl Crowd {
    pub(super) fn new(places: usize) -> Self {
        let places = places.clamp(1, Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(places)), staying: Mutex::default() }
    }

    /// Takes a place. Where there is none, the ones that came first are asked to go, one after another.
    pub(super) async fn enter(self: &Arc<Self>) -> Member {
        loop {
            if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
                return self.admit(place);
            }
            let first = self.staying().members.pop_first();
            let Some((_, first)) = first else {
                // All have been asked, and go as soon as they have their answer.
                let place = Arc::clone(&self.places).acquire_owned().await.expect("the semaphore is never closed");
                return self.admit(place);
            };
            first.cancel();
            let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await;
            if let Ok(Ok(place)) = place {
                return self.admit(place);
            }
        }
    }

    fn admit(self: &Arc<Self>, place: OwnedSemaphorePermit) -> Member {
        let go = CancellationToken::new();
        let mut staying = self.staying();
        let number = staying.next;
        staying.next += 1;
        staying.members.insert(number, go.clone());
        drop(staying);
        Member { crowd: Arc::clone(self), number, go, asked: AtomicBool::new(false), _place: place }
    }

    fn staying(&self) -> std::sync::MutexGuard<'_, Staying> {
        // Nothing that holds it can panic half way.
        self.staying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    /// Ends when this connection is asked to go.
    pub(super) async fn asked_to_go(&self) {
        self.go.cancelled().await;
    }

    /// Notes that a request has come.
    pub(super) fn has_asked(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Whether a request ever came.
    pub(super) fn has_ever_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.crowd.staying().members.remove(&self.number);
    }
}
