//! What lists and searches cost, and how they are ordered.

use todo_domain::list::{Command, MAX_TASKS};
use todo_domain::query::{Cursor, ListQuery, Order, SearchQuery, Sort};
use todo_domain::{DueDate, NewTask, Priority, Status, Task};

use crate::store::{Store, titled};

fn titles(tasks: &[Task]) -> Vec<&str> {
    tasks.iter().map(|task| task.title.as_str()).collect()
}

#[test]
fn the_default_list_costs_one_read_however_long_the_list() {
    let mut store = Store::with_tasks(700);
    let page = store.ask(|list| ListQuery::default().run(list, store_now()));
    assert_eq!((page.items.len(), page.total, store.pages_read), (100, 700, 0));
    assert_eq!(page.items[0].title, "Task 699");

    let second = ListQuery { cursor: page.next, ..ListQuery::default() };
    let page = store.ask(|list| second.run(list, store_now()));
    assert_eq!(page.items[0].title, "Task 599");
    assert!(store.pages_read <= 2, "{} pages read", store.pages_read);
}

#[test]
fn the_newest_page_of_an_import_costs_one_read_though_all_were_made_at_once() {
    let mut store = Store::new();
    let commands: Vec<Command> = (0..3_000).map(|number| Command::create(titled(&format!("Task {number}")))).collect();
    store.run_all(&commands);
    let page = store.ask(|list| ListQuery::default().run(list, store_now()));
    assert_eq!((page.items[0].title.as_str(), page.items.len(), store.pages_read), ("Task 2999", 100, 0));

    let second = ListQuery { cursor: page.next, ..ListQuery::default() };
    let page = store.ask(|list| second.run(list, store_now()));
    assert_eq!(page.items[0].title, "Task 2899");
    assert!(store.pages_read <= 2, "{} pages read", store.pages_read);
}

#[test]
fn one_write_in_28_touches_a_page() {
    let mut store = Store::with_tasks(500);
    let mut touched = 0;
    for _ in 0..280 {
        touched += store.run(Command::create(titled("More"))).unwrap().writes.len() - 1;
    }
    assert!((10..=12).contains(&touched), "{touched} pages written");
    assert_eq!(store.list().pages().len(), (780 - 128_usize).div_ceil(256));
    store.check();
}

#[test]
fn a_page_that_cannot_match_is_not_read() {
    let mut store = Store::with_tasks(600);
    let completed = ListQuery { status: Some(Status::Completed), ..ListQuery::default() };
    assert_eq!(store.ask(|list| completed.run(list, store_now())).total, 0);
    assert_eq!(store.pages_read, 0);
    let overdue = SearchQuery { overdue: Some(true), ..SearchQuery::default() };
    assert_eq!(store.ask(|list| overdue.run(list, store_now())).total, 0);
    assert_eq!(store.pages_read, 0);
    let urgent = ListQuery { priority: Some(Priority::Urgent), ..ListQuery::default() };
    assert_eq!(store.ask(|list| urgent.run(list, store_now())).total, 0);
    assert!(store.pages_read > 0);
}

#[test]
fn sorts_put_what_is_missing_last_and_overdue_first() {
    let mut store = Store::new();
    let due = |text: &str| DueDate::parse(text).ok();
    let drafts = [
        NewTask { due_date: due("2026-03-05"), priority: Priority::Low, ..titled("later") },
        NewTask { priority: Priority::Urgent, ..titled("Never") },
        NewTask { due_date: due("2026-02-01"), priority: Priority::High, ..titled("overdue") },
        NewTask { due_date: due("2026-01-01"), status: Status::Completed, ..titled("done") },
        NewTask { due_date: due("2026-03-01"), priority: Priority::High, ..titled("Today") },
    ];
    for draft in drafts {
        store.tick(1);
        store.create(draft);
    }
    let mut sorted = |sort, order| {
        let query = ListQuery { sort, order: Some(order), ..ListQuery::default() };
        let page = store.ask(|list| query.run(list, store_now()));
        titles(&page.items).join(" ")
    };
    assert_eq!(sorted(Sort::DueDate, Order::Ascending), "overdue done Today later Never");
    assert_eq!(sorted(Sort::DueDate, Order::Descending), "overdue later Today done Never");
    assert_eq!(sorted(Sort::Priority, Order::Ascending), "Never overdue Today done later");
    assert_eq!(sorted(Sort::Priority, Order::Descending), "later done overdue Today Never");
    assert_eq!(sorted(Sort::Title, Order::Ascending), "done later Never overdue Today");
    assert_eq!(sorted(Sort::CreatedAt, Order::Descending), "Today done overdue Never later");
}

