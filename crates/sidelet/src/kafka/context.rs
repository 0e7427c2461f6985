//! What librdkafka tells.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use rdkafka::{
    ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol},
    error::{KafkaError, KafkaResult},
    types::RDKafkaRespErr,
};
use tokio::sync::mpsc::UnboundedSender;

/// A client's words go into our log.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// The component.
    pub(super) component: String,
}

impl ClientContext for Client {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        let component = &self.component;
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                tracing::warn!(component, facility, message, "the Kafka client is in trouble");
            }
            RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice => {
                tracing::info!(component, facility, message, "the Kafka client has a note");
            }
            RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(component, facility, message, "the Kafka client says");
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // Each is followed by others until the broker is back.
        tracing::info!(component = %self.component, %error, reason, "the Kafka client has no connection or another trouble");
    }
}

impl ConsumerContext for Client {}

/// Something that a group's consumer is told.
#[derive(Debug)]
pub(super) enum Notice {
    /// These partitions are to be taken.
    Assign(TopicPartitionList),
    /// These are to be given back, or, where `lost`, were given to others.
    Revoke { partitions: TopicPartitionList, lost: bool },
}

/// A group's consumer hands on what it is told, so that nothing waits inside a call of the client.
#[derive(Debug)]
pub(super) struct GroupContext {
    client: Client,
    notices: UnboundedSender<Notice>,
    /// Nobody listens any more: what is left is given back at once.
    closing: AtomicBool,
    /// What the client is in trouble with, to be logged once.
    trouble: Mutex<Option<String>>,
}

impl GroupContext {
    pub(super) fn new(client: Client, notices: UnboundedSender<Notice>) -> Self {
        Self { client, notices, closing: AtomicBool::new(false), trouble: Mutex::default() }
    }

    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Whether this trouble is another one than before.
    pub(super) fn is_new(&self, trouble: Option<String>) -> bool {
        let mut known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let new = trouble.is_some() && *known != trouble;
        *known = trouble;
        new
    }
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.client.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.client.error(error, reason);
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, kind: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let assigns = kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let lost = consumer.assignment_lost();
        let notice = if assigns {
            Notice::Assign(partitions.clone())
        } else {
            Notice::Revoke { partitions: partitions.clone(), lost }
        };
        if self.closing.load(Ordering::Acquire) || self.notices.send(notice).is_err() {
            let done = if assigns { take(consumer, partitions) } else { give_back(consumer, partitions) };
            if let Err(error) = done {
                tracing::debug!(%error, "a rebalance at the end of a group");
            }
        }
    }
}

/// Begins to read `partitions` at their offsets.
pub(super) fn take<C: ConsumerContext>(
    consumer: &impl Consumer<C>,
    partitions: &TopicPartitionList,
) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_assign(partitions),
        _ => consumer.assign(partitions),
    }
}

/// Reads `partitions` no more, so that others may.
pub(super) fn give_back<C: ConsumerContext>(
    consumer: &impl Consumer<C>,
    partitions: &TopicPartitionList,
) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(partitions),
        _ => consumer.unassign(),
    }
}
