//! The dead letters of a topic.

use std::cmp::Reverse;

use serde::Serialize;

use super::progress;
use crate::{dead_letter::Facts, envelope, log::Topic, pubsub::PubSub, replay, sidecar::Sidecar, store::StoreError};

/// The dead letters of a topic.
#[derive(Debug, Serialize)]
pub(crate) struct LettersView {
    pubsub: String,
    topic: String,
    /// Letters in the log.
    total: i64,
    /// Letters that were not put back.
    waiting: i64,
    /// The newest, the newest first.
    letters: Vec<Letter>,
}

#[derive(Debug, Serialize)]
struct Letter {
    /// The id of the event; none where it is no CloudEvent.
    id: Option<String>,
    key: Option<String>,
    partition: usize,
    offset: i64,
    replayed: bool,
    /// None: it does not say why it is there.
    #[serde(flatten)]
    facts: Option<Facts>,
}

/// The newest `count` letters of a topic.
pub(crate) async fn dead_letters(pubsub: &PubSub, topic: &Topic, count: usize) -> Result<LettersView, StoreError> {
    let (mut total, mut waiting, mut letters) = (0, 0, Vec::new());
    for (partition, end) in pubsub.ends(topic).await?.into_iter().enumerate() {
        let (there, newest) = pubsub.newest(topic, partition, count).await?;
        let progress = progress(pubsub, topic, partition).await?;
        let replayed = progress.into_iter().find(|(group, _)| group == replay::GROUP).map(|(_, progress)| progress);
        total += there;
        waiting += match &replayed {
            None => there,
            Some(progress) => (end - progress.next).min(there) + i64::try_from(progress.unfinished.len()).unwrap_or(0),
        };
        letters.extend(newest.into_iter().map(|message| {
            let letter = Letter {
                id: envelope::id(&message.content),
                key: message.key.as_deref().map(str::to_owned),
                partition,
                offset: message.offset,
                replayed: replayed.as_ref().is_some_and(|progress| progress.has_finished(message.offset)),
                facts: Facts::of(&message),
            };
            (message.time, letter)
        }));
    }
    letters.sort_by_key(|(time, letter)| Reverse((*time, letter.offset)));
    letters.truncate(count);
    let letters = letters.into_iter().map(|(_, letter)| letter).collect();
    Ok(LettersView { pubsub: pubsub.name.clone(), topic: topic.name.clone(), total, waiting, letters })
}

/// Every topic that holds dead letters, without the letters.
pub(crate) async fn dead_letter_topics(sidecar: &Sidecar) -> Result<Vec<LettersView>, StoreError> {
    let mut views = Vec::new();
    for pubsub in sidecar.pubsubs.values() {
        for topic in pubsub.all_topics().await? {
            // Such a topic holds nothing else, so that its newest message tells.
            let view = dead_letters(pubsub, &topic, 1).await?;
            if view.letters.iter().any(|letter| letter.facts.is_some()) {
                views.push(LettersView { letters: Vec::new(), ..view });
            }
        }
    }
    Ok(views)
}
