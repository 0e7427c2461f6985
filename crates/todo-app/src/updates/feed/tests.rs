//! What a page is told, and when its stream ends.

use serde_json::json;
use todo_domain::{TimeZoneName, UserId};
use uuid::Uuid;

use super::*;
use crate::access::User;
use crate::numbered::Entry;
use crate::sse::{Event, Reader};

const NOW: &str = "2026-03-01T09:00:00Z";

fn user() -> UserId {
    UserId::new(Uuid::from_u128(1))
}

fn session() -> Uuid {
    Uuid::from_u128(2)
}

fn listener() -> Listener {
    let user = User { id: user(), time_zone: TimeZoneName::utc() };
    Listener::new(user, Credential::Session(Some(session())), "2026-03-01T09:15:00Z".parse().unwrap())
}

fn message(sequence: u64) -> serde_json::Value {
    json!({ "userId": user(), "sequence": sequence, "updates": [{ "sequence": sequence, "updateType": "title" }] })
}

fn ring(numbers: std::ops::RangeInclusive<u64>) -> Ring {
    let last = *numbers.end();
    Ring { last, closed: false, entries: numbers.map(|number| Entry::new(number, &message(number))).collect() }
}

/// What a text says: the kinds of its events with their ids.
fn told(text: &str) -> Vec<String> {
    let events = text.split("\n\n").filter(|event| event.contains("event: "));
    let field = |event: &str, name: &str| {
        event.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned)).unwrap_or_default()
    };
    events.map(|event| format!("{} {}", field(event, "event: "), field(event, "id: "))).collect()
}

fn delivered(kind: &str, data: &serde_json::Value) -> Item {
    let envelope = json!({ "id": "1", "source": "todo", "type": kind, "data": data }).to_string();
    Item::Event(Event { kind: String::new(), data: envelope })
}

fn begin(resume: Option<u64>, ring: &Ring) -> (Feed, Vec<String>) {
    let (feed, text) = Feed::begin(listener(), resume, ring);
    assert!(text.starts_with("retry: "), "{text}");
    assert!(Reader::default().take(text.as_bytes()).is_ok());
    (feed, told(&text))
}

#[test]
fn a_page_begins_with_what_it_missed_and_no_more() {
    let full = ring(5..=9);
    assert_eq!(begin(None, &full).1, ["ready 9"]);
    assert_eq!(begin(Some(9), &full).1, ["ready 9"]);
    assert_eq!(begin(Some(7), &full).1, ["ready 7", "update 8", "update 9"]);
    assert_eq!(begin(Some(4), &full).1, ["ready 4", "update 5", "update 6", "update 7", "update 8", "update 9"]);
    // What it missed is not all there, or it knows what never was.
    assert_eq!(begin(Some(3), &full).1, ["reset 9"]);
    assert_eq!(begin(Some(10), &full).1, ["reset 9"]);
    assert_eq!(begin(Some(4), &Ring { last: 9, ..Ring::default() }).1, ["reset 9"]);
    assert_eq!(begin(Some(0), &Ring::default()).1, ["ready 0"]);
    let mut gap = ring(5..=9);
    gap.entries.remove(2);
    assert_eq!(begin(Some(5), &gap).1, ["reset 9"]);
    assert_eq!(begin(Some(7), &gap).1, ["ready 7", "update 8", "update 9"]);
}

#[test]
fn what_comes_is_told_once_and_only_to_its_user() {
    let (mut feed, _) = begin(Some(7), &ring(5..=9));
    let now = NOW.parse().unwrap();
    let mut take = |message: &serde_json::Value| match feed.take(&delivered("com.dapr.event.sent", message), now) {
        Step::Tell(text) => told(&text),
        other => vec![format!("{other:?}")],
    };
    for known in [8, 9] {
        assert_eq!(take(&message(known)), ["Wait"]);
    }
    assert_eq!(take(&message(10)), ["update 10"]);
    assert_eq!(take(&message(10)), ["Wait"]);
    let mut foreign = message(11);
    foreign["userId"] = json!(Uuid::from_u128(7));
    assert_eq!(take(&foreign), ["Wait"]);
    assert_eq!(take(&json!({ "unknown": true })), ["Wait"]);
    let mut two = message(11);
    two["updates"] = json!([{ "updateType": "title" }, { "updateType": "tags" }]);
    // Only the last of an event says that all of it was told.
    assert_eq!(take(&two), ["update ", "update 11"]);
}

#[test]
fn a_stream_ends_with_what_it_was_opened_with() {
    let now = NOW.parse().unwrap();
    let ended = |data: serde_json::Value| {
        let (mut feed, _) = begin(None, &ring(1..=1));
        feed.take(&delivered(SESSION_ENDED, &data), now)
    };
    assert_eq!(ended(json!({ "userId": user(), "sessions": [session()] })), Step::End(End::SignedOut));
    assert_eq!(ended(json!({ "userId": user(), "account": true })), Step::End(End::AccountDeleted));
    for other in [
        json!({ "userId": user(), "sessions": [user()], "tokens": [session()] }),
        json!({ "userId": session(), "sessions": [session()], "account": true }),
        json!([]),
    ] {
        assert_eq!(ended(other), Step::Wait);
    }
    let (mut feed, _) = begin(None, &ring(1..=1));
    assert_eq!(feed.take(&Item::Comment("heartbeat".into()), now), Step::Tell(":\n\n".into()));
    let later = "2026-03-01T09:15:00Z".parse().unwrap();
    assert_eq!(feed.take(&Item::Comment("heartbeat".into()), later), Step::End(End::TokenExpired));
    let end = |data: &str| Item::Event(Event { kind: "end".into(), data: data.into() });
    assert_eq!(feed.take(&end("the reader is too slow"), now), Step::End(End::TooSlow));
    assert_eq!(feed.take(&end("the sidecar ends"), now), Step::End(End::Shutdown));
    assert_eq!(End::Shutdown.text(), "event: end\ndata: {\"reason\":\"shutdown\",\"reconnect\":true}\n\n");
    assert!(End::SignedOut.text().contains("\"reconnect\":false"));
}
