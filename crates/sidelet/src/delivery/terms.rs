//! What a subscription says of its deliveries: it may change while they go on.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use crate::{
    config::AppAddress,
    envelope, expression,
    log::{Message, Topic},
    resiliency::Policy,
    resources::{Bulk, Route, Subscription},
};

/// How long an app may work on one call where no policy says it.
const ANSWER: Duration = Duration::from_secs(60);

/// The terms of one group.
#[derive(Debug)]
pub(crate) struct Terms {
    /// Where messages go that the app will not take.
    pub(super) dead_letters: Option<Arc<Topic>>,
    /// Many messages with one call.
    pub(super) bulk: Option<Bulk>,
    /// Timeout, retries, circuit breaker.
    pub(super) policy: Policy,
    raw_payload: bool,
    routes: Arc<[Route]>,
    /// Where each route is, in the order of the routes.
    urls: Vec<Arc<str>>,
}

/// A message as it goes out.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// Which route takes it.
    pub(super) url: Arc<str>,
    /// An envelope.
    pub(super) content: Bytes,
}

/// A message that does not go out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stays {
    /// No route takes it.
    Unrouted,
    /// It is no envelope, and there are dead letters for it.
    Unreadable,
}

impl PartialEq for Terms {
    fn eq(&self, other: &Self) -> bool {
        let letters = |terms: &Self| terms.dead_letters.as_ref().map(|topic| topic.name.clone());
        letters(self) == letters(other)
            && self.bulk == other.bulk
            && self.policy == other.policy
            && self.raw_payload == other.raw_payload
            && self.routes == other.routes
            && self.urls == other.urls
    }
}

impl Terms {
    pub(crate) fn new(
        subscription: &Subscription,
        app: &AppAddress,
        dead_letters: Option<Arc<Topic>>,
        policy: Policy,
    ) -> Self {
        Self {
            dead_letters,
            bulk: subscription.bulk,
            policy,
            raw_payload: subscription.raw_payload,
            routes: subscription.routes.clone(),
            urls: subscription.routes.iter().map(|route| app.url(&route.path).into()).collect(),
        }
    }

    /// How long the app may take for one call.
    pub(super) fn timeout(&self) -> Duration {
        self.policy.timeout.unwrap_or(ANSWER)
    }

    /// An address of the app, for the log.
    pub(super) fn url(&self) -> &str {
        self.urls.first().map_or("", |url| url)
    }

    /// Finds the route of a message. A rule that fails, say on a missing field, takes nothing.
    pub(super) fn outgoing(&self, topic: &Topic, partition: usize, message: &Message) -> Result<Outgoing, Stays> {
        let content = if self.raw_payload {
            let id = format!("{}/{partition}/{}", topic.name, message.offset);
            envelope::around_raw(&topic.pubsub, &topic.name, &id, &message.content)
        } else {
            message.content.clone()
        };
        let takes_all = self.routes.first().is_some_and(|route| route.rule.is_none());
        if takes_all && (self.dead_letters.is_none() || self.raw_payload) {
            // The usual case needs no look inside.
            return Ok(Outgoing { url: self.urls[0].clone(), content });
        }
        if takes_all {
            return if envelope::is_object(&content) {
                Ok(Outgoing { url: self.urls[0].clone(), content })
            } else {
                Err(Stays::Unreadable)
            };
        }
        let event: serde_json::Value = match serde_json::from_slice(&content) {
            Ok(event @ serde_json::Value::Object(_)) => event,
            _ if self.dead_letters.is_some() => return Err(Stays::Unreadable),
            _ => serde_json::Value::Null,
        };
        let event = expression::value(event);
        let takes = |route: &Route| route.rule.as_ref().is_none_or(|rule| rule.holds([("event", event.clone())]));
        let index = self.routes.iter().position(takes).ok_or(Stays::Unrouted)?;
        Ok(Outgoing { url: self.urls[index].clone(), content })
    }

    /// Whether content is wrapped before it goes out.
    pub(super) fn wraps(&self) -> bool {
        self.raw_payload
    }
}
