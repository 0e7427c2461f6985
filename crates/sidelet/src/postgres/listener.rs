//! Hears what replicas tell each other, over one connection that nothing depends on.
//!
//! Whoever is told of its end again learns what it missed by looking. A connection that ends after a quiet time ended
//! since the database went to sleep, and is made again with the next question of this replica; one that ends
//! while questions are asked is made again at once.

use std::{
    future::{Future, poll_fn},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_postgres::{AsyncMessage, Client};
use tokio_util::sync::CancellationToken;

use super::{Database, error};
use crate::store::StoreError;

/// After how long without a question a connection's end is taken for sleep: databases that sleep do so after five minutes.
const QUIET: Duration = Duration::from_secs(120);
/// The first and the longest wait before another try.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// What comes over a connection.
type Words = mpsc::UnboundedReceiver<String>;

/// What is told.
pub(crate) trait Hearer: Send + Sync + 'static {
    /// From now on every word comes; what was told before was perhaps not heard.
    fn begin(&self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Somebody told something.
    fn hear(&self, word: &str);
}

/// Listens until it is told to stop.
pub(crate) fn listen(database: Arc<Database>, hearer: impl Hearer, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
        // None: it is the end.
        let _ = stop.run_until_cancelled(run(&database, &hearer)).await;
    })
}

async fn run(database: &Database, hearer: &impl Hearer) {
    let mut failures = 0;
    loop {
        match begin(database, hearer).await {
            Ok((client, words)) => {
                failures = 0;
                attend(hearer, words).await;
                drop(client);
            }
            Err(error) => {
                tracing::debug!(%error, "what other replicas tell, and told before, cannot be learnt now");
                failures += 1;
            }
        }
        if failures == 0 && database.asked().borrow().elapsed() > QUIET {
            // An error: the database is closed.
            let _ = database.asked().changed().await;
        }
        sleep(WAITS.0.saturating_mul(1 << failures.min(10)).min(WAITS.1)).await;
    }
}

/// Begins to hear, and lets what was missed be looked up: only then all is known.
async fn begin(database: &Database, hearer: &impl Hearer) -> Result<(Client, Words), StoreError> {
    let heard = connect(database).await?;
    hearer.begin().await?;
    tracing::debug!(database = database.place(), "other replicas are heard");
    Ok(heard)
}

/// Hears until the connection ends.
async fn attend(hearer: &impl Hearer, mut words: Words) {
    while let Some(word) = words.recv().await {
        hearer.hear(&word);
    }
}

async fn connect(database: &Database) -> Result<(Client, Words), StoreError> {
    database.prepare().await?;
    let opened = timeout(database.settings.timeout, database.direct.open_raw()).await;
    let (client, mut connection) = opened.map_err(|_| super::pool::silent())??;
    let (sender, words) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(told) = message
                && sender.send(told.payload().to_owned()).is_err()
            {
                return;
            }
        }
    });
    database.queries.read.inc();
    let statement = format!("LISTEN \"{}\"", database.settings.names.channel());
    let listening = timeout(database.settings.timeout, client.batch_execute(&statement)).await;
    listening.map_err(|_| super::pool::silent())?.map_err(error::meaning)?;
    Ok((client, words))
}

impl Database {
    /// When the last question was answered.
    fn asked(&self) -> tokio::sync::watch::Receiver<Instant> {
        self.asked.subscribe()
    }
}
