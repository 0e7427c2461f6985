//! Dead letters: what they say of themselves, and how they are put back.
//!
//! A dead letter is the original message. Why it is there stands beside it (headers of a delivery) and, where it is a
//! CloudEvent, in extension attributes of the same names. Putting it back takes these away again.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use serde::Serialize;

use crate::{
    envelope,
    log::{Message, NewMessage, Topic},
    store::now,
};

/// What all names begin with. CloudEvents has lower-case letters and digits in names, and 20 at most.
const PREFIX: &str = "deadletter";
const REASON: &str = "deadletterreason";
const GROUP: &str = "deadlettergroup";
const ATTEMPTS: &str = "deadletterattempts";
const TIME: &str = "deadlettertime";
const TOPIC: &str = "deadlettertopic";
const PARTITION: &str = "deadletterpartition";
const OFFSET: &str = "deadletteroffset";

/// What a dead letter says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Facts {
    /// Why it was given up.
    pub(crate) reason: String,
    /// The consumer group that gave it up.
    pub(crate) group: String,
    /// How often it was tried; 0 when it was not even tried.
    pub(crate) attempts: u32,
    /// When it was given up: RFC 3339.
    pub(crate) time: String,
    /// The topic that it came from.
    pub(crate) topic: String,
    /// Its partition there.
    pub(crate) partition: usize,
    /// Its number there.
    pub(crate) offset: i64,
}

impl Facts {
    /// Reads them from what travels beside a message. None: it is no dead letter.
    pub(crate) fn of(message: &Message) -> Option<Self> {
        let beside: BTreeMap<String, String> = serde_json::from_str(&message.attributes).ok()?;
        let text = |name: &str| beside.get(name).cloned().unwrap_or_default();
        Some(Self {
            reason: beside.get(REASON)?.clone(),
            group: text(GROUP),
            attempts: text(ATTEMPTS).parse().unwrap_or_default(),
            time: text(TIME),
            topic: beside.get(TOPIC)?.clone(),
            partition: text(PARTITION).parse().unwrap_or_default(),
            offset: text(OFFSET).parse().unwrap_or_default(),
        })
    }

    fn entries(&self) -> [(&'static str, String); 7] {
        [
            (REASON, self.reason.clone()),
            (GROUP, self.group.clone()),
            (ATTEMPTS, self.attempts.to_string()),
            (TIME, self.time.clone()),
            (TOPIC, self.topic.clone()),
            (PARTITION, self.partition.to_string()),
            (OFFSET, self.offset.to_string()),
        ]
    }
}

/// The dead letter of `message`, on its way to `letters`.
pub(crate) fn letter(letters: Arc<Topic>, message: &Message, facts: &Facts) -> NewMessage {
    marked(letters, message, &facts.entries())
}

/// The message that a dead letter was, on its way back to `topic`.
pub(crate) fn restored(topic: Arc<Topic>, letter: &Message) -> NewMessage {
    marked(topic, letter, &[])
}

/// The message with these marks, and with no others.
fn marked(topic: Arc<Topic>, message: &Message, marks: &[(&'static str, String)]) -> NewMessage {
    let mut beside: BTreeMap<String, String> = serde_json::from_str(&message.attributes).unwrap_or_default();
    beside.retain(|name, _| !name.starts_with(PREFIX));
    beside.extend(marks.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let expired = message.expires.is_some_and(|expires| expires <= now());
    let content: Option<Bytes> = envelope::changed(&message.content, |attributes| {
        // An event that has expired is wanted by whoever looks at it here, or puts it back.
        attributes.retain(|name, _| !name.starts_with(PREFIX) && (name != "expiration" || !expired));
        for (name, value) in marks {
            attributes.insert((*name).into(), envelope::json_text(value).into());
        }
    });
    NewMessage {
        topic,
        key: message.key.as_deref().map(str::to_owned),
        attributes: serde_json::to_string(&beside).expect("a map of text is JSON"),
        // It is kept for people, however old; and who puts it back wants it delivered.
        expires: None,
        content: content.unwrap_or_else(|| message.content.clone()),
    }
}
