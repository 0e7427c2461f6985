//! `events=publish`: events that a list holds until they are published, whatever ends, fails and meets in between.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures::executor::block_on;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use todo_app::access::{User, Writer};
use todo_app::http::{Request, empty};
use todo_app::reminders::JobName;
use todo_app::settings::Events;
use todo_domain::list::Command;
use todo_domain::{Actor, ActorKind, NewTask, Patch, TaskChange, TimeZoneName};

use crate::sidecar::{Fault, Sidecar};
use crate::{app, command, commands, tasks, user, with_account};

/// When everything that was left behind has been noticed.
const LATER: i64 = 10_000;

/// What a request or a job does.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Create(usize),
    Retitle(u8),
    Complete,
    Read,
    Job,
    DeleteAccount,
}

/// What comes next: someone begins, goes on to the next call, or ends in the midst; or the broker goes or comes.
#[derive(Debug, Clone)]
enum Step {
    Begin(Deed),
    GoOn(Index),
    Kill(Index),
    Broker(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let deed = prop_oneof![
        4 => prop_oneof![8 => 1..4_usize, 1 => Just(130)].prop_map(Deed::Create),
        4 => any::<u8>().prop_map(Deed::Retitle),
        2 => Just(Deed::Complete),
        1 => Just(Deed::Read),
        1 => Just(Deed::Job),
    ];
    let step = prop_oneof![
        4 => deed.prop_map(Step::Begin),
        40 => any::<Index>().prop_map(Step::GoOn),
        1 => any::<Index>().prop_map(Step::Kill),
        1 => any::<bool>().prop_map(Step::Broker),
    ];
    vec(step, 1..300)
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    vec(prop_oneof![12 => Just(Fault::None), 1 => Just(Fault::Before), 1 => Just(Fault::After)], 0..200)
}

fn without_outbox() -> Sidecar {
    let sidecar = with_account();
    let account = json!({
        "schemaVersion": 1, "id": user(), "timeZone": "UTC", "email": "ada@example.com", "name": "Ada",
        "passwordHash": "", "createdAt": "2026-03-01T09:00:00Z",
    });
    sidecar.world.borrow_mut().documents.insert(format!("accounts/{}", user()), (account, 1));
    Sidecar { events: Events::Publish, in_turns: true, ..sidecar }
}

fn titled(title: &str) -> Command {
    Command::create(NewTask { title: title.to_owned(), ..NewTask::default() })
}

fn commands_of(sidecar: &Sidecar, deed: Deed) -> Vec<Command> {
    let last = || tasks(sidecar).last().map(|task| task.id);
    match deed {
        Deed::Create(count) => (0..count).map(|number| titled(&format!("Task {number}"))).collect(),
        Deed::Retitle(number) => {
            let change = TaskChange { title: Patch::Set(format!("Title {number}")), ..TaskChange::default() };
            last().map(|id| Command::update(id, change)).into_iter().collect()
        }
        Deed::Complete => last().map(|id| Command::Complete { id, expected_version: None }).into_iter().collect(),
        Deed::Read | Deed::Job | Deed::DeleteAccount => Vec::new(),
    }
}

/// One request or job, that goes on call by call; `acknowledged` counts the tasks whose making was answered well.
fn begin(
    sidecar: &Sidecar,
    deed: Deed,
    seconds: i64,
    acknowledged: &Rc<Cell<usize>>,
) -> Pin<Box<dyn Future<Output = ()>>> {
    let commands = commands_of(&Sidecar { in_turns: false, faults: Rc::default(), ..sidecar.clone() }, deed);
    let (app, acknowledged) = (app(sidecar, seconds), Rc::clone(acknowledged));
    Box::pin(async move {
        let who = User { id: user(), time_zone: TimeZoneName::utc() };
        let writer = Writer { user: who.clone(), actor: Actor::of(ActorKind::User), idempotency_key: None };
        match deed {
            Deed::Read => drop(app.read_list(user(), |list| list.tasks()).await),
            Deed::Job => drop(app.take_job(&JobName::Held(user()).to_string(), &Request::new(Vec::new())).await),
            Deed::DeleteAccount => drop(app.delete_account(&who).await),
            _ => {
                let told = Cell::new(0);
                let answer = |results: todo_app::lists::Results| {
                    // Other changes may change nothing, which is answered well and tells nothing.
                    let made = results.iter().filter(|result| result.is_ok() && matches!(deed, Deed::Create(_)));
                    told.set(made.count());
                    Ok(empty(http::StatusCode::OK))
                };
                if app.change_list(&writer, &commands, answer).await.is_ok() {
                    acknowledged.set(acknowledged.get() + told.get());
                }
            }
        }
    })
}

/// Plays the steps to the end of those who were not killed, and gives how many new tasks were acknowledged.
fn play(sidecar: &Sidecar, steps: &[Step], faults: Vec<Fault>) -> usize {
    let acknowledged = Rc::new(Cell::new(0));
    let mut going = Vec::new();
    *sidecar.faults.borrow_mut() = faults;
    for (seconds, step) in (0..).zip(steps) {
        match step {
            Step::Begin(deed) => going.push(begin(sidecar, *deed, seconds, &acknowledged)),
            Step::Broker(is_away) => sidecar.broker_is_away.set(*is_away),
            Step::GoOn(_) | Step::Kill(_) if going.is_empty() => {}
            Step::Kill(index) => drop(going.swap_remove(index.index(going.len()))),
            Step::GoOn(index) => {
                let index = index.index(going.len());
                if going[index].as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                    drop(going.swap_remove(index));
                }
            }
        }
    }
    for mut one in going {
        while one.as_mut().poll(&mut Context::from_waker(Waker::noop())) == Poll::Pending {}
    }
    sidecar.faults.borrow_mut().clear();
    acknowledged.get()
}

