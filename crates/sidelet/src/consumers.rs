//! Which consumer groups there are: those of the documents, and those that apps ask for.
//!
//! Both may change while the sidecar runs. A group whose subscription stays goes on under its new terms; one whose
//! subscription goes ends after what is on its way; a new one begins. So no delivery is lost or repeated by a change.

mod ask;
mod plan;
mod reload;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use tokio::{
    sync::{Mutex, watch},
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::AppAddress,
    delivery::{Caller, Group, Status, Terms},
    log::Topic,
    pubsub::PubSub,
    resiliency::{Guards, Resiliency},
    resources::Subscription,
    store::StoreError,
};

use plan::Wanted;

pub(crate) use reload::{reload, watch as watch_files};

/// All groups of a sidecar.
#[derive(Debug)]
pub(crate) struct Consumers {
    apps: BTreeMap<String, AppAddress>,
    pubsubs: Arc<BTreeMap<String, Arc<PubSub>>>,
    caller: Caller,
    /// What the resiliency documents say of all but deliveries.
    guards: Arc<Guards>,
    stop: CancellationToken,
    /// Ends the questions to apps that have not answered yet.
    asking: std::sync::Mutex<CancellationToken>,
    inside: Mutex<Inside>,
    listed: watch::Sender<Vec<Listed>>,
}

/// What a change works on; one change at a time.
#[derive(Debug, Default)]
struct Inside {
    declared: Vec<Subscription>,
    /// What each app asked for.
    asked: BTreeMap<String, Vec<Subscription>>,
    resiliency: Resiliency,
    running: HashMap<Key, Running>,
    /// Groups that end after what is on its way.
    ending: HashMap<Key, JoinHandle<()>>,
}

/// A group, and the topic that it reads: with another topic it is another group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    name: Arc<str>,
    pubsub: String,
    topic: String,
}

#[derive(Debug)]
struct Running {
    stop: CancellationToken,
    terms: watch::Sender<Arc<Terms>>,
    status: Arc<Status>,
    task: JoinHandle<()>,
}

/// A group as others may see it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    /// The group's name.
    pub(crate) name: Arc<str>,
    /// Whose it is.
    pub(crate) app: String,
    /// What it was made for.
    pub(crate) subscription: Subscription,
    /// How it is doing.
    pub(crate) status: Arc<Status>,
}

