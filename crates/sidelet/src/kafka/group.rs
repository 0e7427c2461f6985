//! A consumer group's member: brings the messages of the partitions that are its own, and remembers how far they are.

mod position;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::Arc,
    time::Duration,
};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    config::FromClientConfigAndContext,
    consumer::{CommitMode, Consumer as _, StreamConsumer},
    error::{KafkaError, KafkaResult},
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{Instant, sleep_until, timeout},
};

use super::{
    Cluster,
    context::{GroupContext, Notice, give_back, take},
    progress, record,
};
use crate::{
    log::{Message, Progress},
    store::StoreError,
};

use position::Begins;

/// How long what is finished waits to be committed, so that many are committed at once.
const COMMIT: Duration = Duration::from_millis(100);
/// The wait after a commit that failed.
const COMMIT_AGAIN: Duration = Duration::from_millis(500);
/// How long the last commit may take.
const LAST_COMMIT: Duration = Duration::from_secs(5);
/// Messages handed on at once, and their content.
const MESSAGES: usize = 256;
const BYTES: usize = 1 << 20;

/// The consumer of one group.
pub(super) type Consumer = StreamConsumer<GroupContext>;

/// What has come.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// A partition is the group's from now on, or its log began anew.
    Assigned { partition: usize, progress: Progress },
    /// Partitions are to be given back with [`Member::release`], or, where `lost`, are another's already.
    Revoked { partitions: Vec<usize>, lost: bool },
    /// The next messages of a partition.
    Read { partition: usize, messages: Vec<Message> },
}

/// What was done beside.
enum Done {
    /// Where newly assigned partitions begin.
    Began { partitions: TopicPartitionList, begins: KafkaResult<Vec<Begins>> },
    /// A commit ended.
    Committed(KafkaResult<()>),
    /// Released partitions may be given back.
    Released(TopicPartitionList),
}

/// A partition that is read.
#[derive(Debug)]
struct Assigned {
    /// The offset of the next message. One below it is of a log that began anew.
    next: i64,
    paused: bool,
}

/// A member of a group.
pub(crate) struct Member {
    // First, so that a consumer that is dropped knows that nobody listens.
    notices: UnboundedReceiver<Notice>,
    cluster: Arc<Cluster>,
    topic: String,
    consumer: Arc<Consumer>,
    work: FuturesUnordered<BoxFuture<'static, Done>>,
    assigned: BTreeMap<usize, Assigned>,
    arrived: VecDeque<Arrival>,
    /// Partitions that the group was told to release.
    releasing: Option<TopicPartitionList>,
    /// What is to be committed.
    noted: BTreeMap<usize, Progress>,
    commit_at: Option<Instant>,
    /// What is being committed.
    committing: BTreeMap<usize, Progress>,
}

impl Member {
    /// Joins the group. Nothing is asked of a broker here: one that is away is waited for.
    pub(crate) fn join(cluster: &Arc<Cluster>, group: &str, topic: &str) -> Result<Self, StoreError> {
        let failed = |error: KafkaError| StoreError::Failed { source: Arc::new(error) };
        let (sender, notices) = unbounded_channel();
        let config = cluster.settings.consumer(&cluster.component, group);
        let context = GroupContext::new(cluster.context(), sender);
        let consumer = Arc::new(Consumer::from_config_and_context(&config, context).map_err(failed)?);
        consumer.subscribe(&[topic]).map_err(failed)?;
        cluster.joined(group, topic, &consumer);
        Ok(Self {
            cluster: cluster.clone(),
            topic: topic.to_owned(),
            consumer,
            notices,
            work: FuturesUnordered::new(),
            assigned: BTreeMap::new(),
            arrived: VecDeque::new(),
            releasing: None,
            noted: BTreeMap::new(),
            commit_at: None,
            committing: BTreeMap::new(),
        })
    }

    /// What has come. Nothing is lost when this is not waited for to the end.
    pub(crate) async fn next(&mut self) -> Arrival {
        loop {
            if let Some(arrival) = self.arrived.pop_front() {
                return arrival;
            }
            let (consumer, due) = (self.consumer.clone(), self.commit_at);
            tokio::select! {
                biased;
                Some(notice) = self.notices.recv() => self.take_notice(notice),
                Some(done) = self.work.next(), if !self.work.is_empty() => self.finish(done),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.commit(),
                record = consumer.recv() => {
                    let (mut messages, mut bytes) = (Vec::new(), 0);
                    let mut next = Some(record);
                    // What the client holds already is taken along.
                    while let Some(record) = next {
                        match record {
                            Ok(record) => {
                                bytes += record.payload_len();
                                messages.push((record.partition(), record::message(&record)));
                            }
                            Err(error) => self.tell(&error),
                        }
                        let more = messages.len() < MESSAGES && bytes < BYTES;
                        next = if more { consumer.recv().now_or_never() } else { None };
                    }
                    messages.into_iter().for_each(|(partition, message)| self.arrive(partition, message));
                }
            }
        }
    }

