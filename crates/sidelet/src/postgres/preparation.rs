//! What has to be done once before anything else, and may have to be tried again.
//!
//! One attempt is under way at a time, on a task of its own: it goes on whoever stops waiting for it, since it may be
//! making an index of a large table. All who need it meanwhile wait for that one, each for as long as it likes, and share
//! its outcome: so nobody stands in a queue behind attempts that each take their time.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::store::StoreError;

type Outcome = Option<Result<(), StoreError>>;

#[derive(Debug)]
pub(super) struct Preparation {
    /// What becomes of the newest attempt. Closed without an outcome: there is none under way.
    newest: Mutex<watch::Receiver<Outcome>>,
}

impl Preparation {
    pub(super) fn new() -> Self {
        Self { newest: Mutex::new(watch::channel(None).1) }
    }

    /// Waits for the attempt that is under way; where there is none and none has succeeded, for the one that `attempt`
    /// gives. Who drops this waits no longer, and the attempt goes on.
    pub(super) async fn done<F>(&self, attempt: impl FnOnce() -> F) -> Result<(), StoreError>
    where
        F: Future<Output = Result<(), StoreError>> + Send + 'static,
    {
        let mut newest = self.newest_or(attempt);
        match newest.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            _ => Err(StoreError::failed("the tables could not be brought up to date")),
        }
    }

    fn newest_or<F>(&self, attempt: impl FnOnce() -> F) -> watch::Receiver<Outcome>
    where
        F: Future<Output = Result<(), StoreError>> + Send + 'static,
    {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = match &*newest.borrow() {
            Some(outcome) => outcome.is_err(),
            None => newest.has_changed().is_err(),
        };
        if begins {
            let (sender, receiver) = watch::channel(None);
            let attempt = attempt();
            tokio::spawn(async move { sender.send_replace(Some(attempt.await)) });
            *newest = receiver;
        }
        newest.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };
    use tokio::sync::Notify;

    #[tokio::test]
    async fn all_share_one_attempt_and_only_a_failed_one_is_followed_by_another() {
        let (preparation, begun, go_on) = (Preparation::new(), Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let attempt = || {
            let (count, go_on) = (begun.fetch_add(1, Ordering::SeqCst), go_on.clone());
            async move {
                go_on.notified().await;
                if count == 0 { Err(StoreError::unavailable("it is away")) } else { Ok(()) }
            }
        };
        let all = || join_all((0..10).map(|_| preparation.done(attempt)));
        // One who stops waiting stops nobody else.
        assert!(futures::poll!(std::pin::pin!(preparation.done(attempt))).is_pending());
        let (first, ()) = tokio::join!(all(), async { go_on.notify_one() });
        assert!(first.iter().all(Result::is_err));
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        let (second, ()) = tokio::join!(all(), async { go_on.notify_one() });
        assert!(second.iter().all(Result::is_ok));
        assert!(all().await.iter().all(Result::is_ok));
        assert_eq!(begun.load(Ordering::SeqCst), 2);
    }
}
