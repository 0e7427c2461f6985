//! From an event to the inbox, and to a message for each receiver.

use dapr::Transport;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use todo_domain::{DigestEvent, EventId, ReminderEvent, ReminderStatus, TaskId, UserId, instant};
use uuid::Uuid;

use super::{
    delivery::{Channel, Delivery, MESSAGE_TYPE, TOPIC},
    derived_id,
    inbox::{Entry, Inbox, entry_kind},
    push::PushSubscriptions,
    raw,
    webhooks::{TEST_EVENT, Webhooks},
};
use crate::{
    App, accounts,
    documents::{Documents, UserDocument},
    failure::Failure,
    http::problem::Problem,
    schedule::Message,
};

/// The most characters of an entry's text.
const MAX_TEXT: usize = 2_000;

/// The part of an account on which mail hangs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Addressee {
    #[serde(default)]
    email_notifications: bool,
}

/// A [`todo_domain::TaskEvent`], as far as it concerns webhooks: the task goes on as it came.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedTask {
    event_id: EventId,
    event_type: String,
    task_id: TaskId,
    user_id: UserId,
    sequence: u64,
    #[serde(deserialize_with = "instant::read")]
    timestamp: Timestamp,
    payload: ChangedPayload,
}

#[derive(Debug, Deserialize)]
struct ChangedPayload {
    task: Box<RawValue>,
    #[serde(default)]
    changed: Vec<String>,
}

/// What a webhook is told of a change of a task.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskData<'a> {
    task_id: TaskId,
    sequence: u64,
    changed: &'a [String],
    task: &'a RawValue,
}

/// What happened, as a webhook is told.
struct Happening<'a> {
    user: UserId,
    /// What the ids of its deliveries are derived from.
    id: Uuid,
    event_type: &'a str,
    at: Timestamp,
    data: Box<RawValue>,
}

impl<T: Transport> App<T> {
    /// Tells the user and their receivers of a reminder, once for each of its ids.
    ///
    /// # Errors
    /// [`Failure::Sidecar`] when store or broker is away; the event is to come again then.
    pub async fn tell_reminder(&self, event: &ReminderEvent) -> Result<(), Failure> {
        if event.status != ReminderStatus::Pending {
            return Ok(());
        }
        let id = event.reminder_id.as_uuid();
        let mut entry = Entry::new(id, entry_kind::REMINDER, event.title.clone(), event.remind_at);
        entry.task_id = Some(event.task_id);
        entry.due_date = Some(event.due_time);
        let data = json!({
            "reminderId": event.reminder_id,
            "taskId": event.task_id,
            "title": event.title,
            "dueDate": event.due_time,
            "remindAt": event.remind_at,
        });
        let (user, at) = (event.user_id, event.remind_at);
        self.tell(Happening { user, id, event_type: "reminder.due", at, data: raw(&data)? }, entry).await
    }

    /// Tells the user and their receivers what the day brings, once for each of its ids.
    ///
    /// # Errors
    /// As [`App::tell_reminder`].
    pub async fn tell_digest(&self, event: &DigestEvent) -> Result<(), Failure> {
        let id = event.digest_id.as_uuid();
        let title = format!("{} due today, {} overdue", event.today.total, event.overdue.total);
        let mut entry = Entry::new(id, entry_kind::DIGEST, title, event.timestamp);
        entry.text = Some(digest_text(event)).filter(|text| !text.is_empty());
        let (user, at) = (event.user_id, event.timestamp);
        self.tell(Happening { user, id, event_type: "digest.daily", at, data: raw(event)? }, entry).await
    }

    /// Tells the user's webhooks of a change of a task.
    ///
    /// # Errors
    /// As [`App::tell_reminder`].
    pub async fn tell_task_event(&self, event: &ChangedTask) -> Result<(), Failure> {
        let webhooks: Webhooks = self.user_document(event.user_id).await?;
        if webhooks.webhooks.is_empty() {
            return Ok(());
        }
        let ChangedTask { task_id, sequence, payload, .. } = event;
        let ChangedPayload { changed, task } = payload;
        let data = raw(&TaskData { task_id: *task_id, sequence: *sequence, changed, task })?;
        let event_type = format!("task.{}", event.event_type);
        let (user, id, at) = (event.user_id, event.event_id.as_uuid(), event.timestamp);
        self.tell_webhooks(&Happening { user, id, event_type: &event_type, at, data }, &webhooks).await
    }