/// Why a change was not made. Everything is as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// A component that was not there at the start.
    #[error(
        "subscription `{subscription}` names the pub/sub component `{pubsub}`, which is not running; start again to add components"
    )]
    NotRunning {
        /// The subscription.
        subscription: String,
        /// What it names.
        pubsub: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why one of these topics can never be, if so.
async fn refused(pubsub: &PubSub, topics: impl Iterator<Item = &String>) -> Option<StoreError> {
    for topic in topics {
        if let Err(error @ StoreError::Rejected { .. }) = pubsub.topic(topic).await {
            return Some(error);
        }
    }
    None
}

impl Consumers {
    pub(crate) fn new(
        apps: BTreeMap<String, AppAddress>,
        pubsubs: Arc<BTreeMap<String, Arc<PubSub>>>,
        caller: Caller,
        guards: Arc<Guards>,
    ) -> Arc<Self> {
        Arc::new(Self {
            apps,
            pubsubs,
            caller,
            guards,
            stop: CancellationToken::new(),
            asking: std::sync::Mutex::default(),
            inside: Mutex::default(),
            listed: watch::Sender::default(),
        })
    }

    /// Goes on with what the documents say now.
    pub(crate) async fn declare(
        &self,
        subscriptions: Vec<Subscription>,
        resiliency: Resiliency,
    ) -> Result<(), ChangeError> {
        let mut inside = self.inside.lock().await;
        let before = (
            std::mem::replace(&mut inside.declared, subscriptions),
            std::mem::replace(&mut inside.resiliency, resiliency),
        );
        let result = self.apply(&mut inside).await;
        if result.is_err() {
            (inside.declared, inside.resiliency) = before;
        } else {
            self.guards.declare(&inside.resiliency);
        }
        result
    }

    /// Goes on with what an app asks for now.
    async fn set_asked(&self, app: &str, subscriptions: Vec<Subscription>) -> Result<(), ChangeError> {
        let mut inside = self.inside.lock().await;
        let before = inside.asked.insert(app.to_owned(), subscriptions);
        let result = self.apply(&mut inside).await;
        if result.is_err() {
            inside.asked.insert(app.to_owned(), before.unwrap_or_default());
        }
        result
    }

    /// Makes the groups be what is wanted. What can fail comes before what changes anything.
    async fn apply(&self, inside: &mut Inside) -> Result<(), ChangeError> {
        if self.stop.is_cancelled() {
            return Ok(());
        }
        let group = |app: &str, subscription: &Subscription| match self.pubsubs.get(&subscription.pubsub) {
            Some(pubsub) => pubsub.group(app, &subscription.name),
            None => subscription.name.as_str().into(),
        };
        let wanted = plan::wanted(&inside.declared, &inside.asked, group);
        let mut known = HashSet::new();
        let mut kept = Vec::new();
        let mut opened = Vec::new();
        for Wanted { name, app, subscription } in &wanted {
            let pubsub = self.pubsubs.get(&subscription.pubsub).ok_or_else(|| ChangeError::NotRunning {
                subscription: subscription.name.clone(),
                pubsub: subscription.pubsub.clone(),
            })?;
            let key = Key { name: name.clone(), pubsub: pubsub.name.clone(), topic: subscription.topic.clone() };
            if !known.insert(key.clone()) {
                tracing::error!(
                    group = %name, topic = %key.topic, subscription = %subscription.name, app,
                    "a subscription is refused: another has the same consumer group and topic, and they would share its messages; name groups with `{{appID}}` and `{{subscription}}`"
                );
                continue;
            }
            let topics = [Some(&subscription.topic), subscription.dead_letter_topic.as_ref()];
            if let Some(error) = refused(pubsub, topics.into_iter().flatten()).await {
                tracing::error!(subscription = %subscription.name, app, %error, "a subscription is refused; the others are served");
                continue;
            }
            let letters = match &subscription.dead_letter_topic {
                Some(letters) => Some(pubsub.topic(letters).await?),
                None => None,
            };
            let policy = inside.resiliency.delivery(&pubsub.name);
            let terms = Arc::new(Terms::new(subscription, &self.apps[*app], letters, policy));
            if inside.running.contains_key(&key) {
                kept.push((key, terms));
                continue;
            }
            if let Some(ending) = inside.ending.remove(&key) {
                // Its successor must see how far it came.
                let _ = ending.await;
            }
            let topic = pubsub.topic(&subscription.topic).await?;
            opened.push((key, self.open(pubsub, topic, name.clone(), terms).await?));
        }
        let gone: Vec<_> = inside
            .running
            .extract_if(|key, _| !kept.iter().any(|(kept, _)| kept == key))
            .map(|(key, running)| {
                running.stop.cancel();
                (key, running.task)
            })
            .collect();
        inside.ending.retain(|_, task| !task.is_finished());
        inside.ending.extend(gone);
        for (key, terms) in kept {
            let running = &inside.running[&key];
            running.terms.send_if_modified(|current| {
                let differs = **current != *terms;
                if differs {
                    *current = terms;
                }
                differs
            });
        }
        for (key, (group, terms, status)) in opened {
            let stop = self.stop.child_token();
            let task = tokio::spawn(group.run(stop.clone()));
            inside.running.insert(key, Running { stop, terms, status, task });
        }
        self.list(inside, &wanted);
        Ok(())
    }

    async fn open(
        &self,
        pubsub: &Arc<PubSub>,
        topic: Arc<Topic>,
        name: Arc<str>,
        terms: Arc<Terms>,
    ) -> Result<(Group, watch::Sender<Arc<Terms>>, Arc<Status>), StoreError> {
        let (sender, receiver) = watch::channel(terms);
        let status = Arc::new(Status::default());
        let group = Group::open(name, pubsub.clone(), topic, self.caller.clone(), receiver, status.clone()).await?;
        Ok((group, sender, status))
    }

    fn list(&self, inside: &Inside, wanted: &[Wanted<'_>]) {
        let status = |wanted: &Wanted<'_>| {
            let key = Key {
                name: wanted.name.clone(),
                pubsub: wanted.subscription.pubsub.clone(),
                topic: wanted.subscription.topic.clone(),
            };
            inside.running.get(&key).map(|running| running.status.clone()).unwrap_or_default()
        };
        let listed = wanted.iter().map(|wanted| Listed {
            name: wanted.name.clone(),
            app: wanted.app.to_owned(),
            subscription: wanted.subscription.clone(),
            status: status(wanted),
        });
        self.listed.send_replace(listed.collect());
    }

    /// The groups of now.
    pub(crate) fn listed(&self) -> Vec<Listed> {
        self.listed.borrow().clone()
    }

    /// The groups of now, and every change of them.
    pub(crate) fn watch(&self) -> watch::Receiver<Vec<Listed>> {
        self.listed.subscribe()
    }

    /// Ends all groups after what is on its way. Says whether all of it ended in time.
    pub(crate) async fn shutdown(&self, deadline: Instant) -> bool {
        self.stop.cancel();
        let Ok(mut inside) = timeout_at(deadline, self.inside.lock()).await else { return false };
        let running: Vec<_> = inside.running.drain().map(|(_, running)| running.task).collect();
        let ending: Vec<_> = inside.ending.drain().map(|(_, task)| task).collect();
        let mut ended = true;
        for mut task in running.into_iter().chain(ending) {
            if timeout_at(deadline, &mut task).await.is_err() {
                task.abort();
                ended = false;
            }
        }
        ended
    }
}
