//! Reads without a group: for streams that catch up, and for people who look into a log.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, KafkaResult},
};
use tokio::sync::Semaphore;

use super::{context::Client, record, settings::Settings};
use crate::{log::Message, store::StoreError};

/// Clients that read at the same time.
const CLIENTS: usize = 2;
/// How long a client without work is kept.
const IDLE: Duration = Duration::from_secs(30);
/// How long a broker may take for one answer.
pub(super) const LIMIT: Duration = Duration::from_secs(5);
/// The name of their group, which no offset is ever committed for.
const GROUP: &str = "(reader)";

pub(super) type Consumer = BaseConsumer<Client>;

/// The clients of one component.
pub(super) struct Readers {
    settings: Arc<Settings>,
    component: String,
    idle: Mutex<Vec<(Consumer, Instant)>>,
    places: Semaphore,
}

/// What a partition holds: from its oldest message on, and before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) oldest: i64,
    pub(crate) end: i64,
}

/// What is read of a partition at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) partition: usize,
    pub(crate) from: i64,
    /// Messages at most.
    pub(crate) count: usize,
    /// No more once there is so much content.
    pub(crate) bytes: usize,
}

impl Readers {
    pub(super) fn new(settings: Arc<Settings>, component: &str) -> Arc<Self> {
        let places = Semaphore::new(CLIENTS);
        Arc::new(Self { settings, component: component.to_owned(), idle: Mutex::default(), places })
    }

    /// What each partition of a topic holds. One that is not there has none, and is made where brokers do that.
    pub(super) async fn spans(self: &Arc<Self>, topic: &str) -> Result<Vec<Span>, StoreError> {
        let topic = topic.to_owned();
        self.with(move |client| spans(client, &topic)).await
    }

    /// The next messages of a partition, as far as they are there: none at its end.
    pub(super) async fn read(self: &Arc<Self>, topic: &str, piece: Piece) -> Result<Vec<Message>, StoreError> {
        let topic = topic.to_owned();
        self.with(move |client| {
            let mut messages = Vec::new();
            let mut bytes = 0;
            walk(client, &topic, piece.partition, piece.from, |message| {
                bytes += message.content.len();
                messages.push(message);
                messages.len() < piece.count && bytes < piece.bytes
            })?;
            Ok(messages)
        })
        .await
    }

    /// Every message of a partition from `from` on that `wanted` wants, `count` at most.
    pub(super) async fn search(
        self: &Arc<Self>,
        topic: &str,
        partition: usize,
        count: usize,
        wanted: impl Fn(&Message) -> bool + Send + 'static,
    ) -> Result<Vec<Message>, StoreError> {
        let topic = topic.to_owned();
        self.with(move |client| {
            let mut found = Vec::new();
            walk(client, &topic, partition, 0, |message| {
                if wanted(&message) {
                    found.push(message);
                }
                found.len() < count
            })?;
            Ok(found)
        })
        .await
    }

    /// Lends a client.
    async fn with<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Consumer) -> KafkaResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _place = self.places.acquire().await.map_err(|_| StoreError::unavailable("it is closed"))?;
        let readers = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let idle = readers.idle().pop().map(|(client, _)| client);
            let client = match idle {
                Some(client) => client,
                None => readers.client()?,
            };
            let result = work(&client)?;
            // After an error a new one begins without what went wrong.
            readers.idle().push((client, Instant::now()));
            Ok(result)
        });
        let readers = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(IDLE + Duration::from_secs(1)).await;
            let unused = |(_, since): &mut (Consumer, Instant)| since.elapsed() >= IDLE;
            let old: Vec<_> = readers.idle().extract_if(.., unused).collect();
            // Closing one may take a moment.
            let _ = tokio::task::spawn_blocking(move || drop(old)).await;
        });
        match done.await {
            Ok(result) => result.map_err(|error: KafkaError| StoreError::Unavailable { source: Arc::new(error) }),
            Err(_) => Err(StoreError::unavailable("it is closed")),
        }
    }

    fn client(&self) -> KafkaResult<Consumer> {
        let mut config = self.settings.consumer(&self.component, GROUP);
        config.set("enable.partition.eof", "true");
        Consumer::from_config_and_context(&config, Client { component: self.component.clone() })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Consumer, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Readers").finish_non_exhaustive()
    }
}

fn spans(client: &Consumer, topic: &str) -> KafkaResult<Vec<Span>> {
    let metadata = client.fetch_metadata(Some(topic), LIMIT)?;
    let count = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
    let span = |number: usize| {
        let number = i32::try_from(number).expect("Kafka counts partitions in an i32");
        let (oldest, end) = client.fetch_watermarks(topic, number, LIMIT)?;
        Ok(Span { oldest, end })
    };
    (0..count).map(span).collect()
}

/// Hands out the messages of a partition in order, from `from` on, until its end or until `take` has enough.
fn walk(
    client: &Consumer,
    topic: &str,
    partition: usize,
    from: i64,
    mut take: impl FnMut(Message) -> bool,
) -> KafkaResult<()> {
    let mut assignment = TopicPartitionList::new();
    let number = i32::try_from(partition).expect("Kafka counts partitions in an i32");
    assignment.add_partition_offset(topic, number, Offset::Offset(from))?;
    client.assign(&assignment)?;
    loop {
        match client.poll(LIMIT) {
            Some(Ok(record)) if record.partition() == number && record.topic() == topic => {
                if !take(record::message(&record)) {
                    break;
                }
            }
            Some(Ok(_)) => {}
            Some(Err(KafkaError::PartitionEOF(ended))) if ended == number => break,
            Some(Err(KafkaError::PartitionEOF(_))) => {}
            Some(Err(error)) => return Err(error),
            None => return Err(KafkaError::Canceled),
        }
    }
    client.unassign()
}
