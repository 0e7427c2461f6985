//! What follows recurring tasks, however their events are delivered.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use todo_domain::list::Command;
use todo_domain::{DueDate, EventType, NewTask, Patch, Recurrence, Status, Task, TaskChange, TaskEvent};

use crate::store::{Store, titled};

const RECURRENCES: [&str; 5] = ["daily", "weekly", "FREQ=DAILY;COUNT=1", "FREQ=MONTHLY;BYDAY=-1FR", "0 9 * * 1-5"];

/// What a user does to one of the first tasks.
#[derive(Debug, Clone)]
enum Deed {
    Complete,
    CompleteWithTitle(u8),
    Reopen,
    Retitle(u8),
    Move(u8),
    Recur(&'static str),
    Delete,
    Restore,
    Purge,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => Just(Deed::Complete),
        1 => any::<u8>().prop_map(Deed::CompleteWithTitle),
        3 => Just(Deed::Reopen),
        2 => any::<u8>().prop_map(Deed::Retitle),
        2 => (1..28_u8).prop_map(Deed::Move),
        1 => select(RECURRENCES.to_vec()).prop_map(Deed::Recur),
        1 => Just(Deed::Delete),
        1 => Just(Deed::Restore),
        1 => Just(Deed::Purge),
    ]
}

fn command(task: &Task, deed: &Deed) -> Command {
    let id = task.id;
    let change = |change: TaskChange| Command::update(id, change);
    match deed {
        Deed::Complete => Command::Complete { id, expected_version: None },
        Deed::CompleteWithTitle(number) => change(TaskChange {
            title: Patch::Set(format!("done {number}")),
            status: Patch::Set(Status::Completed),
            ..TaskChange::default()
        }),
        Deed::Reopen => Command::Reopen { id, expected_version: None },
        Deed::Retitle(number) => {
            change(TaskChange { title: Patch::Set(format!("title {number}")), ..TaskChange::default() })
        }
        Deed::Move(day) => {
            let due = DueDate::parse(&format!("2026-03-{day:02}")).unwrap();
            change(TaskChange { due_date: Patch::Set(due), ..TaskChange::default() })
        }
        Deed::Recur(text) => {
            let recurrence = Recurrence::parse(text).unwrap().unwrap();
            change(TaskChange { recurrence: Patch::Set(recurrence), ..TaskChange::default() })
        }
        Deed::Delete => Command::Delete { id, expected_version: None },
        Deed::Restore => Command::Restore(id),
        Deed::Purge => Command::Purge(id),
    }
}

/// Does what a handler does that knows nothing but the event.
fn deliver(store: &mut Store, event: &TaskEvent) {
    if event.event_type == EventType::Completed
        && let Some((id, draft)) = event.payload.task.next_occurrence()
    {
        store.run(Command::CreateOnce(id, Box::new(draft))).unwrap();
    }
}

fn made(store: &Store, first: &[Task]) -> Vec<(String, NewTask)> {
    let mut made: Vec<(String, NewTask)> = store
        .tasks()
        .into_iter()
        .filter(|task| first.iter().all(|other| other.id != task.id))
        .map(|task| {
            let told = NewTask {
                title: task.title.clone(),
                due_date: task.due_date,
                recurrence: task.recurrence.clone(),
                series: task.series.clone(),
                ..NewTask::default()
            };
            (task.id.to_string(), told)
        })
        .collect();
    made.sort_by(|one, other| one.0.cmp(&other.0));
    made
}

proptest! {
    #![proptest_config(fuzzing::config(256))]

    #[test]
    fn any_deliveries_in_any_order_make_the_occurrences_of_one_clean_delivery(
        deeds in vec((0..3_usize, deed()), 0..40),
        repeats in vec(any::<Index>(), 0..60),
        order in any::<u64>(),
    ) {
        let mut clean = Store::new();
        let mut first = Vec::new();
        for recurrence in &RECURRENCES[..3] {
            let draft = NewTask {
                due_date: DueDate::parse("2026-03-02").ok(),
                recurrence: Recurrence::parse(recurrence).unwrap(),
                ..titled(recurrence)
            };
            first.push(clean.run(Command::create(draft)).unwrap().task.unwrap());
        }
        for (index, deed) in &deeds {
            clean.tick(1_000);
            // What is refused, as of a task that is gone, does nothing.
            drop(clean.run(command(&first[*index], deed)));
        }
        let mut other = clean.clone();
        let events = clean.events.clone();
        events.iter().for_each(|event| deliver(&mut clean, event));

        let repeated = repeats.iter().map(|index| index.get(&events));
        let mut messy: Vec<&TaskEvent> = events.iter().chain(repeated).collect();
        let mut state = order | 1;
        for index in (1..messy.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            messy.swap(index, (state >> 33) as usize % (index + 1));
        }
        messy.into_iter().for_each(|event| deliver(&mut other, event));
        prop_assert_eq!(made(&other, &first), made(&clean, &first));
        other.check();
    }
}
