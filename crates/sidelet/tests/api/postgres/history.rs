//! Writers that never give up, and what has to hold of all that they wrote.
//!
//! Each writer counts under a key of its own: it reads the number with its entity tag, and writes the next one with an
//! event and a second document. So every number is written once whatever becomes of the answers, and what was stored,
//! what was acknowledged and what was published can be held against each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;

use crate::harness::{Answer, Api, App, DEADLINE};

/// Writers at once.
const WRITERS: usize = 16;

/// Writers at work.
pub(crate) struct History {
    /// The replicas; a writer goes on to the next one when one does not answer.
    apis: Mutex<Vec<Api>>,
    acknowledged: AtomicUsize,
    /// Answers that told to come again, and calls without any.
    refused: AtomicUsize,
    /// The longest wait for an answer that was no success.
    longest: Mutex<Duration>,
    stop: AtomicBool,
}

/// Ended writers.
pub(crate) struct Written {
    /// The last number of each key that was acknowledged.
    last: BTreeMap<String, i64>,
    pub(crate) acknowledged: usize,
    pub(crate) refused: usize,
    pub(crate) longest: Duration,
}

pub(crate) struct Writers {
    pub(crate) history: Arc<History>,
    tasks: Vec<tokio::task::JoinHandle<(String, i64)>>,
}

