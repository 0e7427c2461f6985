//! Cursors: opaque to clients, and so anything at all to us.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use fuzzing::{config, damaged};
use proptest::prelude::*;
use proptest::sample::select;
use todo_domain::list::{Command, TaskList};
use todo_domain::query::{Cursor, ListQuery, Order, Scope, Sort};
use todo_domain::{NewTask, UserId};
use uuid::Uuid;

const PARTS: [&str; 16] = [
    "\"createdAt\"",
    "\"deletedAt\"",
    "\"title\"",
    "\"asc\"",
    "\"desc\"",
    "null",
    "-9223372036854775808",
    "9223372036854775807",
    "256",
    "1e400",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "{}",
    "[]",
    "\"9999-12-31T23:59:59Z\"",
    "\"text\"",
];

/// Cursors as they are given, without their wrapping.
fn json() -> impl Strategy<Value = String> {
    let sort = select(vec!["createdAt", "updatedAt", "dueDate", "priority", "title", "deletedAt"]);
    let order = select(vec!["asc", "desc"]);
    let number = prop_oneof![any::<i64>(), -3..3_i64];
    (sort, order, number.clone(), number.clone(), number, 0..4_u8).prop_map(|(sort, order, one, two, three, group)| {
        format!(
            r#"["{sort}","{order}","2026-03-01T09:00:00Z",{{"group":{group},"number":{one},"text":"a","deadline":{two},"created":{three},"id":"0190163d-8694-739b-aea5-966c26f8ad91"}}]"#
        )
    })
}

fn list() -> TaskList {
    let mut list = TaskList::empty(UserId::new(Uuid::nil()));
    let mut next = 0_u128;
    let mut ids = || {
        next += 1;
        Uuid::from_u128(next)
    };
    for number in 0..20 {
        let task = NewTask { title: format!("Task {number}"), ..NewTask::default() };
        list.apply(&Command::create(task), "2026-03-01T09:00:00Z".parse().unwrap(), &mut ids).unwrap();
    }
    list
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn any_cursor_is_refused_or_leads_to_the_end(json in damaged(json(), &PARTS), limit in 1..25_usize) {
        let Ok(cursor) = Cursor::parse(&URL_SAFE_NO_PAD.encode(json)) else { return Ok(()) };
        prop_assert_eq!(Cursor::parse(&cursor.to_string()), Ok(cursor.clone()));
        let list = list();
        let now = "2026-03-02T09:00:00Z".parse().unwrap();
        for sort in [Sort::CreatedAt, Sort::UpdatedAt, Sort::DueDate, Sort::Priority, Sort::Title, Sort::DeletedAt] {
            for order in [Order::Ascending, Order::Descending] {
                let mut query = ListQuery {
                    sort,
                    order: Some(order),
                    limit: Some(limit),
                    cursor: Some(cursor.clone()),
                    scope: Scope::Live,
                    ..ListQuery::default()
                };
                if query.check_cursor().is_err() {
                    continue;
                }
                let mut pages = 0;
                loop {
                    let page = query.run(&list, now).unwrap();
                    prop_assert!(page.items.len() <= limit);
                    pages += 1;
                    prop_assert!(pages <= 21, "the list has no end");
                    match page.next {
                        Some(next) => query.cursor = Some(next),
                        None => break,
                    }
                }
            }
        }
    }

    #[test]
    fn any_text_is_a_cursor_or_refused(text in damaged(json().prop_map(|json| URL_SAFE_NO_PAD.encode(json)), &["A", "_", "-", "="])) {
        if let Ok(cursor) = Cursor::parse(&text) {
            prop_assert_eq!(Cursor::parse(&cursor.to_string()), Ok(cursor));
        }
    }
}

#[test]
fn long_and_deep_cursors_are_refused() {
    for json in ["[".repeat(6_000), format!("[\"createdAt\",{}", "[".repeat(5_000)), "9".repeat(6_000)] {
        assert!(Cursor::parse(&URL_SAFE_NO_PAD.encode(json)).is_err());
    }
    assert!(Cursor::parse(&"A".repeat(1 << 20)).is_err());
}
