//! What may be tried only so often: counted in the store, so that every instance sees it.

use dapr::{Transport, metadata_key};
use serde::{Deserialize, Serialize};

use crate::{
    App,
    access::digest,
    documents::{in_place_of, item},
    failure::Failure,
    http::problem::{Problem, kind},
    lists::{ATTEMPTS, pause},
};

/// How often something may be tried, for each subject.
#[derive(Debug, Clone)]
pub(super) struct Throttle {
    /// The first part of the keys under which tries are counted.
    name: &'static str,
    /// Tries in the window; 0: any number.
    bound: u32,
    window_seconds: i64,
    /// What a client reads when it has to wait; the seconds follow.
    told: &'static str,
}

/// Bad sign-ins of one e-mail address: the sixth in a minute is refused.
pub(super) const BAD_SIGN_INS: Throttle = Throttle {
    name: "sign-in-failures",
    bound: 5,
    window_seconds: 60,
    told: "Too many bad sign-ins for this address: try again in",
};

/// Accounts made from one client address. The bound is the operator's.
pub(super) const SIGN_UPS: Throttle = Throttle {
    name: "sign-ups",
    bound: 0,
    window_seconds: 60 * 60,
    told: "Too many accounts were made from your network: try again in",
};

/// When the recent tries were, as it is stored.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Tries {
    /// Seconds since 1970, the latest last.
    pub at: Vec<i64>,
}

impl Throttle {
    pub(super) fn with_bound(self, bound: u32) -> Self {
        Self { bound, ..self }
    }

    fn applies(&self, subject: &str) -> bool {
        self.bound > 0 && !subject.is_empty()
    }

    /// The key of a subject's tries. A hash: what people type is no part of a key.
    fn key(&self, subject: &str) -> String {
        format!("{}/{}", self.name, digest(subject))
    }

    fn recent(&self, tries: Tries, now: i64) -> Vec<i64> {
        tries.at.into_iter().filter(|at| *at > now - self.window_seconds).collect()
    }
}

impl<T: Transport> App<T> {
    /// Refuses another try of a subject that has had too many.
    pub(super) async fn check_throttle(&self, throttle: &Throttle, subject: &str) -> Result<(), Problem> {
        if !throttle.applies(subject) {
            return Ok(());
        }
        let found: Option<(Tries, String)> = self.load_document(&throttle.key(subject)).await?;
        let recent = throttle.recent(found.map(|(tries, _)| tries).unwrap_or_default(), self.now.as_second());
        let bound = throttle.bound as usize;
        if recent.len() < bound {
            return Ok(());
        }
        let wait = (recent[recent.len() - bound] + throttle.window_seconds - self.now.as_second()).max(1);
        Err(Problem::new(429, kind::TOO_MANY_REQUESTS)
            .detail(format!("{} {wait} seconds.", throttle.told))
            .header("retry-after", wait.to_string()))
    }

    /// Counts one try. Of many at once some may go uncounted when the store is busy.
    pub(super) async fn count(&self, throttle: &Throttle, subject: &str) -> Result<(), Failure> {
        if !throttle.applies(subject) {
            return Ok(());
        }
        let key = throttle.key(subject);
        for attempt in 1..=ATTEMPTS {
            let found: Option<(Tries, String)> = self.load_document(&key).await?;
            let (tries, etag) = found.map_or_else(Default::default, |(tries, etag)| (tries, Some(etag)));
            let mut recent = throttle.recent(tries, self.now.as_second());
            recent.push(self.now.as_second());
            let item = item(key.clone(), &Tries { at: recent })?
                .with_metadata(metadata_key::TTL_IN_SECONDS, throttle.window_seconds.to_string());
            match self.dapr.save(&self.settings.state_store, &in_place_of(etag, item)).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_conflict() => pause(attempt),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
