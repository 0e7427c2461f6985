//! What users do to their tasks.

use proptest::prelude::*;
use proptest::sample::select;
use todo_domain::list::Command;
use todo_domain::{DueDate, NewTask, Patch, Recurrence, Status, Task, TaskChange, TimeZoneName};

use super::{BEGIN, Sidecar, command, tasks};

/// Something that is done to one of the tasks.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    Create(Vec<u32>, i64, bool),
    Complete,
    Reopen,
    Retitle(u8),
    Begin,
    Move(i64),
    Unset,
    Remind(Vec<u32>),
    Zone(&'static str),
    Delete,
    Restore,
    Purge,
    DeleteAndPurge,
}

fn leads() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(select(vec![0, 1, 5, 60, 1_440]), 0..4)
}

/// A task, by its place among those there are, and a deed.
pub(crate) fn deeds() -> impl Strategy<Value = Vec<(usize, Deed)>> {
    // Due in some hours before or after the begin.
    let due = || -10_000..200_000_i64;
    let deed = prop_oneof![
        4 => (leads(), due(), any::<bool>()).prop_map(|(leads, due, recurs)| Deed::Create(leads, due, recurs)),
        3 => Just(Deed::Complete),
        2 => Just(Deed::Reopen),
        2 => any::<u8>().prop_map(Deed::Retitle),
        1 => Just(Deed::Begin),
        3 => due().prop_map(Deed::Move),
        1 => Just(Deed::Unset),
        2 => leads().prop_map(Deed::Remind),
        1 => select(vec!["UTC", "Asia/Tokyo"]).prop_map(Deed::Zone),
        1 => Just(Deed::Delete),
        1 => Just(Deed::Restore),
        1 => Just(Deed::Purge),
        1 => Just(Deed::DeleteAndPurge),
    ];
    proptest::collection::vec((0..6_usize, deed), 1..40)
}

fn due(seconds: i64) -> DueDate {
    DueDate::At(jiff::Timestamp::from_second(BEGIN + seconds).unwrap())
}

fn new_task(leads: &[u32], seconds: i64, recurs: bool) -> NewTask {
    NewTask {
        title: "Call".into(),
        due_date: Some(due(seconds)),
        reminders: leads.to_vec(),
        recurrence: Recurrence::parse(if recurs { "daily" } else { "none" }).unwrap(),
        ..NewTask::default()
    }
}

fn on(task: &Task, deed: &Deed) -> Vec<Command> {
    let id = task.id;
    let change = |change: TaskChange| vec![Command::update(id, change)];
    let delete = Command::Delete { id, expected_version: None };
    match deed {
        Deed::Create(..) => Vec::new(),
        Deed::Complete => vec![Command::Complete { id, expected_version: None }],
        Deed::Reopen => vec![Command::Reopen { id, expected_version: None }],
        Deed::Retitle(number) => {
            change(TaskChange { title: Patch::Set(format!("Call {number}")), ..TaskChange::default() })
        }
        Deed::Begin => change(TaskChange { status: Patch::Set(Status::InProgress), ..TaskChange::default() }),
        Deed::Move(seconds) => change(TaskChange { due_date: Patch::Set(due(*seconds)), ..TaskChange::default() }),
        Deed::Unset => change(TaskChange { due_date: Patch::Clear, ..TaskChange::default() }),
        Deed::Remind(leads) => change(TaskChange { reminders: Patch::Set(leads.clone()), ..TaskChange::default() }),
        Deed::Zone(name) => {
            let zone = TimeZoneName::parse(name).unwrap();
            change(TaskChange { time_zone: Patch::Set(zone), ..TaskChange::default() })
        }
        Deed::Delete => vec![delete],
        Deed::Restore => vec![Command::Restore(id)],
        Deed::Purge => vec![Command::Purge(id)],
        Deed::DeleteAndPurge => vec![delete, Command::Purge(id)],
    }
}

/// Does the deeds, some minutes apart, the first at this second.
pub(crate) fn play(sidecar: &Sidecar, deeds: &[(usize, Deed)], begin: i64) {
    for ((index, deed), number) in deeds.iter().zip(0..) {
        let commands = match deed {
            Deed::Create(leads, seconds, recurs) => vec![Command::create(new_task(leads, *seconds, *recurs))],
            deed => tasks(sidecar).get(*index).map(|task| on(task, deed)).unwrap_or_default(),
        };
        commands.into_iter().for_each(|each| command(sidecar, begin + number * 180, each));
    }
}