/// Calls the jobs that are due, until there are none.
fn fire_jobs(sidecar: &Sidecar) {
    let quiet = Sidecar { in_turns: false, ..sidecar.clone() };
    loop {
        let next = quiet.world.borrow().jobs.keys().find(|name| name.starts_with("held-")).cloned();
        let Some(name) = next else { return };
        quiet.world.borrow_mut().jobs.remove(&name);
        block_on(app(&quiet, LATER).take_job(&name, &Request::new(Vec::new()))).unwrap();
    }
}

/// The events as a consumer takes them that passes over repeats.
fn taken(sidecar: &Sidecar) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let events = sidecar.world.borrow().events.clone();
    events.into_iter().filter(|event| seen.insert(event["eventId"].to_string())).collect()
}

/// Whether each event of the list has been told, once but for repeats, and in order.
fn check(sidecar: &Sidecar) -> Vec<Value> {
    let head = sidecar.world.borrow().documents.get(&format!("tasks/{}", user())).cloned();
    let last = head.map_or(0, |(head, _)| head["sequence"].as_u64().unwrap());
    let taken = taken(sidecar);
    let numbers: Vec<u64> = taken.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert!(numbers.iter().copied().eq(1..=last), "{numbers:?} of {last}");
    taken
}

proptest! {
    #![proptest_config(fuzzing::config(150))]

    #[test]
    fn every_commit_is_told_in_order_whoever_ends_fails_or_meets_in_between(steps in steps(), faults in faults()) {
        let sidecar = without_outbox();
        let acknowledged = play(&sidecar, &steps, faults);
        sidecar.broker_is_away.set(false);
        let quiet = Sidecar { in_turns: false, ..sidecar.clone() };
        // The list is read, which is all that anyone does.
        block_on(app(&quiet, LATER).read_list(user(), |list| list.tasks())).unwrap();
        fire_jobs(&sidecar);
        prop_assert!(check(&sidecar).len() >= acknowledged);
        // Nobody has anything left to do.
        let before = sidecar.world.borrow().clone();
        block_on(app(&quiet, 2 * LATER).read_list(user(), |list| list.tasks())).unwrap();
        prop_assert_eq!(&*sidecar.world.borrow(), &before);
    }

    #[test]
    fn a_farewell_is_told_last_though_nobody_comes_back(steps in steps(), end in vec(any::<Index>(), 0..60), killed in any::<Index>()) {
        let sidecar = without_outbox();
        play(&sidecar, &steps, Vec::new());
        sidecar.broker_is_away.set(false);
        // Someone deletes the account, and is killed after some calls unless it is done before.
        let farewell = [Step::Begin(Deed::DeleteAccount)].into_iter().chain(end.into_iter().map(Step::GoOn));
        play(&sidecar, &farewell.chain([Step::Kill(killed)]).collect::<Vec<_>>(), Vec::new());
        fire_jobs(&sidecar);
        let is_gone = !sidecar.world.borrow().documents.contains_key(&format!("accounts/{}", user()));
        if is_gone {
            let told = check(&sidecar);
            prop_assert_eq!(&told.last().unwrap()["eventType"], "accountDeleted");
        }
    }
}

