//! Asks apps what they subscribe to (`GET /dapr/subscribe`). An app may not be there yet: it is asked until it answers.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use http::StatusCode;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Consumers;
use crate::{
    delivery::after_absences,
    resources::{Subscription, read_answer},
};

/// How long an app may take to answer.
const LIMIT: Duration = Duration::from_secs(10);
/// The wait after an app failed to answer, or after the answer could not be taken.
const AGAIN: Duration = Duration::from_secs(5);

impl Consumers {
    /// Asks every app, each until it answers. Who was still being asked from before is not any more.
    pub(crate) fn ask_all(self: &Arc<Self>) {
        let asking = self.stop.child_token();
        let before = {
            let mut current = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, asking.clone())
        };
        before.cancel();
        for app in self.apps.keys() {
            let (consumers, app, asking) = (self.clone(), app.clone(), asking.clone());
            tokio::spawn(async move {
                // None: it is the end, or the app is asked anew.
                let _ = consumers.ask(&app, &asking).await;
            });
        }
    }

    async fn ask(&self, app: &str, asking: &CancellationToken) -> Option<()> {
        let url = self.apps[app].url("/dapr/subscribe");
        let (mut absences, mut failures) = (0, 0);
        loop {
            let Some((status, body)) = asking.run_until_cancelled(self.caller.ask(app, &url, LIMIT)).await? else {
                absences += 1;
                asking.run_until_cancelled(sleep(after_absences(absences))).await?;
                continue;
            };
            if status.is_server_error() {
                failures += 1;
                if failures == 1 {
                    tracing::error!(app, %status, "an app fails to say what it subscribes to; it is asked again");
                }
                asking.run_until_cancelled(sleep(AGAIN)).await?;
                continue;
            }
            let subscriptions = self.understand(app, status, &body);
            // A change that has begun is not broken off for another question.
            match self.stop.run_until_cancelled(self.set_asked(app, subscriptions)).await? {
                Ok(()) => return Some(()),
                Err(error) => {
                    tracing::error!(app, %error, "what an app subscribes to could not be taken; it is asked again");
                    asking.run_until_cancelled(sleep(AGAIN)).await?;
                }
            }
        }
    }

    /// What of an answer can be served. What cannot is named in the log.
    fn understand(&self, app: &str, status: StatusCode, body: &[u8]) -> Vec<Subscription> {
        if status == StatusCode::NOT_FOUND || status == StatusCode::NO_CONTENT {
            return Vec::new();
        }
        if status != StatusCode::OK {
            tracing::warn!(app, %status, "an app does not say what it subscribes to");
            return Vec::new();
        }
        let read = match read_answer(app, body) {
            Ok(read) => read,
            Err(reason) => {
                tracing::error!(app, %reason, "an app does not say what it subscribes to");
                return Vec::new();
            }
        };
        let known = |subscription: Subscription| {
            if self.pubsubs.contains_key(&subscription.pubsub) {
                return Ok(subscription);
            }
            Err(format!("`{}`: `pubsubname` is `{}`, which no component is", subscription.name, subscription.pubsub))
        };
        let served = read.into_iter().filter_map(|subscription| match subscription.and_then(known) {
            Ok(subscription) => Some(subscription),
            Err(reason) => {
                tracing::error!(app, %reason, "a subscription of an app is refused");
                None
            }
        });
        let served: Vec<_> = served.collect();
        tracing::info!(app, subscriptions = served.len(), "an app has said what it subscribes to");
        served
    }
}
