//! Documents that are not as they were written: a damaged store is named, never a panic.

use fuzzing::{config, damaged};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use todo_domain::list::{Command, CommandError, DocumentKey, PageNumber, ReadError, TaskList};
use todo_domain::query::{ListQuery, SearchQuery, Sort, TagCount};
use todo_domain::{DueDate, NewTask, UserId};
use uuid::Uuid;

const PARTS: [&str; 18] = [
    "\"tasks\":",
    "\"pages\":",
    "\"counts\":",
    "\"pending\":0",
    "\"revision\":0",
    "null",
    "{}",
    "[]",
    "\"id\":\"x\"",
    "\"createdAt\":\"soon\"",
    "\"dueDate\":\"9999-12-31\"",
    "\"timeZone\":\"Mars\"",
    "\"tags\":[7]",
    "\"schemaVersion\":2",
    "\"sequence\":18446744073709551615",
    "4294967295",
    "\"status\":\"lost\"",
    "\"deletedAt\":\"2026-03-01T09:00:00Z\"",
];

/// A head and its pages, as they are stored.
fn documents() -> (String, Vec<(PageNumber, String)>) {
    let mut list = TaskList::empty(UserId::new(Uuid::nil()));
    let mut next = 0_u128;
    let mut ids = || {
        next += 1;
        Uuid::from_u128(next)
    };
    let tasks: Vec<Command> = (0..160)
        .map(|number| {
            Command::create(NewTask {
                title: format!("Task {number}"),
                due_date: DueDate::parse("2026-03-01").ok().filter(|_| number % 3 == 0),
                tags: vec!["home".into()],
                ..NewTask::default()
            })
        })
        .collect();
    let outcome = list.apply_all(&tasks, "2026-03-01T09:00:00Z".parse().unwrap(), &mut ids).unwrap();
    let mut pages = Vec::new();
    let mut head = String::new();
    for write in outcome.writes {
        match write.key {
            DocumentKey::Head => head = write.json.unwrap(),
            DocumentKey::Page(number) => pages.push((number, write.json.unwrap())),
        }
    }
    assert!(!pages.is_empty());
    (head, pages)
}

/// Asks until nothing is missing; each page is given once.
fn ask<T>(list: &mut TaskList, page: &str, ask: impl Fn(&mut TaskList) -> Result<T, ReadError>) {
    for _ in 0..8 {
        match ask(list) {
            Err(ReadError::PagesNeeded(numbers)) => {
                for number in numbers {
                    list.load_page(number, page.to_owned());
                }
            }
            _ => return,
        }
    }
    panic!("pages are asked for without end");
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn a_damaged_document_is_an_error_or_read(
        which in any::<bool>(),
        damage in any::<Index>(),
        words in damaged(select(PARTS.to_vec()).prop_map(str::to_owned), &PARTS),
        length in 0..60_usize,
    ) {
        let (mut head, pages) = documents();
        let (_, mut page) = pages[0].clone();
        let text = if which { &mut head } else { &mut page };
        let at = damage.index(text.len() + 1);
        let to = (at + length).min(text.len());
        text.replace_range(at..to, &words);
        let Ok(list) = TaskList::parse(UserId::new(Uuid::nil()), &head) else { return Ok(()) };
        let now = "2026-03-02T09:00:00Z".parse().unwrap();
        for sort in [Sort::CreatedAt, Sort::DueDate, Sort::Title] {
            ask(&mut list.clone(), &page, |list| ListQuery { sort, limit: Some(500), ..ListQuery::default() }.run(list, now));
        }
        ask(&mut list.clone(), &page, |list| SearchQuery { text: Some("7".into()), ..SearchQuery::default() }.run(list, now));
        ask(&mut list.clone(), &page, |list| TagCount::of(list));
        ask(&mut list.clone(), &page, |list| list.tasks());
        let mut next = 1_000_000_u128;
        let mut ids = || {
            next += 1;
            Uuid::from_u128(next)
        };
        let create = Command::create(NewTask { title: "t".into(), ..NewTask::default() });
        let complete = Command::Complete { id: Uuid::from_u128(1).into(), expected_version: None };
        for command in [create, complete] {
            let ids = std::cell::RefCell::new(&mut ids);
            ask(&mut list.clone(), &page, |list| match list.apply(&command, now, &mut *ids.borrow_mut()) {
                Err(CommandError::Read(error)) => Err(error),
                _ => Ok(()),
            });
        }
    }
}
