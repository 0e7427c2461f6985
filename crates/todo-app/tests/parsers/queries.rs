//! Queries and paths.

use fuzzing::{computed, config, damaged};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use todo_app::http::router::{Found, Route, find};
use todo_app::wire::{list_query, search_query};
use todo_domain::list::TaskList;
use todo_domain::{TimeZoneName, UserId};

use crate::{LIMIT, is_short, now};

const PARAMETERS: [&str; 30] = [
    "status=pending",
    "status=",
    "priority=High",
    "tag=home",
    "tag=%C3%A4",
    "TAG=a",
    "sort=dueDate",
    "sort=due_date",
    "order=asc",
    "limit=1",
    "limit=500",
    "limit=0",
    "limit=18446744073709551616",
    "cursor=abc",
    "q=100%25",
    "q=%00",
    "q=%ff",
    "q=+",
    "dueDateFrom=2026-03-01",
    "dueDateTo=9998-12-31T23:59:59-23:59",
    "overdue=true",
    "page=1000000",
    "page=-1",
    "colour=red",
    "=",
    "&&&",
    "a=b=c",
    "%",
    "%zz=1",
    "limit=%31",
];
const ROUTES: &[Route<u8>] = &[
    Route::new(http::Method::GET, "/api/tasks", 1),
    Route::new(http::Method::GET, "/api/tasks/search", 2),
    Route::new(http::Method::GET, "/api/tasks/{id}", 3),
    Route::new(http::Method::PATCH, "/api/tasks/{id}/complete", 4),
];
const SEGMENTS: [&str; 16] = [
    "api",
    "tasks",
    "search",
    "complete",
    "0190163d-8694-739b-aea5-966c26f8ad91",
    "%2f",
    "..",
    ".",
    "%2e%2e",
    "%00",
    "%ff",
    "\\",
    "a%2Fb",
    "%",
    "%C3%A4",
    "",
];

fn query() -> impl Strategy<Value = String> {
    damaged(vec(select(&PARAMETERS[..]), 0..6).prop_map(|parameters| parameters.join("&")), &PARAMETERS)
}

proptest! {
    #![proptest_config(config(4_000))]

    #[test]
    fn any_query_is_answered_or_refused_in_few_words(text in query()) {
        let list = TaskList::empty(UserId::new(uuid::Uuid::nil()));
        match list_query(Some(&text)) {
            Ok(query) => prop_assert!(query.run(&list, now()).unwrap().items.is_empty()),
            Err(error) => prop_assert!(is_short(&error), "{}", error),
        }
        match search_query(Some(&text), &TimeZoneName::utc()) {
            Ok(query) => prop_assert!(query.run(&list, now()).unwrap().items.is_empty()),
            Err(error) => prop_assert!(is_short(&error), "{}", error),
        }
    }

    #[test]
    fn any_path_is_found_or_not(path in damaged(vec(select(&SEGMENTS[..]), 0..6).prop_map(|parts| format!("/{}", parts.join("/"))), &SEGMENTS)) {
        for method in [http::Method::GET, http::Method::PATCH, http::Method::OPTIONS] {
            if let Ok(Found::Operation(operation, captured, _)) = find(ROUTES, &method, &path) {
                prop_assert_eq!(captured.len(), usize::from(operation > 2));
                prop_assert!(captured.iter().all(|text| !text.is_empty()));
                prop_assert!(path.starts_with("/api/tasks"), "{}", path);
            }
        }
    }
}

#[test]
fn long_queries_are_refused_quickly_and_in_few_words() {
    for piece in ["a=1&", "tag=a&", "%61=&", "&", "q=", "tag=%00&", "status=pending&", "=&"] {
        let text = piece.repeat((64 << 10) / piece.len());
        let (_, time) = computed(|| {
            for error in [list_query(Some(&text)).err(), search_query(Some(&text), &TimeZoneName::utc()).err()] {
                assert!(error.is_none_or(|error| is_short(&error)), "{piece}");
            }
        });
        assert!(time < LIMIT, "{time:?} for {piece}");
    }
    let (_, time) = computed(|| find(ROUTES, &http::Method::GET, &"/api".repeat(16 << 10)).is_err());
    assert!(time < LIMIT, "{time:?}");
}
