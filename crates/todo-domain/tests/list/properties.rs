//! What holds after any sequence of commands, and what any query answers then.

use std::cmp::Ordering;

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use todo_domain::list::{Command, PageNumber};
use todo_domain::query::{ListQuery, Order, Scope, SearchQuery, Sort, TagCount};
use todo_domain::{DueDate, NewTask, Patch, Priority, Recurrence, Status, Task, TaskChange, TaskId, TimeZoneName};

use crate::store::Store;

const TITLES: [&str; 8] =
    ["Pay rent", "PAY taxes", "Überweisung", "über alles", "100% done", "a_b", "zzz \"quoted\"", "Milk\n"];
const TAGS: [&str; 4] = ["home", "work", "Größe", "tag_1"];
const ZONES: [&str; 3] = ["UTC", "Pacific/Auckland", "America/Los_Angeles"];

/// One step of a sequence; tasks are named by their place among those made so far.
#[derive(Debug, Clone)]
enum Step {
    Wait(i64),
    Create(NewTask),
    Import(Vec<NewTask>),
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

fn due() -> impl Strategy<Value = DueDate> {
    let base: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
    (any::<bool>(), -5_000..5_000_i64).prop_map(move |(day, minutes)| {
        let instant = base + jiff::SignedDuration::from_mins(minutes);
        let text = instant.to_string();
        DueDate::parse(if day { &text[..10] } else { &text }).unwrap()
    })
}

fn tags() -> impl Strategy<Value = Vec<String>> {
    subsequence(TAGS.to_vec(), 0..=3).prop_map(|tags| tags.into_iter().map(str::to_owned).collect())
}

fn new_task() -> impl Strategy<Value = NewTask> {
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

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let first = vec(new_task(), 0..420).prop_map(Step::Import);
    (first, vec(step(), 0..40)).prop_map(|(first, mut steps)| {
        steps.insert(0, first);
        steps
    })
}

fn play(steps: Vec<Step>, check: bool) -> Store {
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
            Step::Import(tasks) => {
                let commands: Vec<Command> = tasks.into_iter().map(Command::create).collect();
                let made = store.run_all(&commands).results;
                known.extend(made.into_iter().map(|task| task.unwrap().unwrap().id));
                if check {
                    store.check();
                }
                continue;
            }
            Step::DeleteMany(first, count) => {
                let commands: Vec<Command> = (first..first + count)
                    .filter_map(id)
                    .map(|id| Command::Delete { id, expected_version: any_version })
                    .collect();
                store.run_all(&commands);
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
        if check {
            store.check();
        }
    }
    store
}

fn sort() -> impl Strategy<Value = Sort> {
    select(vec![Sort::CreatedAt, Sort::UpdatedAt, Sort::DueDate, Sort::Priority, Sort::Title])
}

fn order() -> impl Strategy<Value = Option<Order>> {
    of(select(vec![Order::Ascending, Order::Descending]))
}

fn list_query() -> impl Strategy<Value = ListQuery> {
    let some_tags = prop_oneof![3 => Just(Vec::new()), 1 => tags()];
    let status = of(select(Status::ALL.to_vec()));
    let priority = prop_oneof![3 => Just(None), 1 => of(select(Priority::ALL.to_vec()))];
    (any::<bool>(), status, priority, some_tags, sort(), order(), of(1..=150_usize)).prop_map(
        |(trash, status, priority, tags, sort, order, limit)| ListQuery {
            scope: if trash { Scope::Trash } else { Scope::Live },
            status,
            priority,
            tags,
            sort,
            order,
            limit,
            cursor: None,
        },
    )
}

fn search_query() -> impl Strategy<Value = SearchQuery> {
    let text = of(select(vec!["pay", "ÜBER", "%", "_", "größe", "\"", "tag_", "K", " "]).prop_map(str::to_owned));
    let status = of(select(Status::ALL.to_vec()));
    let some_tags = prop_oneof![3 => Just(Vec::new()), 1 => tags()];
    let page = (of(1..6_usize), of(1..=100_usize));
    (text, status, some_tags, of(due()), of(due()), select(ZONES.to_vec()), of(any::<bool>()), sort(), order(), page)
        .prop_map(|(text, status, tags, due_from, due_to, zone, overdue, sort, order, (page, limit))| SearchQuery {
            text,
            status,
            priority: None,
            tags,
            due_from,
            due_to,
            time_zone: TimeZoneName::parse(zone).unwrap(),
            overdue,
            sort,
            order,
            page,
            limit,
        })
}

/// The order that the API promises, said as plainly as can be.
fn expected_order(one: &Task, other: &Task, sort: Sort, order: Option<Order>, now: Timestamp) -> Ordering {
    let order = order.unwrap_or(sort.default_order());
    let directed = |ordering: Ordering| if order == Order::Descending { ordering.reverse() } else { ordering };
    let missing_last = |one: &Task, other: &Task| one.deadline().is_none().cmp(&other.deadline().is_none());
    let newest = || (other.created_at, other.id).cmp(&(one.created_at, one.id));
    let ties = || missing_last(one, other).then(one.deadline().cmp(&other.deadline())).then_with(newest);
    match sort {
        Sort::CreatedAt => directed((one.created_at, one.id).cmp(&(other.created_at, other.id))),
        Sort::UpdatedAt => directed(one.updated_at.cmp(&other.updated_at)).then_with(ties),
        Sort::Priority => directed(one.priority.cmp(&other.priority)).then_with(ties),
        Sort::Title => directed(one.title.to_lowercase().cmp(&other.title.to_lowercase())).then_with(ties),
        Sort::DueDate => other
            .is_overdue(now)
            .cmp(&one.is_overdue(now))
            .then(missing_last(one, other))
            .then_with(|| directed(one.deadline().cmp(&other.deadline())))
            .then_with(newest),
        Sort::DeletedAt => directed(one.deleted_at.cmp(&other.deleted_at)).then_with(ties),
    }
}

fn holds_tags(task: &Task, wanted: &[String]) -> bool {
    wanted.iter().all(|tag| task.tags.contains(&tag.to_lowercase()))
}

fn expected_list(tasks: &[Task], query: &ListQuery, now: Timestamp) -> Vec<TaskId> {
    let mut matching: Vec<&Task> = tasks
        .iter()
        .filter(|task| task.is_trashed() == (query.scope == Scope::Trash))
        .filter(|task| query.status.is_none_or(|status| task.status == status))
        .filter(|task| query.priority.is_none_or(|priority| task.priority == priority))
        .filter(|task| holds_tags(task, &query.tags))
        .collect();
    matching.sort_by(|one, other| expected_order(one, other, query.sort, query.order, now));
    matching.into_iter().map(|task| task.id).collect()
}

fn expected_search(tasks: &[Task], query: &SearchQuery, now: Timestamp) -> Vec<TaskId> {
    let holds_text = |task: &Task| {
        let Some(text) = query.text.as_deref().map(str::trim) else { return true };
        let text = text.to_lowercase();
        let mut texts = vec![task.title.clone(), task.description.clone().unwrap_or_default()];
        texts.extend(task.tags.iter().cloned());
        texts.iter().any(|hay| hay.to_lowercase().contains(&text))
    };
    let is_due_between = |task: &Task| {
        if query.due_from.is_none() && query.due_to.is_none() {
            return true;
        }
        let zone = query.time_zone.zone();
        let Some(due) = task.due_date else { return false };
        let from = query.due_from.is_none_or(|from| match due {
            DueDate::At(due) => from.start(&zone) <= due,
            DueDate::On(day) => from.day(&task.time_zone.zone()) <= day,
        });
        let to = query.due_to.is_none_or(|to| match due {
            DueDate::At(due) => due <= to.deadline(&zone),
            DueDate::On(day) => day <= to.day(&task.time_zone.zone()),
        });
        from && to
    };
    let mut matching: Vec<&Task> = tasks
        .iter()
        .filter(|task| !task.is_trashed())
        .filter(|task| query.status.is_none_or(|status| task.status == status))
        .filter(|task| holds_tags(task, &query.tags))
        .filter(|task| query.overdue.is_none_or(|overdue| task.is_overdue(now) == overdue))
        .filter(|task| holds_text(task) && is_due_between(task))
        .collect();
    matching.sort_by(|one, other| expected_order(one, other, query.sort, query.order, now));
    matching.into_iter().map(|task| task.id).collect()
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn no_sequence_of_commands_breaks_the_list(steps in steps()) {
        play(steps, true);
    }

    #[test]
    fn queries_answer_what_a_plain_model_answers(
        steps in steps(),
        lists in vec(list_query(), 6),
        searches in vec(search_query(), 6),
    ) {
        let mut store = play(steps, false);
        store.check();
        let (tasks, now) = (store.tasks(), store.now);
        for query in lists {
            let expected = expected_list(&tasks, &query, now);
            let mut found = Vec::new();
            let mut next = query.clone();
            loop {
                let page = store.ask(|list| next.run(list, now));
                prop_assert_eq!(usize::try_from(page.total).unwrap(), expected.len(), "{:?}", &query);
                prop_assert!(page.items.len() <= query.limit.unwrap_or(100));
                found.extend(page.items.iter().map(|task| task.id));
                match page.next {
                    Some(cursor) => {
                        let cursor = todo_domain::query::Cursor::parse(&cursor.to_string()).unwrap();
                        next.cursor = Some(cursor);
                    }
                    None => break,
                }
            }
            prop_assert_eq!(found, expected, "{:?}", &query);
        }
        for query in searches {
            let expected = expected_search(&tasks, &query, now);
            let page = store.ask(|list| query.run(list, now));
            let (number, limit) = (query.page.unwrap_or(1), query.limit.unwrap_or(10));
            let wanted: Vec<TaskId> = expected.iter().copied().skip((number - 1) * limit).take(limit).collect();
            prop_assert_eq!(usize::try_from(page.total).unwrap(), expected.len(), "{:?}", &query);
            prop_assert_eq!(page.pages, expected.len().div_ceil(limit));
            prop_assert_eq!(page.items.iter().map(|task| task.id).collect::<Vec<_>>(), wanted, "{:?}", &query);
        }
    }

    #[test]
    fn every_task_is_found_by_its_id_and_every_tag_is_counted(steps in steps()) {
        let mut store = play(steps, false);
        let tasks = store.tasks();
        for task in tasks.iter().step_by(7) {
            let found = store.ask(|list| list.task(task.id));
            prop_assert_eq!(found.as_ref(), Some(task));
        }
        let mut live: Vec<Task> = tasks.iter().filter(|task| !task.is_trashed()).cloned().collect();
        live.sort_by_key(|task| task.id);
        prop_assert_eq!(store.ask(todo_domain::list::TaskList::tasks), live);
        let counts = store.ask(TagCount::of);
        for count in &counts {
            let tagged = || tasks.iter().filter(|task| !task.is_trashed() && task.tags.contains(&count.tag));
            prop_assert_eq!(usize::try_from(count.total).unwrap(), tagged().count());
            let open = tagged().filter(|task| task.status != Status::Completed).count();
            prop_assert_eq!(usize::try_from(count.open).unwrap(), open);
        }
        let live = tasks.iter().filter(|task| !task.is_trashed());
        let distinct: std::collections::BTreeSet<&String> = live.flat_map(|task| &task.tags).collect();
        prop_assert_eq!(counts.len(), distinct.len());
    }

    #[test]
    fn the_list_pages_on_without_repeats_while_tasks_are_added(
        steps in steps(),
        mut query in list_query(),
        added in vec(new_task(), 1..60),
    ) {
        query.scope = Scope::Live;
        let mut store = play(steps, false);
        let before = expected_list(&store.tasks(), &query, store.now);
        let mut found = Vec::new();
        let mut added = added.into_iter();
        loop {
            let page = store.ask(|list| query.run(list, store_now(list)));
            found.extend(page.items.iter().map(|task| task.id));
            store.tick(1);
            for task in added.by_ref().take(3) {
                store.create(task);
            }
            match page.next {
                Some(cursor) => query.cursor = Some(cursor),
                None => break,
            }
        }
        let distinct: std::collections::BTreeSet<TaskId> = found.iter().copied().collect();
        prop_assert_eq!(distinct.len(), found.len(), "a task came twice");
        prop_assert!(before.iter().all(|id| distinct.contains(id)), "a task was left out");
    }

    #[test]
    fn reading_documents_never_panics(text in ".{0,200}", number in any::<u32>()) {
        let _ = todo_domain::list::TaskList::parse(Store::user_id(), &text);
        let mut list = todo_domain::list::TaskList::empty(Store::user_id());
        list.load_page(PageNumber(number), text);
        let _ = ListQuery::default().run(&list, Timestamp::UNIX_EPOCH);
    }
}

/// Any time will do: the cursor carries the first page's.
fn store_now(_: &todo_domain::list::TaskList) -> Timestamp {
    "2026-03-01T09:00:00Z".parse().unwrap()
}
