//! What each command does, refuses and tells.

use todo_domain::list::{Command, CommandError, DocumentKey, MAX_TASKS, MAX_TRASH, ReadError};
use todo_domain::{
    DueDate, EventType, NewSubtask, NewTask, Patch, Recurrence, Status, TaskChange, TaskId, TimeZoneName,
};
use uuid::Uuid;

use crate::store::{Store, titled};

fn complete(id: TaskId) -> Command {
    Command::Complete { id, expected_version: None }
}

fn reopen(id: TaskId) -> Command {
    Command::Reopen { id, expected_version: None }
}

fn delete(id: TaskId) -> Command {
    Command::Delete { id, expected_version: None }
}

#[test]
fn a_task_lives_through_all_its_changes() {
    let mut store = Store::new();
    let id = store.create(titled("  Pay rent  "));
    store.run(complete(id)).unwrap();
    store.run(reopen(id)).unwrap();
    store.run(delete(id)).unwrap();
    let task = store.run(Command::Restore(id)).unwrap().task.unwrap();

    assert_eq!((task.title.as_str(), task.version, task.status), ("Pay rent", 5, Status::Pending));
    let told: Vec<(EventType, Vec<String>)> =
        store.events.iter().map(|event| (event.event_type, event.payload.changed.clone())).collect();
    let changed = |field: &str| vec![field.to_owned()];
    let expected = [
        (EventType::Created, vec![]),
        (EventType::Completed, changed("status")),
        (EventType::Updated, changed("status")),
        (EventType::Deleted, changed("deletedAt")),
        (EventType::Updated, changed("deletedAt")),
    ];
    assert_eq!(told, expected);
    store.check();
}

#[test]
fn doing_nothing_tells_and_writes_nothing() {
    let mut store = Store::new();
    let id = store.create(titled("Pay rent"));
    store.run(complete(id)).unwrap();
    let same = TaskChange {
        title: Patch::Set(" Pay rent ".into()),
        status: Patch::Set(Status::Completed),
        description: Patch::Clear,
        ..TaskChange::default()
    };
    for command in
        [complete(id), Command::update(id, same), Command::update(id, TaskChange::default()), Command::Restore(id)]
    {
        let outcome = store.run(command).unwrap();
        assert!(outcome.events.is_empty() && outcome.writes.is_empty());
        assert_eq!(outcome.task.unwrap().version, 2);
    }
    let other = store.create(titled("Call"));
    assert!(store.run(reopen(other)).unwrap().writes.is_empty());
}

#[test]
fn completing_through_a_change_is_told_as_completed() {
    let mut store = Store::new();
    let id = store.create(titled("Pay rent"));
    let change =
        TaskChange { title: Patch::Set("Paid".into()), status: Patch::Set(Status::Completed), ..TaskChange::default() };
    let outcome = store.run(Command::update(id, change)).unwrap();
    assert_eq!(outcome.events[0].event_type, EventType::Completed);
    assert_eq!(outcome.events[0].payload.changed, ["title", "status"]);
    assert_eq!(outcome.task.unwrap().completed_at, Some(store.now));
}

#[test]
fn a_version_that_has_passed_is_refused() {
    let mut store = Store::new();
    let id = store.create(titled("Pay rent"));
    store.run(complete(id)).unwrap();
    let change = Box::new(TaskChange { title: Patch::Set("Other".into()), ..TaskChange::default() });
    let stale = Command::Update { id, change, expected_version: Some(1) };
    let error = store.run(stale).unwrap_err();
    assert!(matches!(error, CommandError::VersionMismatch { expected: 1, current: 2 }), "{error}");
    store.run(Command::Delete { id, expected_version: Some(2) }).unwrap();
}

#[test]
fn what_is_in_the_trash_is_found_only_to_restore_or_purge_it() {
    let mut store = Store::new();
    let id = store.create(titled("Pay rent"));
    assert!(matches!(store.run(Command::Purge(id)), Err(CommandError::NotFound(_))));
    store.run(delete(id)).unwrap();
    for command in [complete(id), reopen(id), delete(id), Command::update(id, TaskChange::default())] {
        assert!(matches!(store.run(command), Err(CommandError::NotFound(_))));
    }
    let outcome = store.run(Command::Purge(id)).unwrap();
    assert!(outcome.task.is_none() && outcome.events.is_empty() && !outcome.writes.is_empty());
    assert!(matches!(store.run(Command::Restore(id)), Err(CommandError::NotFound(_))));
    store.check();
}

