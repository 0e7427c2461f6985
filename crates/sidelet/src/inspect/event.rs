//! The way of one event: where it is in the log, who has taken it, and where it failed.

use serde::Serialize;

use super::{groups::live, progress};
use crate::{dead_letter::Facts, envelope, replay, sidecar::Sidecar, store::StoreError};

/// Copies of an event in one partition that are told of.
const COPIES: usize = 100;

/// An event.
#[derive(Debug, Serialize)]
pub(crate) struct EventView {
    id: String,
    /// Every copy of it, topic by topic, each partition's oldest first.
    places: Vec<Place>,
}

/// One copy of an event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    pubsub: String,
    topic: String,
    partition: usize,
    offset: i64,
    /// When it was appended: RFC 3339.
    time: String,
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter: Option<Facts>,
    /// Of a dead letter: whether it was put back.
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<bool>,
    groups: Vec<Taken>,
}

/// What a group has done with it.
#[derive(Debug, Serialize)]
struct Taken {
    group: String,
    state: State,
    /// How often it failed, since the sidecar started.
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Finished,
    Failing,
    Waiting,
}

/// Looks for an event by its CloudEvents id in every topic.
pub(crate) async fn event(sidecar: &Sidecar, id: &str) -> Result<EventView, StoreError> {
    let listed = sidecar.consumers.listed();
    let mut places = Vec::new();
    for pubsub in sidecar.pubsubs.values() {
        for topic in pubsub.all_topics().await? {
            for partition in 0..pubsub.ends(&topic).await?.len() {
                let found = pubsub.containing(&topic, partition, envelope::json_text(id), COPIES).await?;
                let found: Vec<_> =
                    found.into_iter().filter(|message| envelope::id(&message.content).as_deref() == Some(id)).collect();
                if found.is_empty() {
                    continue;
                }
                let progress = progress(pubsub, &topic, partition).await?;
                places.extend(found.into_iter().map(|message| {
                    let offset = message.offset;
                    let dead_letter = Facts::of(&message);
                    let back = progress.iter().find(|(group, _)| group == replay::GROUP);
                    let back = back.is_some_and(|(_, progress)| progress.has_finished(offset));
                    let groups =
                        progress.iter().filter(|(group, _)| group != replay::GROUP).map(|(group, progress)| {
                            let live = live(&listed, group, &pubsub.name, &topic.name);
                            let trouble = live.and_then(|live| live.status.trouble(partition, offset));
                            let state = match (&trouble, progress.has_finished(offset)) {
                                (_, true) => State::Finished,
                                (Some(_), false) => State::Failing,
                                (None, false) => State::Waiting,
                            };
                            Taken {
                                group: group.clone(),
                                state,
                                attempts: trouble.as_ref().map_or(0, |trouble| trouble.attempts),
                                reason: trouble.map(|trouble| trouble.reason),
                            }
                        });
                    Place {
                        pubsub: pubsub.name.clone(),
                        topic: topic.name.clone(),
                        partition,
                        offset,
                        time: envelope::time_text(message.time),
                        key: message.key.as_deref().map(str::to_owned),
                        replayed: dead_letter.is_some().then_some(back),
                        dead_letter,
                        groups: groups.collect(),
                    }
                }));
            }
        }
    }
    Ok(EventView { id: id.to_owned(), places })
}
