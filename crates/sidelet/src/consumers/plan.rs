//! Which groups are wanted.

use std::{collections::BTreeMap, sync::Arc};

use crate::resources::Subscription;

/// A group that there is to be.
#[derive(Debug)]
pub(super) struct Wanted<'subscription> {
    pub(super) name: Arc<str>,
    pub(super) app: &'subscription str,
    pub(super) subscription: &'subscription Subscription,
}

/// One group for each app and subscription.
///
/// Where a document subscribes an app to a topic, the app's own subscription to it is left out: an event is to come once.
pub(super) fn wanted<'subscription>(
    declared: &'subscription [Subscription],
    asked: &'subscription BTreeMap<String, Vec<Subscription>>,
    group: impl Fn(&str, &Subscription) -> Arc<str>,
) -> Vec<Wanted<'subscription>> {
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    for subscription in declared {
        for app in &subscription.apps {
            wanted.push(Wanted { name: group(app, subscription), app, subscription });
        }
    }
    for (app, subscriptions) in asked {
        for subscription in subscriptions {
            let (pubsub, topic) = (&subscription.pubsub, &subscription.topic);
            let taken = |other: &Wanted<'_>| {
                other.app == app && other.subscription.pubsub == *pubsub && other.subscription.topic == *topic
            };
            match wanted.iter().find(|other| taken(other)) {
                Some(other) => tracing::warn!(
                    app, pubsub, topic, subscription = %other.subscription.name,
                    "an app's own subscription is left out, since it has another to the same topic"
                ),
                None => wanted.push(Wanted { name: group(app, subscription), app, subscription }),
            }
        }
    }
    wanted
}
