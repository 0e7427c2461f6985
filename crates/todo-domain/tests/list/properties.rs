//! What holds after any sequence of commands, and what any query answers then.

use std::cell::Cell;
use std::cmp::Ordering;

use fuzzing::config;
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use todo_domain::list::{HEAD_BOUND, PAGE_BOUND, PageNumber};
use todo_domain::query::{ListQuery, Order, Scope, SearchQuery, Sort, TagCount};
use todo_domain::{DueDate, Priority, Status, Task, TaskId, TimeZoneName};

use crate::steps::{ZONES, due, new_task, play, play_and, steps, tags};
use crate::store::Store;

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

/// Without such a look, a generator that stays within the bounds proves nothing of what is beyond them.
#[test]
fn the_bounds_of_head_and_page_are_met_and_crossed_often() {
    let mut runner = proptest::test_runner::TestRunner::new(config(48));
    let (full_heads, full_pages, crossed) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let count = |cell: &Cell<u32>, is_so: bool| cell.set(cell.get() + u32::from(is_so));
    let played = runner.run(&steps(), |steps| {
        let (mut head_before, mut full_before) = (0, 0);
        play_and(steps, |store| {
            let (head, pages) = store.lengths();
            let full = pages.iter().filter(|length| **length == PAGE_BOUND).count();
            count(&full_heads, head == HEAD_BOUND);
            count(&full_pages, full > full_before);
            count(&crossed, head_before == HEAD_BOUND && head < HEAD_BOUND);
            (head_before, full_before) = (head, full);
        });
        Ok(())
    });
    played.unwrap();
    let seen = (full_heads.get(), full_pages.get(), crossed.get());
    assert!(seen.0 >= 48 && seen.1 >= 6 && seen.2 >= 12, "{seen:?}");
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