    /// Sends a webhook a message to try it with, and gives the id by which its receiver sees it.
    ///
    /// # Errors
    /// 404 when it is not there; 400 when it is disabled; 429 when it was tried just now.
    pub async fn test_webhook(&self, user: UserId, webhook: Uuid) -> Result<Uuid, Problem> {
        self.begin_webhook_test(user, webhook).await?;
        let data = raw(&json!({ "webhookId": webhook }))?;
        let happening = Happening { user, id: crate::fresh_id(), event_type: TEST_EVENT, at: self.now, data };
        let delivery = happening.to(Channel::Webhook, webhook);
        self.publish_delivery(&delivery).await?;
        Ok(delivery.delivery_id)
    }

    /// Receivers first: when this is done again, theirs are told nothing twice, and the inbox has its entry once.
    async fn tell(&self, happening: Happening<'_>, entry: Entry) -> Result<(), Failure> {
        let user = happening.user;
        let account_key = accounts::key(user);
        let keys = vec![account_key.clone(), Inbox::key(user), Webhooks::key(user), PushSubscriptions::key(user)];
        let documents: Documents = self.load_documents(keys).await?;
        // What comes late for a user who has gone must not make an inbox anew.
        let Some((addressee, _)) = documents.get::<Addressee>(&account_key)? else { return Err(Failure::Closed) };
        documents.of_user::<Inbox>(user)?;

        self.tell_webhooks(&happening, &documents.of_user(user)?).await?;
        let about_entry = Happening { data: raw(&entry)?, ..happening };
        for browser in documents.of_user::<PushSubscriptions>(user)?.subscriptions {
            self.publish_delivery(&about_entry.to(Channel::Push, browser.id)).await?;
        }
        if addressee.email_notifications {
            self.publish_delivery(&about_entry.to(Channel::Email, user.as_uuid())).await?;
        }
        let add = |inbox: &mut Inbox| {
            inbox.add(entry.clone());
            Ok(())
        };
        self.change_user_document(user, add).await
    }

    async fn tell_webhooks(&self, happening: &Happening<'_>, webhooks: &Webhooks) -> Result<(), Failure> {
        for webhook in webhooks.webhooks.iter().filter(|webhook| webhook.takes(happening.event_type)) {
            self.publish_delivery(&happening.to(Channel::Webhook, webhook.id)).await?;
        }
        Ok(())
    }

    async fn publish_delivery(&self, delivery: &Delivery) -> Result<(), Failure> {
        let message = Message::new(TOPIC, &delivery.target_id.to_string(), MESSAGE_TYPE, delivery)?;
        self.publish_message(&delivery.delivery_id.to_string(), &message).await
    }
}

impl Happening<'_> {
    /// The first try with a receiver.
    fn to(&self, channel: Channel, target_id: Uuid) -> Delivery {
        Delivery {
            delivery_id: derived_id(&["delivery", &self.id.to_string(), &target_id.to_string()]),
            user_id: self.user,
            channel,
            target_id,
            attempt: 1,
            event_type: self.event_type.to_owned(),
            timestamp: self.at,
            data: self.data.clone(),
        }
    }
}

/// The titles, one in a line, up to [`MAX_TEXT`] characters.
fn digest_text(event: &DigestEvent) -> String {
    let tasks = event.overdue.tasks.iter().chain(&event.today.tasks);
    let named = event.overdue.tasks.len() + event.today.tasks.len();
    let all = usize::try_from(event.overdue.total + event.today.total).unwrap_or(usize::MAX);
    let mut lines: Vec<&str> = tasks.map(|task| task.title.as_str()).collect();
    let more = format!("and {} more", all.saturating_sub(named));
    if all > named {
        lines.push(&more);
    }
    lines.join("\n").chars().take(MAX_TEXT).collect()
}
