//! A sidecar in memory: state with entity tags and transactions, jobs, and what was published; and calls that fail.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use dapr::{Job, Operation, StateItem, Transaction, Transport};
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use todo_app::events::TASK_EVENTS;
use todo_app::settings::Events;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// It does not arrive.
    Before,
    /// It is done, and the answer is lost.
    After,
}

/// All that a sidecar holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct World {
    /// Each document with its entity tag.
    pub(crate) documents: BTreeMap<String, (Value, u64)>,
    /// Each job's time and data, by its name.
    pub(crate) jobs: BTreeMap<String, (String, Value)>,
    /// What came to the topic `task-events`, in its order: of transactions, or published.
    pub(crate) events: Vec<Value>,
    /// What was published, each id once: its topic, type and data.
    pub(crate) published: BTreeMap<String, (String, Value)>,
}

/// A handle of a sidecar; clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sidecar {
    /// How the application publishes: with [`Events::Publish`] this one has no outbox, and answers as daprd does.
    pub(crate) events: Events,
    /// Whether each call lets others go first.
    pub(crate) in_turns: bool,
    /// Whether nothing can be published.
    pub(crate) broker_is_away: Rc<Cell<bool>>,
    pub(crate) world: Rc<RefCell<World>>,
    /// What becomes of the next calls, the last first; of those behind, nothing.
    pub(crate) faults: Rc<RefCell<Vec<Fault>>>,
}

#[derive(Debug, thiserror::Error)]
#[error("the sidecar does not answer")]
pub(crate) struct Away;

impl Sidecar {
    /// Another sidecar that holds the same.
    pub(crate) fn copy(&self) -> Self {
        let world = Rc::new(RefCell::new(self.world.borrow().clone()));
        Self { events: self.events, in_turns: self.in_turns, world, ..Self::default() }
    }
}

impl Transport for Sidecar {
    type Error = Away;

    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Away> {
        if self.in_turns {
            // Ready at the second look.
            let mut waited = false;
            poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
        }
        let fault = self.faults.borrow_mut().pop().unwrap_or(Fault::None);
        if fault == Fault::Before {
            return Err(Away);
        }
        let publishes = request.uri().path().starts_with("/v1.0/publish/");
        let (status, etag, body) = if publishes && self.broker_is_away.get() {
            (500, 0, json!({ "errorCode": "ERR_PUBSUB_PUBLISH_MESSAGE", "message": "the broker is away" }))
        } else {
            self.world.borrow_mut().answer(&request, self.events)
        };
        if fault == Fault::After {
            return Err(Away);
        }
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response.headers_mut().insert("etag", etag.to_string().parse().unwrap());
        Ok(response)
    }
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

impl World {
    fn answer(&mut self, request: &Request<Vec<u8>>, events: Events) -> (u16, u64, Value) {
        let body = request.body();
        let path: Vec<String> = request.uri().path().split('/').skip(2).map(decoded).collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match (request.method(), path.as_slice()) {
            (&Method::GET, ["state", _, key]) => match self.documents.get(*key) {
                Some((value, etag)) => (200, *etag, value.clone()),
                None => (204, 0, Value::Null),
            },
            (&Method::POST, ["state", _, "bulk"]) => {
                let keys: Value = serde_json::from_slice(body).unwrap();
                let entry = |key: &Value| match self.documents.get(key.as_str().unwrap()) {
                    Some((value, etag)) => json!({ "key": key, "data": value, "etag": etag.to_string() }),
                    None => json!({ "key": key }),
                };
                (200, 0, keys["keys"].as_array().unwrap().iter().map(entry).collect())
            }
            (&Method::POST, ["state", _, "transaction"]) => {
                let transaction: Transaction = serde_json::from_slice(body).unwrap();
                if events == Events::Outbox {
                    return (
                        self.commit(transaction),
                        0,
                        json!({ "errorCode": "ERR_STATE_TRANSACTION", "message": "" }),
                    );
                }
                let projects = |operation: &Operation| operation.request.metadata.contains_key("outbox.projection");
                assert!(!transaction.operations.iter().any(projects), "there is no outbox");
                let status = if self.commit(transaction) == 409 { 500 } else { 204 };
                (status, 0, json!({ "errorCode": "ERR_STATE_TRANSACTION", "message": "possible etag mismatch" }))
            }
            (&Method::POST, ["state", _]) => {
                let items: Vec<StateItem> = serde_json::from_slice(body).unwrap();
                let operations = items.into_iter().map(Operation::upsert).collect();
                let refusal = json!({ "errorCode": "ERR_STATE_SAVE", "message": "possible etag mismatch" });
                (self.commit(Transaction::new(operations)), 0, refusal)
            }
            (&Method::POST, ["jobs", name]) => {
                let job: Job = serde_json::from_slice(body).unwrap();
                if self.jobs.contains_key(*name) && !job.overwrite {
                    return (409, 0, json!({ "errorCode": "DAPR_SCHEDULER_SCHEDULE_JOB", "message": "there is one" }));
                }
                let data = serde_json::from_str(job.data.unwrap().get()).unwrap();
                self.jobs.insert((*name).to_owned(), (job.due_time.unwrap(), data));
                (204, 0, Value::Null)
            }
            (&Method::DELETE, ["jobs", name]) => {
                self.jobs.remove(*name);
                (204, 0, Value::Null)
            }
            (&Method::POST, ["publish", _, topic]) if topic.len() > 255 => {
                (400, 0, json!({ "errorCode": "ERR_MALFORMED_REQUEST", "message": "the topic is too long" }))
            }
            (&Method::POST, ["publish", _, topic]) => {
                let metadata: BTreeMap<String, String> =
                    form_urlencoded::parse(request.uri().query().unwrap().as_bytes()).into_owned().collect();
                let data: Value = serde_json::from_slice(body).unwrap();
                if *topic == TASK_EVENTS {
                    assert_eq!(metadata["metadata.partitionKey"], data["userId"].as_str().unwrap());
                    assert_eq!(metadata["metadata.cloudevent.id"], data["eventId"].as_str().unwrap());
                    self.events.push(data);
                    return (204, 0, Value::Null);
                }
                let attribute = |name: &str| metadata.get(&format!("metadata.cloudevent.{name}")).cloned();
                let told = (format!("{topic} {}", attribute("type").unwrap_or_default()), data);
                self.published.insert(attribute("id").unwrap_or_default(), told);
                (204, 0, Value::Null)
            }
            (method, path) => panic!("{method} {path:?} is not known here"),
        }
    }

    fn commit(&mut self, transaction: Transaction) -> u16 {
        let refused = |item: &StateItem| {
            let stored = self.documents.get(&item.key).map(|(_, etag)| etag.to_string());
            let guarded = item.etag.as_ref().is_some_and(|etag| stored.as_ref() != Some(etag));
            guarded || (item.options.is_some() && stored.is_some())
        };
        if transaction.operations.iter().any(|operation| refused(&operation.request)) {
            return 409;
        }
        for operation in transaction.operations {
            let item = operation.request;
            let value = item.value.map(|value| serde_json::from_str(value.get()).unwrap());
            if item.metadata.contains_key("outbox.projection") {
                self.events.extend(value);
            } else if operation.operation == "delete" {
                self.documents.remove(&item.key);
            } else {
                let etag = self.documents.get(&item.key).map_or(1, |(_, etag)| etag + 1);
                self.documents.insert(item.key, (value.unwrap(), etag));
            }
        }
        204
    }
}