    fn arrive(&mut self, partition: i32, message: Message) {
        let partition = usize::try_from(partition).expect("a message has a partition");
        // What came before its partition was given back is no longer ours.
        let Some(assigned) = self.assigned.get_mut(&partition) else { return };
        let before = std::mem::replace(&mut assigned.next, message.offset + 1);
        if message.offset < before {
            tracing::warn!(topic = %self.topic, partition, offset = message.offset, expected = before, "a partition's log began anew");
            let progress = Progress { next: message.offset, unfinished: Vec::new() };
            self.arrived.push_back(Arrival::Assigned { partition, progress });
        }
        match self.arrived.back_mut() {
            Some(Arrival::Read { partition: last, messages }) if *last == partition => messages.push(message),
            _ => self.arrived.push_back(Arrival::Read { partition, messages: vec![message] }),
        }
    }

    fn take_notice(&mut self, notice: Notice) {
        match notice {
            Notice::Assign(partitions) => self.find_beginning(partitions, Duration::ZERO),
            Notice::Revoke { partitions, lost } => {
                let numbers = numbers(&partitions);
                let ours: Vec<usize> =
                    numbers.iter().copied().filter(|number| self.assigned.contains_key(number)).collect();
                self.assigned.retain(|number, _| !numbers.contains(number));
                if lost {
                    self.noted.retain(|number, _| !numbers.contains(number));
                }
                if lost || ours.is_empty() {
                    self.work.push(Box::pin(async move { Done::Released(partitions) }));
                } else {
                    self.releasing = Some(partitions);
                }
                if !ours.is_empty() {
                    self.arrived.push_back(Arrival::Revoked { partitions: ours, lost });
                }
            }
        }
    }

    fn find_beginning(&mut self, partitions: TopicPartitionList, wait: Duration) {
        let (consumer, start) = (self.consumer.clone(), self.cluster.settings.start);
        self.work.push(Box::pin(async move {
            tokio::time::sleep(wait).await;
            let asked = partitions.clone();
            let found = tokio::task::spawn_blocking(move || position::find(&consumer, &asked, start)).await;
            let begins = found.unwrap_or(Err(KafkaError::Canceled));
            Done::Began { partitions, begins }
        }));
    }

    fn finish(&mut self, done: Done) {
        match done {
            Done::Began { partitions, begins: Ok(begins) } => {
                let mut offsets = partitions;
                for Begins { partition, progress, .. } in &begins {
                    let number = i32::try_from(*partition).expect("Kafka counts partitions in an i32");
                    // Partitions come from the list itself.
                    let _ = offsets.set_partition_offset(&self.topic, number, Offset::Offset(progress.lowest()));
                }
                if let Err(error) = take(&*self.consumer, &offsets) {
                    // They were given to others meanwhile.
                    tracing::info!(topic = %self.topic, %error, "assigned partitions could not be taken");
                    return;
                }
                // The client remembers that a partition was paused when it was taken away.
                if let Err(error) = self.consumer.resume(&offsets) {
                    tracing::info!(topic = %self.topic, %error, "assigned partitions could not be resumed");
                }
                for Begins { partition, progress, new } in begins {
                    self.assigned.insert(partition, Assigned { next: progress.lowest(), paused: false });
                    if new {
                        // Whoever looks at how far a group is behind needs an offset.
                        self.note(partition, progress.clone());
                        self.commit_at = Some(Instant::now());
                    }
                    self.arrived.push_back(Arrival::Assigned { partition, progress });
                }
                tracing::info!(topic = %self.topic, partitions = ?self.assigned.keys(), "a group has partitions");
            }
            Done::Began { partitions, begins: Err(error) } => {
                tracing::info!(topic = %self.topic, %error, "where a group was could not be found out; it is tried again");
                self.find_beginning(partitions, COMMIT_AGAIN);
            }
            Done::Committed(result) => self.committed(result),
            Done::Released(partitions) => {
                if let Err(error) = give_back(&*self.consumer, &partitions) {
                    tracing::info!(topic = %self.topic, %error, "partitions could not be given back");
                }
            }
        }
    }

    /// Reads on in a partition, or not for now.
    pub(crate) fn read(&mut self, partition: usize, wanted: bool) {
        let Some(assigned) = self.assigned.get_mut(&partition) else { return };
        if assigned.paused != wanted {
            return;
        }
        let one = list(&self.topic, [partition]);
        let done = if wanted { self.consumer.resume(&one) } else { self.consumer.pause(&one) };
        match done {
            Ok(()) => assigned.paused = !wanted,
            Err(error) => tracing::info!(topic = %self.topic, %error, "a partition could not be paused or resumed"),
        }
    }

