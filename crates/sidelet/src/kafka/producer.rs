//! Appends messages, in order per key, and answers when the brokers have them.
//!
//! The client tries for ever, so that no message overtakes another of its key whatever fails. Who appends waits a bounded
//! time: after that a message may still arrive, as whenever an answer is lost. While such messages wait, nothing else is
//! taken, so that whoever tries again does not fill the client with copies.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, stream::FuturesOrdered};
use rdkafka::{
    config::FromClientConfigAndContext,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{DeliveryFuture, FutureProducer, Producer as _},
};
use tokio::time::timeout;

use super::{context::Client, record, settings::Settings};
use crate::{log::NewMessage, store::StoreError};

/// How long an append waits.
const LIMIT: Duration = Duration::from_secs(5);
/// How long messages that nobody waits for any more may take before others are refused.
const GRACE: Duration = Duration::from_secs(1);
/// How long what is on its way is waited for at the end.
const FLUSH: Duration = Duration::from_secs(3);

type Handle = FutureProducer<Client>;

/// One component's producer, made with the first message.
pub(super) struct Producer {
    settings: Arc<Settings>,
    component: String,
    client: Mutex<Option<Handle>>,
    /// Messages wait that nobody waits for any more.
    away: Arc<AtomicBool>,
}

impl Producer {
    pub(super) fn new(settings: Arc<Settings>, component: &str) -> Self {
        Self { settings, component: component.to_owned(), client: Mutex::default(), away: Arc::default() }
    }

    /// Appends messages, and answers when all are acknowledged. After an error some may have been appended, or may be yet.
    pub(super) async fn append(&self, messages: &[NewMessage]) -> Result<(), StoreError> {
        let (mut sent, refused) = self.send(messages)?;
        let all = async {
            let mut failed = Ok(());
            while let Some(done) = sent.next().await {
                failed = failed.and(done);
            }
            failed
        };
        match timeout(LIMIT, all).await {
            Ok(failed) => failed.and(refused),
            Err(_) => Err(StoreError::unavailable("Kafka does not answer")),
        }
    }

    /// Appends messages, however long it takes, and says of each what became of it. Those behind the last that is told of
    /// were not sent.
    pub(super) async fn append_each(&self, messages: &[NewMessage]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let (mut sent, refused) = self.send(messages)?;
        let mut each = Vec::with_capacity(messages.len());
        while let Some(done) = sent.next().await {
            each.push(done);
        }
        each.extend(refused.err().map(Err));
        Ok(each)
    }

    /// Hands messages to the client, up to the first that it refuses.
    fn send(&self, messages: &[NewMessage]) -> Result<(Sent, Result<(), StoreError>), StoreError> {
        if self.away.load(Ordering::Acquire) {
            return Err(StoreError::unavailable("Kafka has not taken earlier messages yet"));
        }
        let client = self.client()?;
        let mut deliveries = FuturesOrdered::new();
        let mut refused = Ok(());
        for message in messages {
            match client.send_result(record::record(message)) {
                Ok(delivery) => deliveries.push_back(delivery),
                Err((error, _)) => {
                    refused = Err(meaning(&error));
                    break;
                }
            }
        }
        let (component, away) = (self.component.clone(), self.away.clone());
        Ok((Sent { client, component, away, deliveries }, refused))
    }

    /// The client, anew after an error that it cannot go on from.
    fn client(&self) -> Result<Handle, StoreError> {
        let mut client = self.handle();
        if let Some(handle) = client.as_ref()
            && handle.client().fatal_error().is_none()
        {
            return Ok(handle.clone());
        }
        let config = self.settings.producer(&self.component);
        let context = Client { component: self.component.clone() };
        let handle = Handle::from_config_and_context(&config, context)
            .map_err(|error| StoreError::Failed { source: Arc::new(error) })?;
        if client.replace(handle.clone()).is_some() {
            tracing::warn!(component = %self.component, "the producer began anew after an error");
        }
        Ok(handle)
    }

    /// Waits a little for what is on its way.
    pub(super) async fn close(&self) {
        let Some(handle) = self.handle().take() else { return };
        if handle.in_flight_count() > 0 {
            let flushed = tokio::task::spawn_blocking(move || handle.flush(FLUSH)).await;
            if !matches!(flushed, Ok(Ok(()))) {
                tracing::warn!(component = %self.component, "messages that nobody waits for were not delivered");
            }
        }
    }

    fn handle(&self) -> MutexGuard<'_, Option<Handle>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Messages on their way. Where nobody waits for them any more, somebody still looks whether they arrive.
struct Sent {
    client: Handle,
    component: String,
    away: Arc<AtomicBool>,
    deliveries: FuturesOrdered<DeliveryFuture>,
}

impl Sent {
    /// What became of the next one.
    async fn next(&mut self) -> Option<Result<(), StoreError>> {
        Some(match self.deliveries.next().await? {
            Ok(Ok(_)) => Ok(()),
            Ok(Err((error, _))) => Err(meaning(&error)),
            Err(_) => Err(StoreError::unavailable("the client has ended")),
        })
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if self.deliveries.is_empty() {
            return;
        }
        let (client, component, away) = (self.client.clone(), self.component.clone(), self.away.clone());
        let deliveries = std::mem::take(&mut self.deliveries);
        // Without a runtime the process is at its end.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(outlast(client, component, away, deliveries));
        }
    }
}

/// Takes nothing, if the first of these is long in coming, until it has arrived or all have failed.
async fn outlast(
    client: Handle,
    component: String,
    away: Arc<AtomicBool>,
    mut deliveries: FuturesOrdered<DeliveryFuture>,
) {
    let first = async {
        while let Some(delivery) = deliveries.next().await {
            if matches!(delivery, Ok(Ok(_))) {
                break;
            }
        }
    };
    tokio::pin!(first);
    if timeout(GRACE, &mut first).await.is_err() {
        if !away.swap(true, Ordering::AcqRel) {
            tracing::warn!(component, "Kafka does not take messages; it is tried until it does");
        }
        first.await;
        if away.swap(false, Ordering::AcqRel) {
            tracing::info!(component, "Kafka takes messages again");
        }
    }
    // The rest is delivered, or fails, without anyone who waits.
    drop(client);
}

impl fmt::Debug for Producer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Producer").field("component", &self.component).finish_non_exhaustive()
    }
}

/// Whether another try can help.
fn meaning(error: &KafkaError) -> StoreError {
    use RDKafkaErrorCode as Code;
    let source = Arc::new(error.clone());
    match error.rdkafka_error_code() {
        Some(Code::MessageSizeTooLarge | Code::InvalidTopic | Code::InvalidRecord) => StoreError::Rejected { source },
        Some(Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::TopicAuthorizationFailed) => {
            StoreError::Failed { source }
        }
        _ => StoreError::Unavailable { source },
    }
}
