//! One user's first days: a list with a task of every field, a change of every kind, and a list long enough for a page.

use jiff::Timestamp;
use serde_json::Map;
use serde_json::Value;
use todo_app::access::User;
use todo_app::wire;
use todo_domain::list::{Closing, Command, DocumentKey, PageNumber, TaskList};
use todo_domain::quick_add::{QuickAdd, Understood};
use todo_domain::{AccountDeleted, Actor, ActorKind, NewTask, Task, TaskEvent, TimeZoneName, UserId};
use uuid::Uuid;

use super::requests;

/// What has happened, and what is stored.
pub(super) struct Story {
    pub(super) user: User,
    /// The task of every field, as it was made.
    pub(super) made: Task,
    /// The same after a change.
    pub(super) changed: Task,
    /// The task of a line, and what of the line was understood.
    pub(super) quick: (Task, Vec<Understood>),
    /// One that is in the trash.
    pub(super) trashed: Task,
    /// The same after it was completed.
    pub(super) completed: Task,
    /// What consumers were told.
    pub(super) events: Vec<TaskEvent>,
    /// What they were told last.
    pub(super) farewell: AccountDeleted,
    /// The list's head at the end, with events that nobody has confirmed.
    pub(super) head: String,
    /// The head of a list that was closed.
    pub(super) closed: String,
    /// The head and the page of a list that is longer than a head.
    pub(super) long: (String, String),
}

/// When everything happens.
pub(super) fn now() -> Timestamp {
    "2026-03-01T09:00:00.123Z".parse().expect("the text is an instant")
}

/// The id of a number: a UUIDv7 of [`now`].
pub(super) fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x019c_a88c_3f7b_7000_8000_0000_0000_0000 + number)
}

impl Story {
    pub(super) fn tell() -> Self {
        let zone = TimeZoneName::parse("Europe/Berlin").expect("the zone is in the database");
        let user = User { id: UserId::new(id(0)), time_zone: zone };
        let mut last = 0;
        let mut ids = || {
            last += 1;
            id(last)
        };
        let mut list = TaskList::empty(user.id);
        list.hold_events();
        list.set_actor(Actor::of(ActorKind::User));
        let mut events = Vec::new();
        let mut head = String::new();
        let mut run = |command: Command| {
            let outcome = list.apply(&command, now(), &mut ids).expect("the story is possible");
            events.extend(outcome.events);
            head.clone_from(outcome.writes[0].json.as_ref().expect("a head is never removed"));
            outcome.task.expect("every step leaves a task")
        };

        let new_task =
            wire::new_task(&object(requests::new_task()), &user.time_zone, now()).expect("the sample is valid");
        let made = run(Command::create(new_task));
        let change = wire::task_change(&object(requests::task_change()), &user.time_zone).expect("the sample is valid");
        let changed = run(Command::update(made.id, change));
        let completed = run(Command::Complete { id: made.id, expected_version: None });
        let milk = run(Command::create(titled("Buy milk")));
        let trashed = run(Command::Delete { id: milk.id, expected_version: None });
        let line = requests::quick_add_task();
        let QuickAdd { task, understood } =
            QuickAdd::parse(line["text"].as_str().unwrap_or_default(), now(), &user.time_zone);
        let quick = (run(Command::create(task)), understood);
        let Closing { farewell, writes, .. } = close(&mut list);
        let closed = writes[0].json.clone().expect("a head is never removed");
        Self { quick, closed, farewell, trashed, long: long(user.id), user, made, changed, completed, events, head }
    }
}

/// Ends a list.
fn close(list: &mut TaskList) -> Closing {
    let mut last = 0x6000;
    let mut ids = || {
        last += 1;
        id(last)
    };
    list.close(now(), &mut ids).expect("a list without pages can be closed").expect("it was open")
}

/// A list of as many tasks as first need a page.
fn long(user: UserId) -> (String, String) {
    let mut last = 0x1000;
    let mut ids = || {
        last += 1;
        id(last)
    };
    let mut list = TaskList::empty(user);
    for number in 1..=todo_domain::list::HEAD_BOUND + 1 {
        let outcome = list
            .apply(&Command::create(titled(&format!("Task {number}"))), now(), &mut ids)
            .expect("a list takes more tasks than a head");
        if number > todo_domain::list::HEAD_BOUND {
            let text = |key| {
                let write = outcome.writes.iter().find(|write| write.key == key);
                write.and_then(|write| write.json.clone()).expect("the head and its first page were written")
            };
            return (text(DocumentKey::Head), text(DocumentKey::Page(PageNumber(1))));
        }
    }
    unreachable!("the list has become longer than a head")
}

fn titled(title: &str) -> NewTask {
    NewTask { title: title.to_owned(), ..NewTask::default() }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => unreachable!("`{other}` is no object"),
    }
}
