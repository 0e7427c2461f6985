//! Sequences of commands, as people and programs give them, and often around the bounds of head and page.

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use todo_domain::list::{Command, HEAD_BOUND, PAGE_BOUND};
use todo_domain::{DueDate, NewTask, Patch, Priority, Recurrence, Status, TaskChange, TaskId, TimeZoneName};

use crate::store::Store;

const TITLES: [&str; 8] =
    ["Pay rent", "PAY taxes", "Überweisung", "über alles", "100% done", "a_b", "zzz \"quoted\"", "Milk\n"];
const TAGS: [&str; 4] = ["home", "work", "Größe", "tag_1"];
pub(crate) const ZONES: [&str; 3] = ["UTC", "Pacific/Auckland", "America/Los_Angeles"];

/// One step of a sequence; tasks are named by their place among those made so far.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Wait(i64),
    Create(NewTask),
    Import(Vec<NewTask>),
    /// Makes tasks until the head lacks this many of its bound.
    FillHead(usize),
    /// Makes tasks in one commit, of which so many leave the head that the last page lacks this many of its bound.
    FillPage(usize),
    Update(usize, TaskChange),
    Complete(usize),
    Reopen(usize),
    Delete(usize),
    DeleteMany(usize, usize),
    Restore(usize),
    Purge(usize),
    PurgeBefore(i64),
    CreateOnceAgain(usize),
}

pub(crate) fn due() -> impl Strategy<Value = DueDate> {
    let base: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
    (any::<bool>(), -5_000..5_000_i64).prop_map(move |(day, minutes)| {
        let instant = base + jiff::SignedDuration::from_mins(minutes);
        let text = instant.to_string();
        DueDate::parse(if day { &text[..10] } else { &text }).unwrap()
    })
}

pub(crate) fn tags() -> impl Strategy<Value = Vec<String>> {
    subsequence(TAGS.to_vec(), 0..=3).prop_map(|tags| tags.into_iter().map(str::to_owned).collect())
}

pub(crate) fn new_task() -> impl Strategy<Value = NewTask> {
    let status = select(Status::ALL.to_vec());
    let priority = select(Priority::ALL.to_vec());
    let description = of(select(TITLES.to_vec()).prop_map(|text| text.repeat(3)));
    (select(TITLES.to_vec()), description, status, priority, tags(), of(due()), select(ZONES.to_vec()), any::<bool>())
        .prop_map(|(title, description, status, priority, tags, due_date, zone, recurs)| NewTask {
            title: title.to_owned(),
            description,
            status,
            priority,
            tags,
            due_date,
            time_zone: TimeZoneName::parse(zone).unwrap(),
            recurrence: if recurs { Recurrence::parse("daily").unwrap() } else { None },
            reminders: if due_date.is_some() { vec![10] } else { Vec::new() },
            ..NewTask::default()
        })
}

fn patch<T: std::fmt::Debug + Clone>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Patch<T>> {
    prop_oneof![3 => Just(Patch::Absent), 2 => value.prop_map(Patch::Set), 1 => Just(Patch::Clear)]
}

