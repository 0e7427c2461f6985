//! Events as the sidecar delivers them.

use serde_json::{Value, json};
use todo_app::notifications::delivery::{Delivery, MESSAGE_TYPE};
use todo_app::updates::{SESSION_ENDED, SessionEnded};
use todo_domain::{
    DigestEvent, DigestId, DigestSection, DigestTask, DueDate, EventType, ReminderEvent, ReminderId, ReminderStatus,
    TaskEvent, TaskUpdates,
};

use super::story::{Story, id, now};

/// Each event by its topic and what it tells of.
pub(super) fn all(story: &Story) -> Vec<(String, Value)> {
    let kinds = [EventType::Created, EventType::Updated, EventType::Completed, EventType::Deleted];
    let mut all: Vec<(String, Value)> = kinds
        .into_iter()
        .map(|kind| {
            let event = story.events.iter().find(|event| event.event_type == kind).expect("the story has every kind");
            (
                format!("task-events.{}", kind.as_str()),
                envelope("task-events", event.event_id.to_string(), value(event)),
            )
        })
        .collect();
    let gone = &story.farewell;
    let event = envelope("task-events", gone.event_id.to_string(), value(gone));
    all.push(("task-events.accountDeleted".to_owned(), event));
    for status in [ReminderStatus::Pending, ReminderStatus::Sent, ReminderStatus::Cancelled] {
        let reminder = reminder(story, status);
        let word = value(&status).as_str().expect("a status is a word").to_owned();
        let event = envelope("reminders", reminder.reminder_id.to_string(), value(&reminder));
        all.push((format!("reminders.{word}"), typed(event, ReminderEvent::TYPE)));
    }
    let digest = digest(story);
    let event = envelope("reminders", digest.digest_id.to_string(), value(&digest));
    all.push(("reminders.digest".to_owned(), typed(event, DigestEvent::TYPE)));
    let delivery: Delivery = super::documents::read(&delivery(story));
    let event = envelope("deliveries", delivery.delivery_id.to_string(), value(&delivery));
    all.push(("deliveries.push".to_owned(), typed(event, MESSAGE_TYPE)));
    for (event, what) in story.events.iter().zip(["created", "updated", "status"]) {
        all.push((format!("task-updates.{what}"), updates(event)));
    }
    let deleted = story.events.iter().find(|event| event.event_type == EventType::Deleted);
    all.push(("task-updates.deleted".to_owned(), updates(deleted.expect("the story has every kind"))));
    let ended = SessionEnded { sessions: vec![id(0x4001)], account: false, ..SessionEnded::all(story.user.id) };
    let event = envelope("task-updates", id(0x3001).to_string(), value(&ended));
    all.push(("task-updates.sessionEnded".to_owned(), typed(event, SESSION_ENDED)));
    all
}

fn reminder(story: &Story, status: ReminderStatus) -> ReminderEvent {
    ReminderEvent {
        reminder_id: ReminderId::new(id(0x2001)),
        task_id: story.made.id,
        user_id: story.user.id,
        due_time: story.made.due_date.unwrap_or(DueDate::At(now())),
        remind_at: now(),
        status,
        title: story.made.title.clone(),
    }
}

fn digest(story: &Story) -> DigestEvent {
    let task = DigestTask {
        task_id: story.made.id,
        title: story.made.title.clone(),
        due_date: story.made.due_date.unwrap_or(DueDate::At(now())),
    };
    DigestEvent {
        digest_id: DigestId::new(id(0x2101)),
        user_id: story.user.id,
        day: DueDate::parse("2026-03-01").expect("the text is a day"),
        time_zone: story.user.time_zone.clone(),
        timestamp: now(),
        today: DigestSection { total: 1, tasks: vec![task] },
        overdue: DigestSection::default(),
    }
}

fn delivery(story: &Story) -> Value {
    json!({
        "deliveryId": id(0x6005),
        "userId": story.user.id,
        "channel": "push",
        "targetId": id(0x6002),
        "attempt": 1,
        "eventType": "reminder.due",
        "timestamp": now(),
        "data": super::notifications::entry(story),
    })
}

/// The updates of an event.
fn updates(event: &TaskEvent) -> Value {
    let updates = TaskUpdates::of(event);
    let id = updates.updates.first().map(|update| update.update_id.to_string()).unwrap_or_default();
    envelope("task-updates", id, value(&updates))
}

fn envelope(topic: &str, id: String, data: Value) -> Value {
    json!({
        "data": data,
        "datacontenttype": "application/json",
        "id": id,
        "pubsubname": "pubsub",
        "source": "todo",
        "specversion": "1.0",
        "time": "2026-03-01T09:00:00Z",
        "topic": topic,
        "traceid": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "tracestate": "",
        "type": "com.dapr.event.sent",
    })
}

/// The event with a type of its own.
fn typed(mut event: Value, name: &str) -> Value {
    event["type"] = name.into();
    event
}

fn value<E: serde::Serialize>(event: &E) -> Value {
    serde_json::to_value(event).expect("events have text keys and finite numbers")
}