impl Writers {
    pub(crate) fn start(apis: Vec<Api>) -> Self {
        let history = Arc::new(History {
            apis: Mutex::new(apis),
            acknowledged: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            longest: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let tasks = (0..WRITERS).map(|number| tokio::spawn(history.clone().write(format!("w{number}"), number)));
        Self { tasks: tasks.collect(), history }
    }

    /// A replica was started again elsewhere.
    pub(crate) fn replace(&self, index: usize, api: Api) {
        self.history.apis.lock().unwrap()[index] = api;
    }

    pub(crate) fn count(&self) -> usize {
        self.history.acknowledged.load(Ordering::SeqCst)
    }

    /// Waits until so many writes are acknowledged.
    pub(crate) async fn reach(&self, count: usize) {
        let start = Instant::now();
        while self.count() < count {
            assert!(start.elapsed() < Duration::from_secs(300), "{} of {count} writes", self.count());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// How long it takes from now until every writer has most likely written again.
    pub(crate) async fn recovery(&self) -> Duration {
        let (start, before) = (Instant::now(), self.count());
        self.reach(before + 2 * WRITERS).await;
        start.elapsed()
    }

    pub(crate) async fn end(self) -> Written {
        self.history.stop.store(true, Ordering::SeqCst);
        let mut last = BTreeMap::new();
        for task in self.tasks {
            let (key, number) = task.await.unwrap();
            last.insert(key, number);
        }
        Written {
            last,
            acknowledged: self.history.acknowledged.load(Ordering::SeqCst),
            refused: self.history.refused.load(Ordering::SeqCst),
            longest: *self.history.longest.lock().unwrap(),
        }
    }
}

impl History {
    /// Gives the last number that was acknowledged.
    async fn write(self: Arc<Self>, key: String, mut replica: usize) -> (String, i64) {
        let mut last = 0;
        while !self.stop.load(Ordering::SeqCst) {
            let api = {
                let apis = self.apis.lock().unwrap();
                apis[replica % apis.len()].clone()
            };
            match self.step(&api, &key).await {
                Some(number) => {
                    assert!(number > last, "{key}: {number} was written after {last}");
                    last = number;
                    self.acknowledged.fetch_add(1, Ordering::SeqCst);
                }
                None => {
                    replica += 1;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
        (key, last)
    }

    /// Writes the next number, and gives it if that was acknowledged.
    async fn step(&self, api: &Api, key: &str) -> Option<i64> {
        let read = self.call(api.client.get(format!("{}/v1.0/state/statestore/{key}", api.address))).await?;
        let number = if read.status == 200 { read.body.parse::<i64>().unwrap() } else { 0 } + 1;
        let mut head = json!({"key": key, "value": number, "metadata": {"outbox.skip": "true"}});
        match read.header("etag") {
            etag if etag.is_empty() => head["options"] = json!({"concurrency": "first-write"}),
            etag => head["etag"] = json!(etag),
        }
        let upsert = |request: serde_json::Value| json!({"operation": "upsert", "request": request});
        let body = json!({"operations": [
            upsert(json!({"key": format!("{key}-copy"), "value": number, "metadata": {"outbox.skip": "true"}})),
            upsert(head),
            upsert(json!({
                "key": format!("{key}-event"),
                "value": {"key": key, "number": number},
                "metadata": {"outbox.projection": "true", "partitionKey": key},
            })),
        ]});
        let request = api.client.post(format!("{}/v1.0/state/statestore/transaction", api.address));
        self.call(request.body(body.to_string())).await.map(|_| number)
    }

    /// None: it is to be tried again.
    async fn call(&self, request: reqwest::RequestBuilder) -> Option<Answer> {
        let start = Instant::now();
        let answer = match request.send().await {
            Ok(response) => Some(Answer::read(response).await),
            Err(_) => None,
        };
        match answer {
            Some(answer) if (200..300).contains(&answer.status) => return Some(answer),
            // Another try of ours was carried out late.
            Some(answer) if answer.status == 409 => return None,
            Some(answer) => {
                assert_eq!(answer.status, 503, "{answer:?}");
                assert!(!answer.header("retry-after").is_empty());
            }
            None => {}
        }
        self.refused.fetch_add(1, Ordering::SeqCst);
        let mut longest = self.longest.lock().unwrap();
        *longest = (*longest).max(start.elapsed());
        None
    }
}

impl Written {
    /// Holds what is stored and what the apps heard against what was acknowledged. The apps are those of logs of their
    /// own: each hears in order, and together they hear everything.
    pub(crate) async fn check(&self, api: &Api, apps: &[&App]) {
        let mut stored = BTreeMap::new();
        for (key, last) in &self.last {
            let read = async |key: &str| -> i64 {
                api.get(&format!("/v1.0/state/statestore/{key}")).await.body.parse().unwrap()
            };
            let number = read(key).await;
            assert!(number >= *last, "{key}: {last} was acknowledged, {number} is stored");
            assert_eq!(read(&format!("{key}-copy")).await, number, "{key} was half done");
            stored.insert(key.clone(), number);
        }
        let heard = || {
            let mut heard: BTreeMap<String, Vec<Vec<i64>>> = BTreeMap::new();
            for (index, app) in apps.iter().enumerate() {
                for event in app.delivered() {
                    let (key, number) =
                        (event.data()["key"].as_str().unwrap(), event.data()["number"].as_i64().unwrap());
                    let of_key = heard.entry(key.to_owned()).or_insert_with(|| vec![Vec::new(); apps.len()]);
                    of_key[index].push(number);
                }
            }
            heard
        };
        // Events may be behind by thousands: they have to go on, and to come to their end.
        let (mut count, mut since) = (0, Instant::now());
        loop {
            let heard = heard();
            let missing: Vec<_> = stored.iter().filter_map(|(key, number)| missing(heard.get(key), *number)).collect();
            if missing.is_empty() {
                break;
            }
            let now = heard.values().flatten().map(Vec::len).sum::<usize>();
            if now > count {
                (count, since) = (now, Instant::now());
            }
            assert!(since.elapsed() < DEADLINE, "{count} events came, and then none; missing: {missing:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let mut repeats = 0;
        for (key, apps) in heard() {
            for numbers in apps {
                // What comes for the first time comes in order.
                let mut seen = BTreeSet::new();
                for number in numbers {
                    let highest = seen.last().copied().unwrap_or(0);
                    if !seen.insert(number) {
                        repeats += 1;
                    } else {
                        assert!(number > highest, "{key}: {number} came after {highest}");
                    }
                }
            }
            assert!(stored.contains_key(&key), "{key} was never written");
        }
        println!(
            "{} writes acknowledged, {} refused or unanswered, the longest wait for that {:.2?}; {repeats} events repeated",
            self.acknowledged, self.refused, self.longest
        );
    }
}

/// The first number up to `last` that no app heard of.
fn missing(heard: Option<&Vec<Vec<i64>>>, last: i64) -> Option<i64> {
    let numbers: BTreeSet<_> = heard.into_iter().flatten().flatten().copied().collect();
    (1..=last).find(|number| !numbers.contains(number))
}
