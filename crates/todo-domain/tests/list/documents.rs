//! The stored form: what is written, and what is read of other releases.

use serde_json::{Value, json};
use todo_domain::list::{Command, DocumentError, DocumentKey, PageNumber, ReadError, TaskList};
use todo_domain::query::{ListQuery, Sort};
use todo_domain::{DueDate, NewTask, Priority, Recurrence, TaskEvent, TimeZoneName, UserId};
use uuid::Uuid;

use crate::store::{Store, titled};

fn head(store: &Store) -> Value {
    serde_json::from_str(&store.documents[&DocumentKey::Head]).unwrap()
}

#[test]
fn a_plain_task_is_stored_in_few_words() {
    let mut store = Store::new();
    store.create(titled("Pay rent"));
    let head = head(&store);
    let expected = json!({
        "schemaVersion": 1,
        "userId": "00000000-0000-0000-0000-000000000007",
        "sequence": 1,
        "revision": 1,
        "counts": {"pending": 1, "inProgress": 0, "completed": 0, "trashed": 0},
        "nextPage": 1,
        "tasks": [{
            "id": head["tasks"][0]["id"],
            "title": "Pay rent",
            "status": "pending",
            "priority": "medium",
            "createdAt": "2026-03-01T09:00:00Z",
            "updatedAt": "2026-03-01T09:00:00Z",
            "version": 1,
        }],
    });
    assert_eq!(head, expected);
}

#[test]
fn an_event_carries_the_whole_task() {
    let mut store = Store::new();
    store.create(NewTask {
        priority: Priority::Urgent,
        due_date: DueDate::parse("2026-03-02").ok(),
        time_zone: TimeZoneName::parse("Europe/Berlin").unwrap(),
        recurrence: Recurrence::parse("FREQ=WEEKLY;BYDAY=MO").unwrap(),
        reminders: vec![30],
        tags: vec!["home".into()],
        ..titled("Pay rent")
    });
    let event = serde_json::to_value(&store.events[0]).unwrap();
    let task = &event["payload"]["task"];
    let expected = json!({
        "eventId": event["eventId"],
        "eventType": "created",
        "taskId": task["id"],
        "userId": "00000000-0000-0000-0000-000000000007",
        "sequence": 1,
        "timestamp": "2026-03-01T09:00:00Z",
        "schemaVersion": 1,
        "payload": {
            "task": {
                "id": task["id"],
                "title": "Pay rent",
                "status": "pending",
                "priority": "urgent",
                "tags": ["home"],
                "dueDate": "2026-03-02",
                "timeZone": "Europe/Berlin",
                "recurrence": "FREQ=WEEKLY;BYDAY=MO",
                "reminders": [30],
                "createdAt": "2026-03-01T09:00:00Z",
                "updatedAt": "2026-03-01T09:00:00Z",
                "version": 1,
                "series": {"id": task["id"], "start": "2026-03-02", "occurrence": 1},
            },
            "changed": [],
        },
    });
    assert_eq!(event, expected);
    let read: TaskEvent = serde_json::from_value(event).unwrap();
    assert_eq!(read, store.events[0]);
}

/// A head as a newer release might write it: fields of its own on every level, `id` not first.
fn newer_head() -> String {
    json!({
        "schemaVersion": 1,
        "userId": "00000000-0000-0000-0000-000000000007",
        "sequence": 2,
        "revision": 2,
        "counts": {"pending": 2, "inProgress": 0, "completed": 0, "trashed": 0, "archived": 0},
        "nextPage": 1,
        "colours": ["red"],
        "tasks": [
            {"colour": "red", "createdAt": "2026-03-01T09:00:00Z", "id": "0190163d-8694-739b-aea5-966c26f8ad91", "title": "One", "updatedAt": "2026-03-01T09:00:00Z", "version": 1},
            {"id": "0190163d-8694-739b-aea5-966c26f8ad92", "title": "Two", "createdAt": "2026-03-01T09:00:00Z", "updatedAt": "2026-03-01T09:00:00Z", "version": 1, "place": {"lat": 1}},
        ],
    })
    .to_string()
}