#[test]
fn every_wrong_field_is_named_at_once() {
    let mut store = Store::new();
    let draft = NewTask {
        title: " ".into(),
        description: Some("x".repeat(10_001)),
        tags: (0..11).map(|tag| format!("tag {tag}")).chain(["y".repeat(51)]).collect(),
        reminders: vec![20_000],
        subtasks: vec![NewSubtask { title: "z".repeat(256), ..NewSubtask::default() }],
        ..NewTask::default()
    };
    let Err(CommandError::Invalid(error)) = store.run(Command::create(draft)) else { panic!("the draft is wrong") };
    let fields: Vec<&str> = error.errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["title", "description", "tags[11]", "tags", "reminders", "reminders", "subtasks[0].title"]);
    assert!(store.documents.is_empty());
}

#[test]
fn fields_are_kept_in_their_normal_form() {
    let mut store = Store::new();
    let draft = NewTask {
        title: "x".repeat(255),
        description: Some("  ".into()),
        tags: vec![" Home ".into(), "HOME".into(), "Größe".into()],
        due_date: DueDate::parse("2026-03-01").ok(),
        reminders: vec![0, 10_080, 0],
        ..NewTask::default()
    };
    let task = store.run(Command::create(draft)).unwrap().task.unwrap();
    assert_eq!(task.description, None);
    assert_eq!(task.tags, ["home", "größe"]);
    assert_eq!(task.reminders, [10_080, 0]);
}

#[test]
fn clearing_the_due_date_clears_the_reminders() {
    let mut store = Store::new();
    let due_date = DueDate::parse("2026-03-01").ok();
    let id = store.create(NewTask { due_date, reminders: vec![5], ..titled("Pay rent") });
    let cleared = TaskChange { due_date: Patch::Clear, ..TaskChange::default() };
    let outcome = store.run(Command::update(id, cleared)).unwrap();
    assert_eq!(outcome.events[0].payload.changed, ["dueDate", "reminders"]);
    let lost = TaskChange { reminders: Patch::Set(vec![5]), ..TaskChange::default() };
    assert!(matches!(store.run(Command::update(id, lost)), Err(CommandError::Invalid(_))));
}

#[test]
fn steps_given_again_without_ids_keep_theirs() {
    let mut store = Store::new();
    let step = |title: &str| NewSubtask { title: title.into(), ..NewSubtask::default() };
    let given = vec![step("One"), step("Two"), step("Two")];
    let id = store.create(NewTask { subtasks: given.clone(), ..titled("Pay rent") });
    let before = store.ask(|list| list.task(id)).unwrap().subtasks;
    let change = |subtasks| TaskChange { subtasks: Patch::Set(subtasks), ..TaskChange::default() };
    assert!(store.run(Command::update(id, change(given))).unwrap().events.is_empty());

    let mixed = vec![step("Two"), NewSubtask { id: Some(before[1].id), ..step("Renamed") }, step("New")];
    let after = store.run(Command::update(id, change(mixed))).unwrap().task.unwrap().subtasks;
    assert_eq!((after[0].id, after[1].id), (before[2].id, before[1].id));
    assert!(before.iter().all(|step| step.id != after[2].id));
}

#[test]
fn one_wrong_command_of_many_leaves_the_others_be() {
    let mut store = Store::new();
    let id = store.create(titled("Pay rent"));
    let missing = TaskId::new(Uuid::from_u128(1));
    let commands = [complete(id), complete(missing), Command::create(titled("")), Command::create(titled("Call"))];
    let outcome = store.run_all(&commands);
    assert!(outcome.results[0].is_ok() && outcome.results[3].is_ok());
    assert!(matches!(outcome.results[1], Err(CommandError::NotFound(_))));
    assert!(matches!(outcome.results[2], Err(CommandError::Invalid(_))));
    assert_eq!(outcome.events.len(), 2);
    store.check();
}

