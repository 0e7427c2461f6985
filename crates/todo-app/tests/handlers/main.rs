//! Handlers of events and jobs, as the sidecar may treat them: events repeated and out of order, calls that fail before
//! or after they were done, handlers that end in between.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod deeds;
mod jobs;
mod mornings;
mod occurrences;
mod polled;
mod publishing;
mod registry;
mod sidecar;

use dapr::Client;
use futures::executor::block_on;
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use todo_app::App;
use todo_app::access::{SIGNING_KEY_MIN, SigningKey, User, Writer};
use todo_app::http::{Request, empty};
use todo_app::settings::Settings;
use todo_domain::list::Command;
use todo_domain::{ActorKind, Task, TimeZoneName, UserId};
use uuid::Uuid;

use self::sidecar::{Fault, Sidecar};

/// When the first thing happens.
const BEGIN: i64 = 1_772_355_600;

fn user() -> UserId {
    UserId::new(Uuid::from_u128(7))
}

/// The application so many seconds after the begin.
fn app(sidecar: &Sidecar, seconds: i64) -> App<Sidecar> {
    let settings = Settings {
        state_store: "statestore".into(),
        pubsub: "pubsub".into(),
        events: sidecar.events,
        signing_key: SigningKey::parse(&"k".repeat(SIGNING_KEY_MIN)).unwrap(),
        writes_per_minute: 0,
        sign_ups_per_hour: 0,
        proxies: 0,
    };
    let now = Timestamp::from_second(BEGIN + seconds).unwrap();
    App { dapr: Client::new(sidecar.clone(), "http://sidecar"), settings, now }
}

/// A sidecar that holds an account in Auckland.
fn with_account() -> Sidecar {
    let sidecar = Sidecar::default();
    let account = json!({ "schemaVersion": 1, "id": user(), "timeZone": "Pacific/Auckland" });
    sidecar.world.borrow_mut().documents.insert(format!("accounts/{}", user()), (account, 1));
    sidecar
}

/// Does a command as the user, at a time; what is refused does nothing.
fn command(sidecar: &Sidecar, seconds: i64, command: Command) {
    commands(sidecar, seconds, &[command]);
}

/// Does many commands as the user, in one commit.
fn commands(sidecar: &Sidecar, seconds: i64, commands: &[Command]) {
    let user = User { id: user(), time_zone: TimeZoneName::utc() };
    let writer = Writer { user, actor: todo_domain::Actor::of(ActorKind::User), idempotency_key: None };
    block_on(app(sidecar, seconds).change_list(&writer, commands, |_| Ok(empty(http::StatusCode::OK)))).unwrap();
}

fn tasks(sidecar: &Sidecar) -> Vec<Task> {
    block_on(app(sidecar, 0).read_list(user(), |list| list.every_task())).unwrap()
}

/// A delivery, as the sidecar makes it.
fn delivery(event: &Value) -> Request {
    let envelope = json!({ "id": "1", "source": "todo", "type": "com.dapr.event.sent", "data": event });
    Request::new(envelope.to_string().into_bytes())
}

/// How events come: which of them once more, in what order, and what becomes of the calls meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct Mess {
    repeats: Vec<Index>,
    order: Vec<Index>,
    faults: Vec<Fault>,
}

fn mess() -> impl Strategy<Value = Mess> {
    let fault = prop_oneof![3 => Just(Fault::None), 1 => Just(Fault::Before), 1 => Just(Fault::After)];
    (vec(any::<Index>(), 0..40), vec(any::<Index>(), 0..100), vec(fault, 0..200))
        .prop_map(|(repeats, order, faults)| Mess { repeats, order, faults })
}

impl Mess {
    /// Delivers events to a handler until it has taken each. `deliver` says whether it did.
    fn deliver(&self, sidecar: &Sidecar, events: &[Value], mut deliver: impl FnMut(&Value) -> bool) {
        if events.is_empty() {
            return;
        }
        let mut queue: Vec<&Value> = events.iter().chain(self.repeats.iter().map(|index| index.get(events))).collect();
        for (place, index) in self.order.iter().enumerate() {
            let place = place % queue.len();
            let other = index.index(queue.len());
            queue.swap(place, other);
        }
        sidecar.faults.borrow_mut().clone_from(&self.faults);
        while let Some(event) = queue.pop() {
            if !deliver(event) {
                // It comes again, behind others.
                let place = queue.len() / 2;
                queue.insert(place, event);
            }
        }
        sidecar.faults.borrow_mut().clear();
    }
}