#[test]
fn fields_of_a_newer_release_are_kept_on_every_level() {
    let mut store = Store::new();
    store.documents.insert(DocumentKey::Head, newer_head());
    let now = store.now;
    let page = store.ask(|list| ListQuery { sort: Sort::Title, ..ListQuery::default() }.run(list, now));
    assert_eq!(page.items.len(), 2);

    let id = page.items[1].id;
    store.run(Command::Complete { id, expected_version: Some(1) }).unwrap();
    let head = head(&store);
    assert_eq!(head["tasks"][0]["colour"], "red", "a task that was not touched is as it was");
    assert_eq!(head["tasks"][1]["place"], json!({ "lat": 1 }), "one that was touched has what it had");
    assert_eq!(head["colours"], json!(["red"]), "and so has the head");
    let event = serde_json::to_value(&store.events[0]).unwrap();
    assert_eq!(event["payload"]["task"]["place"], json!({ "lat": 1 }), "and consumers of the newer release are told");
    assert_eq!(head["tasks"][1]["status"], "completed");
    assert_eq!(head["sequence"], 3);
}

#[test]
fn a_document_of_a_newer_schema_is_refused() {
    let text = newer_head().replace("\"schemaVersion\":1", "\"schemaVersion\":2");
    let error = TaskList::parse(Store::user_id(), &text).unwrap_err();
    assert!(matches!(error, DocumentError::NewerSchema { found: 2, .. }), "{error}");
}

#[test]
fn another_users_head_is_refused() {
    let other = UserId::new(Uuid::from_u128(8));
    let error = TaskList::parse(other, &newer_head()).unwrap_err();
    assert!(matches!(error, DocumentError::Misplaced { .. }), "{error}");
}

#[test]
fn a_page_of_another_time_is_stale() {
    let mut store = Store::with_tasks(200);
    let number = PageNumber(1);
    let old = store.documents[&DocumentKey::Page(number)].clone();
    let all = ListQuery { limit: Some(500), ..ListQuery::default() };
    let now = store.now;
    let id = store.ask(|list| all.run(list, now)).items[199].id;
    store.run(Command::Complete { id, expected_version: None }).unwrap();

    let mut list = store.list();
    list.load_page(number, old);
    let command = Command::Reopen { id, expected_version: None };
    let error = list.apply(&command, store.now, &mut Uuid::nil_source()).unwrap_err();
    assert!(error.to_string().contains("page 1 of the task list has revision"), "{error}");
    let by_title = ListQuery { sort: Sort::Title, ..ListQuery::default() };
    assert!(matches!(by_title.run(&list, store.now), Err(ReadError::StalePage { .. })));
}

#[test]
fn held_events_stay_in_the_head_until_confirmed() {
    let store = Store::new();
    let mut list = store.list();
    list.hold_events();
    let mut ids = Uuid::nil_source();
    for title in ["One", "Two"] {
        list.apply(&Command::create(titled(title)), store.now, &mut ids).unwrap();
    }
    let mut list = TaskList::parse(Store::user_id(), &list.head_json()).unwrap();
    assert_eq!(list.held_events().iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2]);
    list.confirm_events(1);
    assert_eq!(list.held_events().len(), 1);
    list.confirm_events(2);
    assert!(!list.head_json().contains("pending\":["));
}

trait NilSource {
    /// Ids of no importance.
    fn nil_source() -> Box<dyn FnMut() -> Uuid>;
}

impl NilSource for Uuid {
    fn nil_source() -> Box<dyn FnMut() -> Uuid> {
        let mut last = 0;
        Box::new(move || {
            last += 1;
            Uuid::from_u128(last)
        })
    }
}