#[test]
fn a_recurring_task_is_followed_by_one_however_often_it_is_completed() {
    let mut store = Store::new();
    let draft = NewTask {
        due_date: DueDate::parse("2026-01-31").ok(),
        recurrence: Recurrence::parse("monthly").unwrap(),
        subtasks: vec![NewSubtask { title: "Transfer".into(), done: true, ..NewSubtask::default() }],
        ..titled("Pay rent")
    };
    let mut id = store.create(draft);
    let mut dues = Vec::new();
    for occurrence in 2..=4 {
        let task = store.run(complete(id)).unwrap().task.unwrap();
        let (next, draft) = task.next_occurrence().unwrap();
        for _ in 0..2 {
            let made = store.run(Command::CreateOnce(next, Box::new(draft.clone()))).unwrap().task.unwrap();
            assert_eq!(made.id, next);
        }
        store.run(reopen(id)).unwrap();
        let again = store.run(complete(id)).unwrap().task.unwrap();
        assert_eq!((again.next_occurrence(), again.series.unwrap().next), (None, Some(next)));
        id = next;
        let made = store.ask(|list| list.task(id)).unwrap();
        let series = made.series.clone().unwrap();
        assert_eq!((made.series_id(), series.occurrence), (task.series_id(), occurrence));
        assert!(!made.subtasks[0].done);
        dues.push(made.due_date.unwrap().to_string());
    }
    assert_eq!(dues, ["2026-02-28", "2026-03-31", "2026-04-30"]);
    assert_eq!(store.tasks().len(), 4);
    store.check();
}

#[test]
fn a_recurrence_that_is_changed_has_an_occurrence_of_its_own() {
    let mut store = Store::new();
    let due_date = DueDate::parse("2026-03-02").ok();
    let recurrence = Recurrence::parse("FREQ=DAILY;COUNT=1").unwrap();
    let id = store.create(NewTask { due_date, recurrence, ..titled("Water plants") });
    assert_eq!(store.run(complete(id)).unwrap().task.unwrap().next_occurrence(), None, "the series has ended");
    store.run(reopen(id)).unwrap();
    let weekly = Patch::Set(Recurrence::parse("weekly").unwrap().unwrap());
    store.run(Command::update(id, TaskChange { recurrence: weekly, ..TaskChange::default() })).unwrap();
    let (_, draft) = store.run(complete(id)).unwrap().task.unwrap().next_occurrence().unwrap();
    assert_eq!(draft.due_date, DueDate::parse("2026-03-09").ok());
}

#[test]
fn a_task_that_is_made_completed_is_followed_by_one_when_it_is_completed_later() {
    let mut store = Store::new();
    let due_date = DueDate::parse("2026-03-02").ok();
    let recurrence = Recurrence::parse("daily").unwrap();
    let id = store.create(NewTask { due_date, recurrence, status: Status::Completed, ..titled("Water plants") });
    let task = store.run(reopen(id)).unwrap().task.unwrap();
    assert_eq!(task.next_occurrence(), None);
    assert!(store.run(complete(id)).unwrap().task.unwrap().next_occurrence().is_some());
}

#[test]
fn an_occurrence_is_not_made_on_a_list_that_is_gone() {
    let mut store = Store::new();
    let id = TaskId::new(Uuid::from_u128(1));
    let refused = store.run(Command::CreateOnce(id, Box::new(titled("Water plants"))));
    assert!(matches!(refused, Err(CommandError::NotFound(missing)) if missing == id));
}

