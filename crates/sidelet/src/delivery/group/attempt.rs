//! One try of one message.

use std::{collections::BTreeMap, sync::Arc};

use super::{Event, Group};
use crate::{
    delivery::{caller::Caller, verdict::Verdict},
    sqlite::{
        Database,
        log::{self, Message, NewMessage, Topic},
        now,
    },
};

/// What a dead letter says of itself, beside the metadata that it had.
const REASON: &str = "deadletterreason";
const GROUP: &str = "deadlettergroup";

/// Everything that a try needs, without the group.
pub(super) struct Attempt {
    database: Arc<Database>,
    topic: Arc<Topic>,
    caller: Caller,
    url: Arc<str>,
    partition: usize,
    offset: i64,
    message: Option<Message>,
}

impl Attempt {
    pub(super) fn new(group: &Group, partition: usize, offset: i64, message: Option<Message>) -> Self {
        Self {
            database: group.database.clone(),
            topic: group.topic.clone(),
            caller: group.caller.clone(),
            url: group.url.clone(),
            partition,
            offset,
            message,
        }
    }

    pub(super) async fn run(mut self) -> Event {
        let verdict = self.verdict().await;
        Event::Tried { partition: self.partition, offset: self.offset, verdict, message: self.message }
    }

    async fn verdict(&mut self) -> Verdict {
        if self.message.is_none() {
            let (id, offset) = (self.topic.partition_id(self.partition), self.offset);
            match self.database.read(move |connection| log::read_at(connection, id, &[offset])).await {
                Ok(messages) => self.message = messages.into_iter().next(),
                Err(error) => {
                    tracing::error!(offset, %error, "a message could not be read");
                    return Verdict::Absent;
                }
            }
        }
        let Some(message) = &self.message else { return Verdict::Done };
        if message.expires.is_some_and(|expires| expires <= now()) {
            return Verdict::Drop("it has expired".into());
        }
        self.caller.deliver(&self.url, &self.topic, self.partition, message).await
    }
}

/// The message as it was, with why it is there.
pub(super) fn dead_letter(group: &Group, topic: Arc<Topic>, message: &Message, reason: &str) -> NewMessage {
    let mut attributes: BTreeMap<String, String> = serde_json::from_str(&message.attributes).unwrap_or_default();
    attributes.insert(REASON.into(), reason.to_owned());
    attributes.insert(GROUP.into(), group.name.to_string());
    NewMessage {
        topic,
        key: message.key.as_deref().map(str::to_owned),
        attributes: serde_json::to_string(&attributes).expect("a map of text is JSON"),
        // It is kept for people, however old.
        expires: None,
        content: message.content.clone(),
    }
}
