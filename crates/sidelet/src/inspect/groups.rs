//! Consumer groups and how far they are behind.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{progress, unfinished};
use crate::{consumers::Listed, delivery::GroupState, replay, sidecar::Sidecar, store::StoreError};

/// A consumer group.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupView {
    group: String,
    pubsub: String,
    topic: String,
    /// Messages that it has not finished.
    behind: i64,
    /// Messages that failed and come again.
    failing: usize,
    /// None: no app of this sidecar has it now.
    state: Option<GroupState>,
}

/// Every group that ever read a topic.
pub(crate) async fn groups(sidecar: &Sidecar) -> Result<Vec<GroupView>, StoreError> {
    let listed = sidecar.consumers.listed();
    let mut groups = Vec::new();
    for pubsub in sidecar.pubsubs.values() {
        for topic in pubsub.all_topics().await? {
            let mut behind: BTreeMap<String, i64> = BTreeMap::new();
            for (partition, end) in pubsub.ends(&topic).await?.into_iter().enumerate() {
                for (group, progress) in progress(pubsub, &topic, partition).await? {
                    *behind.entry(group).or_default() += unfinished(end, &progress);
                }
            }
            behind.remove(replay::GROUP);
            groups.extend(behind.into_iter().map(|(group, behind)| {
                let live = live(&listed, &group, &pubsub.name, &topic.name);
                GroupView {
                    behind,
                    failing: live.map_or(0, |live| live.status.troubles()),
                    state: live.map(|live| live.status.state()),
                    group,
                    pubsub: pubsub.name.clone(),
                    topic: topic.name.clone(),
                }
            }));
        }
    }
    Ok(groups)
}

/// The group as it works now.
pub(super) fn live<'listed>(
    listed: &'listed [Listed],
    group: &str,
    pubsub: &str,
    topic: &str,
) -> Option<&'listed Listed> {
    listed.iter().find(|listed| {
        *listed.name == *group && listed.subscription.pubsub == pubsub && listed.subscription.topic == topic
    })
}