#[test]
fn reminders_are_armed_that_are_still_to_come() {
    let mut store = Store::new();
    let draft = NewTask {
        due_date: DueDate::parse("2026-03-01T10:00:00Z").ok(),
        reminders: vec![0, 60, 61, 10],
        ..titled("Call")
    };
    let id = store.create(draft);
    let armed = |store: &Store| -> Vec<String> {
        let slots = store.tasks()[0].armed_reminders();
        slots.map(|at| at.map_or_else(String::new, |at| at.to_string())).to_vec()
    };
    assert_eq!(armed(&store), ["", "2026-03-01T09:00:00Z", "2026-03-01T09:50:00Z", "2026-03-01T10:00:00Z", ""]);
    let told = |store: &Store| store.events.last().unwrap().concerns_reminders();
    assert!(told(&store));
    let at = "2026-03-01T09:50:00Z".parse().unwrap();
    assert!(store.tasks()[0].is_reminded_at(at));

    store.tick(1);
    let retitled = TaskChange { title: Patch::Set("Call Ada".into()), ..TaskChange::default() };
    store.run(Command::update(id, retitled)).unwrap();
    assert!(!told(&store));
    let later = Patch::Set(DueDate::parse("2026-03-01T11:00:00Z").unwrap());
    store.run(Command::update(id, TaskChange { due_date: later, ..TaskChange::default() })).unwrap();
    assert!(told(&store) && !store.tasks()[0].is_reminded_at(at));
    assert_eq!(armed(&store)[..2], ["2026-03-01T09:59:00Z", "2026-03-01T10:00:00Z"]);

    let nothing = [""; 5];
    store.run(complete(id)).unwrap();
    assert_eq!((armed(&store), told(&store)), (nothing.map(str::to_owned).to_vec(), true));
    store.run(reopen(id)).unwrap();
    assert_eq!(armed(&store)[3], "2026-03-01T11:00:00Z");
    store.run(delete(id)).unwrap();
    assert_eq!((armed(&store), told(&store)), (nothing.map(str::to_owned).to_vec(), true));
    store.run(Command::Restore(id)).unwrap();
    assert_eq!(armed(&store)[3], "2026-03-01T11:00:00Z");
    store.run(Command::update(id, TaskChange { due_date: Patch::Clear, ..TaskChange::default() })).unwrap();
    assert_eq!((armed(&store), told(&store)), (nothing.map(str::to_owned).to_vec(), true));
}

#[test]
fn a_task_without_a_due_date_comes_back_after_the_day_it_was_completed() {
    let mut store = Store::new();
    let recurrence = Recurrence::parse("daily").unwrap();
    let time_zone = TimeZoneName::parse("Pacific/Auckland").unwrap();
    let id = store.create(NewTask { recurrence, time_zone, ..titled("Stretch") });
    store.tick(24 * 3_600_000);
    let task = store.run(complete(id)).unwrap().task.unwrap();
    // 2 March, 09:00Z is 22:00 in Auckland.
    assert_eq!(task.next_occurrence().unwrap().1.due_date, DueDate::parse("2026-03-03").ok());
}

#[test]
fn moving_the_first_occurrence_moves_the_series_and_a_later_one_itself() {
    let mut store = Store::new();
    let due_date = DueDate::parse("2026-03-02").ok();
    let recurrence = Recurrence::parse("weekly").unwrap();
    let first = store.create(NewTask { due_date, recurrence, ..titled("Water plants") });
    let moved = |due: &str| TaskChange { due_date: Patch::Set(DueDate::parse(due).unwrap()), ..TaskChange::default() };
    store.run(Command::update(first, moved("2026-03-03"))).unwrap();
    let (id, draft) = store.run(complete(first)).unwrap().task.unwrap().next_occurrence().unwrap();
    assert_eq!(draft.due_date, DueDate::parse("2026-03-10").ok());
    store.run(Command::CreateOnce(id, Box::new(draft))).unwrap();
    store.run(Command::update(id, moved("2026-03-12"))).unwrap();
    let (_, draft) = store.run(complete(id)).unwrap().task.unwrap().next_occurrence().unwrap();
    assert_eq!(draft.due_date, DueDate::parse("2026-03-17").ok());
}

#[test]
fn a_full_list_refuses_the_next_task_and_takes_it_when_there_is_room() {
    let mut store = Store::new();
    let commands: Vec<Command> =
        (0..MAX_TASKS).map(|number| Command::create(titled(&format!("Task {number}")))).collect();
    let outcome = store.run_all(&commands);
    assert!(outcome.results.iter().all(Result::is_ok));
    assert!(matches!(store.run(Command::create(titled("One more"))), Err(CommandError::TooManyTasks)));
    let id = outcome.results[17].as_ref().unwrap().as_ref().unwrap().id;
    store.run(delete(id)).unwrap();
    assert_eq!(store.pages_read, 1, "a task of an import is on one page");
    store.run(Command::create(titled("One more"))).unwrap();
    assert!(matches!(store.run(Command::Restore(id)), Err(CommandError::TooManyTasks)));
    store.check();
}

