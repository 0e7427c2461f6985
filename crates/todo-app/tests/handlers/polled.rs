//! `updates_from=poll`: what a page is told that looks at its user's ring.

use std::time::Duration;

use futures::executor::block_on;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;
use todo_app::accounts::SignUp;
use todo_app::http::Request;
use todo_app::updates::{Pieces, Poller};
use todo_domain::{TaskEvent, TimeZoneName, UserId};

use crate::sidecar::Sidecar;
use crate::{BEGIN, app};

fn clock() -> Timestamp {
    Timestamp::from_second(BEGIN).unwrap()
}

fn no_wait(_: Duration) {}

/// A user with a page that is open, and the user's id.
fn page(sidecar: &Sidecar) -> (Poller<Sidecar>, UserId) {
    let app = app(sidecar, 0);
    let new = SignUp {
        email: "ada@example.com".into(),
        name: "Ada".into(),
        password: "correct horse".into(),
        time_zone: TimeZoneName::utc(),
        client_address: String::new(),
    };
    let signed_in = block_on(app.sign_up(new)).unwrap();
    let mut request = Request::new(Vec::new());
    let token = format!("Bearer {}", signed_in.access.token);
    request.headers_mut().insert("authorization", token.parse().unwrap());
    let listener = block_on(app.listener(&request)).unwrap();
    let mut page = block_on(app.poll_updates(listener, None, clock, no_wait)).unwrap();
    let begin = told(&mut page).unwrap();
    assert!(begin.contains("event: ready"), "{begin}");
    (page, signed_in.profile.id)
}

fn told(page: &mut Poller<Sidecar>) -> Option<String> {
    block_on(page.next()).map(|piece| String::from_utf8(piece).unwrap())
}

/// The numbers of the events that a text tells.
fn numbers(text: &str) -> Vec<u64> {
    text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect()
}

/// So many events of a user.
fn events(user: UserId, count: u64) -> Vec<TaskEvent> {
    let text = include_str!("../../../../contracts/samples/0.1/events/task-events.created.json");
    let envelope: Value = serde_json::from_str(text).unwrap();
    let event: TaskEvent = serde_json::from_value(envelope["data"].clone()).unwrap();
    (1..=count).map(|sequence| TaskEvent { user_id: user, sequence, ..event.clone() }).collect()
}

fn record(sidecar: &Sidecar, event: &TaskEvent) {
    block_on(app(sidecar, 0).record_updates(event)).unwrap();
}

proptest! {
    #![proptest_config(fuzzing::config(30))]

    #[test]
    fn a_page_is_told_every_event_once_and_in_order_however_they_come(
        order in Just((1..=60_usize).collect::<Vec<_>>()).prop_shuffle(),
        looks in proptest::collection::vec(0..60_usize, 0..6),
    ) {
        let sidecar = Sidecar::default();
        let (mut page, user) = page(&sidecar);
        let events = events(user, 60);
        let (mut seen, mut is_open) = (Vec::new(), true);
        let look = |seen: &mut Vec<u64>, page: &mut Poller<Sidecar>| {
            let text = told(page).unwrap();
            seen.extend(numbers(&text));
            !text.contains("event: end")
        };
        for (place, number) in order.into_iter().enumerate() {
            record(&sidecar, &events[number - 1]);
            if is_open && looks.contains(&place) {
                is_open = look(&mut seen, &mut page);
            }
        }
        // What stayed away for too long ended the stream; the page knows what it has.
        if is_open {
            while seen.last() != Some(&60) {
                prop_assert!(look(&mut seen, &mut page));
            }
        }
        prop_assert!(seen.iter().copied().eq(1..=seen.len() as u64), "{:?}", seen);
    }
}

#[test]
fn a_gap_that_stays_ends_the_stream_so_that_the_page_begins_anew() {
    let sidecar = Sidecar::default();
    let (mut page, user) = page(&sidecar);
    let events = events(user, 3);
    record(&sidecar, &events[0]);
    record(&sidecar, &events[2]);
    assert_eq!(numbers(&told(&mut page).unwrap()), [1]);
    let end = told(&mut page).unwrap();
    assert!(end.contains(r#"{"reason":"interrupted","reconnect":true}"#), "{end}");
    assert_eq!(told(&mut page), None);
}

#[test]
fn a_silent_page_hears_that_the_stream_is_alive_and_one_whose_session_ends_hears_that() {
    let sidecar = Sidecar::default();
    let (mut page, user) = page(&sidecar);
    assert_eq!(told(&mut page).unwrap(), ":\n\n");
    let key = format!("accounts/{user}");
    sidecar.world.borrow_mut().documents.get_mut(&key).unwrap().0["sessions"] = serde_json::json!([]);
    assert!(told(&mut page).unwrap().contains("signed-out"));
    assert_eq!(told(&mut page), None);
}