    /// Remembers how far a partition has come, soon.
    pub(crate) fn note(&mut self, partition: usize, progress: Progress) {
        self.noted.insert(partition, progress);
        self.commit_at.get_or_insert_with(|| Instant::now() + COMMIT);
    }

    fn commit(&mut self) {
        // One at a time, so that an older one never ends later.
        if !self.committing.is_empty() {
            self.commit_at = Some(Instant::now() + COMMIT);
            return;
        }
        self.commit_at = None;
        let noted = std::mem::take(&mut self.noted);
        if noted.is_empty() {
            return;
        }
        let (consumer, offsets) = (self.consumer.clone(), offsets(&self.topic, &noted));
        self.committing = noted;
        self.work.push(Box::pin(async move {
            let commit = tokio::task::spawn_blocking(move || consumer.commit(&offsets, CommitMode::Sync));
            Done::Committed(commit.await.unwrap_or(Err(KafkaError::Canceled)))
        }));
    }

    fn committed(&mut self, result: KafkaResult<()>) {
        let tried = std::mem::take(&mut self.committing);
        let Err(error) = result else { return };
        tracing::debug!(topic = %self.topic, %error, "what was finished could not be committed; it is tried again");
        for (partition, progress) in tried {
            if self.assigned.contains_key(&partition) {
                self.noted.entry(partition).or_insert(progress);
            }
        }
        self.commit_at = (!self.noted.is_empty()).then(|| Instant::now() + COMMIT_AGAIN);
    }

    /// Gives the partitions back that were revoked, after what was noted of them is committed.
    pub(crate) fn release(&mut self) {
        let Some(partitions) = self.releasing.take() else { return };
        let numbers = numbers(&partitions);
        let mut last: BTreeMap<usize, Progress> = BTreeMap::new();
        for number in numbers {
            let found = self.noted.remove(&number).or_else(|| self.committing.get(&number).cloned());
            last.extend(found.map(|progress| (number, progress)));
        }
        let (consumer, offsets) = (self.consumer.clone(), offsets(&self.topic, &last));
        self.work.push(Box::pin(async move {
            last_commit(consumer, offsets).await;
            Done::Released(partitions)
        }));
    }

    /// Leaves the group, after what was noted is committed.
    pub(crate) async fn leave(self) {
        let Self { consumer, cluster, topic, mut noted, committing, mut notices, work, .. } = self;
        for (partition, progress) in committing {
            noted.entry(partition).or_insert(progress);
        }
        last_commit(consumer.clone(), offsets(&topic, &noted)).await;
        consumer.context().close();
        drop(work);
        let left = tokio::task::spawn_blocking(move || {
            // What nobody has answered would hold up the end.
            while let Ok(notice) = notices.try_recv() {
                let _ = match notice {
                    Notice::Assign(partitions) => take(&*consumer, &partitions),
                    Notice::Revoke { partitions, .. } => give_back(&*consumer, &partitions),
                };
            }
            cluster.left(&consumer);
            drop(consumer);
        });
        if left.await.is_err() {
            tracing::error!(topic, "a group's member ended badly");
        }
    }

    fn tell(&self, error: &KafkaError) {
        if self.consumer.context().is_new(Some(error.to_string())) {
            tracing::warn!(topic = %self.topic, %error, "a group cannot read; it goes on trying");
        }
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Member").field("topic", &self.topic).finish_non_exhaustive()
    }
}

/// Commits, and waits for it a bounded time.
async fn last_commit(consumer: Arc<Consumer>, offsets: TopicPartitionList) {
    if offsets.count() == 0 {
        return;
    }
    let commit = tokio::task::spawn_blocking(move || consumer.commit(&offsets, CommitMode::Sync));
    match timeout(LAST_COMMIT, commit).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => {
            tracing::warn!(%error, "what was finished last could not be committed; it comes again");
        }
        Ok(Err(_)) | Err(_) => tracing::warn!("what was finished last could not be committed in time; it comes again"),
    }
}

fn numbers(partitions: &TopicPartitionList) -> Vec<usize> {
    partitions.elements().iter().filter_map(|element| usize::try_from(element.partition()).ok()).collect()
}

fn list(topic: &str, partitions: impl IntoIterator<Item = usize>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(topic, i32::try_from(partition).expect("Kafka counts partitions in an i32"));
    }
    list
}

/// What is committed of `noted`.
pub(super) fn offsets(topic: &str, noted: &BTreeMap<usize, Progress>) -> TopicPartitionList {
    let mut all = TopicPartitionList::new();
    for (partition, progress) in noted {
        let (offset, metadata) = progress::encode(progress);
        let partition = i32::try_from(*partition).expect("Kafka counts partitions in an i32");
        let mut element = all.add_partition(topic, partition);
        // Refused for offsets below zero only.
        let _ = element.set_offset(Offset::Offset(offset));
        element.set_metadata(metadata);
    }
    all
}