fn change() -> impl Strategy<Value = TaskChange> {
    let title = of(select(TITLES.to_vec()));
    let status = patch(select(Status::ALL.to_vec()));
    let priority = patch(select(Priority::ALL.to_vec()));
    (title, status, priority, patch(tags()), patch(due())).prop_map(|(title, status, priority, tags, due_date)| {
        let title = title.map_or(Patch::Absent, |title| Patch::Set(title.to_owned()));
        TaskChange { title, status, priority, tags, due_date, ..TaskChange::default() }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let any_task = || 0..1_000_usize;
    prop_oneof![
        3 => (0..5_000_i64).prop_map(Step::Wait),
        4 => new_task().prop_map(Step::Create),
        1 => vec(new_task(), 1..200).prop_map(Step::Import),
        6 => (any_task(), change()).prop_map(|(index, change)| Step::Update(index, change)),
        4 => any_task().prop_map(Step::Complete),
        2 => any_task().prop_map(Step::Reopen),
        4 => any_task().prop_map(Step::Delete),
        1 => (any_task(), 1..150_usize).prop_map(|(first, count)| Step::DeleteMany(first, count)),
        2 => any_task().prop_map(Step::Restore),
        3 => any_task().prop_map(Step::Purge),
        1 => (0..20_000_i64).prop_map(Step::PurgeBefore),
        1 => any_task().prop_map(Step::CreateOnceAgain),
    ]
}

/// A list of any length; then again and again to the edge of a bound, and a few steps around it.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let first = vec(new_task(), 0..420).prop_map(Step::Import);
    let edge = prop_oneof![
        3 => (0..3_usize).prop_map(Step::FillHead),
        1 => (0..30_usize).prop_map(Step::FillPage),
    ];
    let around = (edge, of(new_task()), vec(step(), 0..10)).prop_map(|(edge, over, steps)| {
        let mut around = vec![edge];
        around.extend(over.map(Step::Create));
        around.extend(steps);
        around
    });
    (first, vec(around, 0..5))
        .prop_map(|(first, rest)| std::iter::once(first).chain(rest.into_iter().flatten()).collect())
}

/// How many plain tasks to make, some of them completed; few enough for the test to stay fast.
fn plain_tasks(count: usize) -> Vec<Command> {
    let status = |number: usize| if number.is_multiple_of(3) { Status::Completed } else { Status::Pending };
    let task = |number| NewTask { status: status(number), ..crate::store::titled("plain") };
    (0..count.min(2 * PAGE_BOUND)).map(|number| Command::create(task(number))).collect()
}

pub(crate) fn play(steps: Vec<Step>, check: bool) -> Store {
    play_and(steps, |store| {
        if check {
            store.check();
        }
    })
}

/// Plays the steps, and looks at the store after each.
pub(crate) fn play_and(steps: Vec<Step>, mut look: impl FnMut(&Store)) -> Store {
    let mut store = Store::new();
    let mut known: Vec<TaskId> = Vec::new();
    for step in steps {
        let id = |index: usize| known.get(index % known.len().max(1)).copied();
        let any_version = None;
        let command = match step {
            Step::Wait(milliseconds) => {
                store.tick(milliseconds);
                continue;
            }
            Step::Import(_) | Step::FillHead(_) | Step::FillPage(_) => {
                let (head, pages) = store.lengths();
                let last = pages.last().copied().unwrap_or_default();
                let commands: Vec<Command> = match step {
                    Step::Import(tasks) => tasks.into_iter().map(Command::create).collect(),
                    Step::FillHead(missing) => plain_tasks((HEAD_BOUND - missing).saturating_sub(head)),
                    // What leaves the head leaves it this long.
                    Step::FillPage(missing) => plain_tasks((PAGE_BOUND - missing + 101).saturating_sub(last + head)),
                    _ => Vec::new(),
                };
                let made = store.run_all(&commands).results;
                known.extend(made.into_iter().map(|task| task.unwrap().unwrap().id));
                look(&store);
                continue;
            }
            Step::DeleteMany(first, count) => {
                let commands: Vec<Command> = (first..first + count)
                    .filter_map(id)
                    .map(|id| Command::Delete { id, expected_version: any_version })
                    .collect();
                store.run_all(&commands);
                look(&store);
                continue;
            }
            Step::Create(task) => Some(Command::create(task)),
            Step::Update(index, change) => id(index).map(|id| Command::update(id, change)),
            Step::Complete(index) => id(index).map(|id| Command::Complete { id, expected_version: any_version }),
            Step::Reopen(index) => id(index).map(|id| Command::Reopen { id, expected_version: any_version }),
            Step::Delete(index) => id(index).map(|id| Command::Delete { id, expected_version: any_version }),
            Step::Restore(index) => id(index).map(Command::Restore),
            Step::Purge(index) => id(index).map(Command::Purge),
            Step::PurgeBefore(milliseconds) => {
                let cutoff = store.now - jiff::SignedDuration::from_millis(milliseconds);
                Some(Command::PurgeTrashedBefore(cutoff))
            }
            Step::CreateOnceAgain(index) => {
                let here = id(index).filter(|id| store.tasks().iter().any(|task| task.id == *id));
                if let Some(id) = here {
                    let again = store.run(Command::CreateOnce(id, Box::new(crate::store::titled("again")))).unwrap();
                    assert!(again.events.is_empty() && again.writes.is_empty());
                }
                continue;
            }
        };
        if let Some(command) = command
            && let Ok(outcome) = store.run(command)
        {
            assert!(outcome.events.len() <= 1);
            assert!(outcome.events.is_empty() || !outcome.writes.is_empty());
            if let (Some(event), Some(task)) = (outcome.events.first(), &outcome.task) {
                assert_eq!(&event.payload.task, task);
                if !known.contains(&task.id) {
                    known.push(task.id);
                }
            }
        }
        look(&store);
    }
    store
}