#[test]
fn a_cursor_fits_only_the_list_that_gave_it() {
    let mut store = Store::with_tasks(3);
    let by_title = ListQuery { sort: Sort::Title, limit: Some(1), ..ListQuery::default() };
    let next = store.ask(|list| by_title.run(list, store_now())).next.unwrap();
    let text = next.to_string();
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')), "{text}");
    let cursor = Cursor::parse(&text).unwrap();
    assert_eq!(cursor, next);
    assert!(ListQuery { cursor: Some(cursor.clone()), ..by_title.clone() }.check_cursor().is_ok());
    assert!(ListQuery { cursor: Some(cursor), ..ListQuery::default() }.check_cursor().is_err());
    for text in ["", "x", "AAAA", &text[1..]] {
        assert!(Cursor::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_search_takes_wildcards_literally() {
    let mut store = Store::new();
    for title in ["100% sure", "1000 sure", "snake_case", "snakescase"] {
        store.create(titled(title));
    }
    let found = |store: &mut Store, text: &str| {
        let query = SearchQuery { text: Some(text.to_owned()), ..SearchQuery::default() };
        store.ask(|list| query.run(list, store_now())).items.len()
    };
    assert_eq!(found(&mut store, "100%"), 1);
    assert_eq!(found(&mut store, "snake_"), 1);
    assert_eq!(found(&mut store, "SURE"), 2);
}

#[test]
fn bounds_that_are_days_hold_their_whole_day() {
    let mut store = Store::new();
    for due in ["2026-03-01T00:00:00Z", "2026-03-01T23:59:59Z", "2026-03-01", "2026-03-02T00:00:00Z", "2026-03-02"] {
        store.create(NewTask { due_date: DueDate::parse(due).ok(), ..titled(due) });
    }
    let day = DueDate::parse("2026-03-01").ok();
    let query = SearchQuery { due_from: day, due_to: day, sort: Sort::DueDate, ..SearchQuery::default() };
    let page = store.ask(|list| query.run(list, store_now()));
    assert_eq!(titles(&page.items), ["2026-03-01T00:00:00Z", "2026-03-01T23:59:59Z", "2026-03-01"]);
}

#[test]
fn pages_behind_the_last_are_empty() {
    let mut store = Store::with_tasks(25);
    let query = SearchQuery { page: Some(usize::MAX), limit: Some(7), ..SearchQuery::default() };
    let page = store.ask(|list| query.run(list, store_now()));
    assert_eq!((page.items.len(), page.total, page.pages, page.limit), (0, 25, 4, 7));
}

#[test]
fn a_full_list_is_searched_in_40_pages() {
    let mut store = Store::new();
    let commands: Vec<Command> =
        (0..MAX_TASKS).map(|number| Command::create(titled(&format!("Task {number}")))).collect();
    store.run_all(&commands);
    let query = SearchQuery { text: Some("task 9999".to_owned()), ..SearchQuery::default() };
    assert_eq!(store.ask(|list| query.run(list, store_now())).total, 1);
    assert!(store.pages_read <= 40, "{} pages read", store.pages_read);
}

fn store_now() -> jiff::Timestamp {
    "2026-03-01T09:00:00Z".parse().unwrap()
}