#[test]
fn writes_go_on_without_the_broker_until_too_much_is_held_and_nothing_is_lost() {
    let sidecar = Sidecar { in_turns: false, ..without_outbox() };
    sidecar.broker_is_away.set(true);
    let text = "x".repeat(9_000);
    let long = || Command::create(NewTask { description: Some(text.clone()), ..NewTask::default() }.titled());
    let who = User { id: user(), time_zone: TimeZoneName::utc() };
    let writer = Writer { user: who, actor: Actor::of(ActorKind::User), idempotency_key: None };
    let mut taken = 0;
    let refused = loop {
        match block_on(app(&sidecar, taken).change_list(&writer, &[long()], |_| Ok(empty(http::StatusCode::OK)))) {
            Ok(_) => taken += 1,
            Err(problem) => break problem,
        }
    };
    assert!((100..150).contains(&taken), "{taken}");
    assert_eq!(refused.status(), 503);
    assert!(refused.into_response().headers().contains_key("retry-after"));
    assert_eq!(tasks(&sidecar).len(), usize::try_from(taken).unwrap());

    sidecar.broker_is_away.set(false);
    fire_jobs(&sidecar);
    assert_eq!(check(&sidecar).len(), usize::try_from(taken).unwrap());
    command(&sidecar, LATER, titled("It goes on"));
    check(&sidecar);
}

trait Titled {
    fn titled(self) -> Self;
}

impl Titled for NewTask {
    fn titled(self) -> Self {
        Self { title: "Long".into(), ..self }
    }
}

#[test]
fn a_quiet_day_costs_one_publish_and_one_note_for_each_write() {
    let sidecar = Sidecar { in_turns: false, ..without_outbox() };
    for second in 0..20 {
        command(&sidecar, second, titled("Milk"));
    }
    assert_eq!(sidecar.world.borrow().events.len(), 20);
    assert!(sidecar.world.borrow().jobs.is_empty());
    let (head, _) = sidecar.world.borrow().documents[&format!("tasks/{}", user())].clone();
    assert_eq!(head["pending"].as_array().unwrap().len(), 1);
}

#[test]
fn a_long_head_is_written_anew_without_what_was_published() {
    let sidecar = Sidecar { in_turns: false, ..without_outbox() };
    let many: Vec<Command> = (0..200).map(|number| titled(&format!("Task {number}"))).collect();
    commands(&sidecar, 0, &many);
    check(&sidecar);
    let (head, _) = sidecar.world.borrow().documents[&format!("tasks/{}", user())].clone();
    assert_eq!(head["pending"], Value::Null);
}

#[test]
fn what_was_held_goes_out_when_the_outbox_comes_back() {
    let sidecar = Sidecar { in_turns: false, ..without_outbox() };
    sidecar.broker_is_away.set(true);
    command(&sidecar, 0, titled("Held"));
    let with_outbox = Sidecar { events: Events::Outbox, ..sidecar.clone() };
    command(&with_outbox, 1, titled("Told"));
    command(&with_outbox, 2, titled("Told too"));
    check(&with_outbox);
    assert_eq!(with_outbox.world.borrow().events.len(), 3);
}
