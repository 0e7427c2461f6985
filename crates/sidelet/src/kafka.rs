//! Kafka as a log, through librdkafka.
//!
//! - [`Settings`] is what a component's file says.
//! - [`Cluster`] is one component: its producer, and what its consumer groups share.
//! - [`Member`] is one group's consumer.

mod apply;
mod context;
mod follow;
mod group;
mod ledger;
mod producer;
mod progress;
mod reader;
mod record;
mod settings;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use crate::{
    log::{Message, NewMessage},
    store::StoreError,
};

use context::Client;
use group::Consumer;
use producer::Producer;
use reader::Readers;

pub(crate) use apply::apply;
pub(crate) use follow::Follower;
pub(crate) use group::{Arrival, Member};
pub(crate) use reader::{Piece, Span};
pub(crate) use settings::{Hidden, Sasl, Settings, Start, Tls};

/// The longest name of a topic.
const TOPIC: usize = 249;

/// One component.
pub(crate) struct Cluster {
    component: String,
    settings: Arc<Settings>,
    producer: Producer,
    readers: Arc<Readers>,
    members: Mutex<Vec<Joined>>,
}

/// A group at work.
struct Joined {
    group: String,
    topic: String,
    consumer: Weak<Consumer>,
}

impl Cluster {
    /// Nothing is asked of a broker before it is needed.
    pub(crate) fn new(component: &str, settings: Settings) -> Arc<Self> {
        let settings = Arc::new(settings);
        Arc::new(Self {
            component: component.to_owned(),
            producer: Producer::new(settings.clone(), component),
            readers: Readers::new(settings.clone(), component),
            settings,
            members: Mutex::default(),
        })
    }

    /// Appends messages in order for each key, and answers when all are acknowledged. After an error some may have been
    /// appended.
    pub(crate) async fn append(&self, messages: &[NewMessage]) -> Result<(), StoreError> {
        self.producer.append(messages).await
    }

    /// Appends messages in order for each key, however long it takes, and says of each what became of it. Those behind the
    /// last that is told of were not sent.
    pub(crate) async fn append_each(&self, messages: &[NewMessage]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        self.producer.append_each(messages).await
    }

    /// The next messages of a partition, as far as they are there: none at its end.
    pub(crate) async fn read(&self, topic: &str, piece: Piece) -> Result<Vec<Message>, StoreError> {
        self.readers.read(topic, piece).await
    }

    /// What each partition of a topic holds.
    pub(crate) async fn spans(&self, topic: &str) -> Result<Vec<Span>, StoreError> {
        self.readers.spans(topic).await
    }

    /// Every message of a partition that holds `text`, `count` at most, the oldest first.
    pub(crate) async fn containing(
        &self,
        topic: &str,
        partition: usize,
        text: String,
        count: usize,
    ) -> Result<Vec<Message>, StoreError> {
        let holds =
            move |message: &Message| std::str::from_utf8(&message.content).is_ok_and(|content| content.contains(&text));
        self.readers.search(topic, partition, count, holds).await
    }

    /// The name of the consumer group of an app's subscription.
    pub(crate) fn group(&self, app: &str, subscription: &str) -> String {
        self.settings.group.replace("{appID}", app).replace("{subscription}", subscription)
    }

    /// Ends the producer, after what is on its way.
    pub(crate) async fn close(&self) {
        self.producer.close().await;
    }

    fn context(&self) -> Client {
        Client { component: self.component.clone() }
    }

    fn joined(&self, group: &str, topic: &str, consumer: &Arc<Consumer>) {
        let joined = Joined { group: group.to_owned(), topic: topic.to_owned(), consumer: Arc::downgrade(consumer) };
        self.members().push(joined);
    }

    fn left(&self, consumer: &Arc<Consumer>) {
        self.members().retain(|joined| !std::ptr::eq(joined.consumer.as_ptr(), Arc::as_ptr(consumer)));
    }

    fn members(&self) -> MutexGuard<'_, Vec<Joined>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cluster").field("component", &self.component).finish_non_exhaustive()
    }
}

/// The partition of a key: the one that the producer chooses, and daprd too (FNV-1a over 32 bits, without its sign).
pub(crate) fn partition_of(key: &str, count: usize) -> usize {
    let hash = key.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    usize::try_from(hash.cast_signed().unsigned_abs()).expect("a usize has 32 bits or more") % count
}

/// Whether Kafka takes a topic of this name.
pub(crate) fn is_topic(name: &str) -> bool {
    let letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    !name.is_empty() && name.len() <= TOPIC && name != "." && name != ".." && name.chars().all(letter)
}