#[test]
fn a_full_trash_loses_the_one_longest_in_it() {
    let mut store = Store::new();
    let mut deleted = Vec::new();
    for _ in 0..MAX_TRASH / 1_000 {
        let commands: Vec<Command> =
            (0..1_000).map(|number| Command::create(titled(&format!("Task {number}")))).collect();
        let made = store.run_all(&commands).results;
        let ids: Vec<TaskId> = made.into_iter().map(|task| task.unwrap().unwrap().id).collect();
        store.tick(1_000);
        store.run_all(&ids.iter().copied().map(delete).collect::<Vec<_>>());
        deleted.extend(ids);
    }
    let id = store.create(titled("One more"));
    store.tick(1_000);
    store.run(delete(id)).unwrap();
    assert_eq!(store.list().counts().trashed, MAX_TRASH);
    assert!(matches!(store.run(Command::Restore(deleted[0])), Err(CommandError::NotFound(_))));
    store.run(Command::Restore(deleted[1])).unwrap();
    store.check();

    let cutoff = store.now;
    store.run(Command::PurgeTrashedBefore(cutoff)).unwrap();
    assert_eq!(store.list().counts().trashed, 1);
    store.check();
}

#[test]
fn a_closed_list_tells_that_every_task_is_gone_and_keeps_none() {
    let mut store = Store::with_tasks(400);
    let trashed = store.create(titled("Trashed"));
    store.run(delete(trashed)).unwrap();
    let (told, mut next) = (store.events.len(), 0_u128);
    let mut ids = || {
        next += 1;
        Uuid::from_u128((9 << 64) + next)
    };
    let mut list = store.list();
    let outcome = loop {
        match list.close(store.now, &mut ids) {
            Err(ReadError::PagesNeeded(numbers)) => {
                for number in numbers {
                    list.load_page(number, store.documents[&DocumentKey::Page(number)].clone());
                }
            }
            outcome => break outcome.unwrap().unwrap(),
        }
    };
    let numbers: Vec<u64> = outcome.events.iter().map(|event| event.sequence).collect();
    let last = u64::try_from(told).unwrap();
    assert_eq!(numbers, (last + 1..=last + 400).collect::<Vec<_>>());
    assert!(outcome.events.iter().all(|event| event.payload.previous["deletedAt"].is_null()));
    assert!(outcome.events.iter().all(|event| event.event_type == EventType::Deleted));
    store.events.extend(outcome.events);
    assert!(todo_domain::replay(&store.events).is_empty());

    let pages = store.documents.len() - 1;
    assert!(pages > 0);
    assert_eq!(outcome.writes.iter().filter(|write| write.json.is_none()).count(), pages);
    let head = outcome.writes[0].json.clone().unwrap();
    let mut closed = todo_domain::list::TaskList::parse(Store::user_id(), &head).unwrap();
    assert!(closed.is_closed() && closed.pages().is_empty() && closed.sequence() == last + 401);
    assert_eq!(outcome.farewell.sequence, last + 401, "it is behind all others");
    assert!(closed.close(store.now, &mut ids).unwrap().is_none());
}

#[test]
fn a_list_that_is_too_long_refuses_more_text_and_is_shortened_and_emptied() {
    let mut store = Store::new();
    let long = |title: &str| NewTask { description: Some("x".repeat(10_000)), ..titled(title) };
    let mut first = None;
    let refused = loop {
        match store.run(Command::create(long("Long"))) {
            Ok(outcome) => first = first.or(outcome.task.map(|task| task.id)),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, CommandError::TooManyBytes), "{refused}");
    let first = first.unwrap();
    let counts = store.list().counts();
    assert!((1_500..1_680).contains(&counts.total()), "{counts:?}");

    store.run(complete(first)).unwrap();
    let describe = |text: &str| TaskChange { description: Patch::Set(text.to_owned()), ..TaskChange::default() };
    store.run(Command::update(first, describe("short"))).unwrap();
    store.run(Command::create(titled("Short"))).unwrap();
    // What is in the trash counts until it is gone for good.
    let other = store.create(titled("Other"));
    store.run(Command::update(other, describe(&"y".repeat(9_000)))).unwrap();
    let again = Command::update(first, describe(&"x".repeat(10_000)));
    assert!(matches!(store.run(again.clone()), Err(CommandError::TooManyBytes)));
    store.run(delete(other)).unwrap();
    assert!(matches!(store.run(again.clone()), Err(CommandError::TooManyBytes)));
    store.run(Command::Purge(other)).unwrap();
    store.run(again).unwrap();
}
