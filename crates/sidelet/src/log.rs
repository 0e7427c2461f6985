//! Messages and topics, whatever log they are in: the SQLite file, or Kafka.

use std::sync::Arc;

use bytes::Bytes;

use crate::sqlite::log::Partitions;

/// A topic of a pub/sub component.
#[derive(Debug)]
pub(crate) struct Topic {
    /// The name of the pub/sub component.
    pub(crate) pubsub: String,
    /// The topic's name.
    pub(crate) name: String,
    log: Log,
}

/// Where the topic's messages are.
#[derive(Debug)]
enum Log {
    Sqlite(Partitions),
    #[cfg(feature = "kafka")]
    Kafka,
}

impl Topic {
    /// A topic in a SQLite file.
    pub(crate) fn in_file(pubsub: &str, name: &str, partitions: Partitions) -> Self {
        Self { pubsub: pubsub.to_owned(), name: name.to_owned(), log: Log::Sqlite(partitions) }
    }

    /// A topic in Kafka.
    #[cfg(feature = "kafka")]
    pub(crate) fn in_kafka(pubsub: &str, name: &str) -> Self {
        Self { pubsub: pubsub.to_owned(), name: name.to_owned(), log: Log::Kafka }
    }

    /// Its partitions in the SQLite file. Only who has the file's database asks.
    pub(crate) fn partitions(&self) -> &Partitions {
        match &self.log {
            Log::Sqlite(partitions) => partitions,
            #[cfg(feature = "kafka")]
            Log::Kafka => unreachable!("only a database is asked for the partitions of a file"),
        }
    }
}

/// A message on its way into a log.
#[derive(Debug, Clone)]
pub(crate) struct NewMessage {
    /// Where it goes.
    pub(crate) topic: Arc<Topic>,
    /// Messages with the same key keep their order; those without have none.
    pub(crate) key: Option<String>,
    /// A JSON object of text: what travels beside the content.
    pub(crate) attributes: String,
    /// Unix milliseconds after which it is not delivered any more.
    pub(crate) expires: Option<i64>,
    /// The bytes that are delivered.
    pub(crate) content: Bytes,
}

/// A message of a log.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// Its number in its partition.
    pub(crate) offset: i64,
    /// When it was appended, in Unix milliseconds.
    pub(crate) time: i64,
    /// As in [`NewMessage`].
    pub(crate) key: Option<Arc<str>>,
    /// As in [`NewMessage`].
    pub(crate) attributes: String,
    /// As in [`NewMessage`].
    pub(crate) expires: Option<i64>,
    /// As in [`NewMessage`].
    pub(crate) content: Bytes,
}

/// How far a consumer group has come in a partition: all below `next` is finished, but for `unfinished`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The first offset that was never finished.
    pub(crate) next: i64,
    /// Offsets below `next`, ascending.
    pub(crate) unfinished: Vec<i64>,
}

impl Progress {
    /// Whether a message is finished.
    pub(crate) fn has_finished(&self, offset: i64) -> bool {
        offset < self.next && self.unfinished.binary_search(&offset).is_err()
    }

    /// Goes on behind `offset`, or takes it from what was left behind. What is not `settled` is unfinished.
    pub(crate) fn settle(&mut self, offset: i64, settled: bool) {
        if offset >= self.next {
            self.next = offset + 1;
            if !settled {
                self.unfinished.push(offset);
            }
        } else if settled {
            self.unfinished.retain(|left| *left != offset);
        }
    }

    /// The lowest offset that is still needed: what Kafka calls the committed offset.
    pub(crate) fn lowest(&self) -> i64 {
        self.unfinished.first().copied().unwrap_or(self.next)
    }
}
