//! Bad sign-ins of one address are counted for a minute, in the store, so that every instance sees them.

use dapr::{Transport, metadata_key};
use serde::{Deserialize, Serialize};

use super::{account::digest, item};
use crate::{
    App,
    failure::Failure,
    http::problem::{Problem, kind},
    lists::{ATTEMPTS, pause},
};

/// Bad sign-ins that one address may have in [`WINDOW_SECONDS`].
const ALLOWED_FAILURES: usize = 5;
const WINDOW_SECONDS: i64 = 60;

/// When the recent bad sign-ins were, in seconds since 1970.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Failures {
    at: Vec<i64>,
}

impl<T: Transport> App<T> {
    /// Refuses a sign-in after too many bad ones.
    pub(super) async fn check_throttle(&self, email: &str) -> Result<(), Problem> {
        let failures: Failures =
            self.load_document(&key(email)).await?.map_or_else(Failures::default, |(failures, _)| failures);
        let recent = self.recent(failures);
        if recent.len() < ALLOWED_FAILURES {
            return Ok(());
        }
        let wait = recent[recent.len() - ALLOWED_FAILURES] + WINDOW_SECONDS - self.now.as_second();
        Err(Problem::new(429, kind::TOO_MANY_REQUESTS)
            .detail(format!("Too many bad sign-ins for this address: try again in {wait} seconds."))
            .header("retry-after", wait.max(1).to_string()))
    }

    /// Counts one bad sign-in. Of many at once some may go uncounted when the store is busy.
    pub(super) async fn count_failure(&self, email: &str) -> Result<(), Failure> {
        let key = key(email);
        for attempt in 1..=ATTEMPTS {
            let found: Option<(Failures, String)> = self.load_document(&key).await?;
            let (failures, etag) = found.map_or_else(Default::default, |(failures, etag)| (failures, Some(etag)));
            let mut recent = self.recent(failures);
            recent.push(self.now.as_second());
            let item = item(key.clone(), &Failures { at: recent })?
                .with_metadata(metadata_key::TTL_IN_SECONDS, WINDOW_SECONDS.to_string());
            let item = match etag {
                Some(etag) => item.with_etag(etag),
                None => item.first_write(),
            };
            match self.dapr.save(&self.settings.state_store, &item).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_conflict() => pause(attempt),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn recent(&self, failures: Failures) -> Vec<i64> {
        let from = self.now.as_second() - WINDOW_SECONDS;
        failures.at.into_iter().filter(|at| *at > from).collect()
    }
}

/// The key of an address's bad sign-ins.
fn key(email: &str) -> String {
    format!("sign-in-failures/{}", digest(email))
}
