//! What the event handlers share: reading a delivery, and answering it.
//!
//! A handler is given what it knows; what it does not know is acknowledged, and the answer says that it was ignored, so
//! that the sidecar counts it.
//! What is no event at all is given up with its reason: it becomes a dead letter, and `todo replay` brings it back.
//! A failure of the store or the sidecar is answered as everywhere, and the event comes again.

use ::http::StatusCode;
use dapr::{Acknowledgement, CloudEvent};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use todo_domain::event::FarewellType;
use todo_domain::{AccountDeleted, EventType, TaskEvent};

use crate::{
    failure::Failure,
    http::{Answer, Request, empty, json},
};

/// The topic of what happens to tasks.
pub const TASK_EVENTS: &str = "task-events";

/// Why an event was not taken.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It can never be taken: it goes to the dead letters. The text says what is wrong with it.
    #[error("{0}")]
    Poison(String),
    /// It may be taken later: it comes again.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<dapr::Error> for EventError {
    fn from(error: dapr::Error) -> Self {
        Self::Failure(error.into())
    }
}

/// What the topic `task-events` carries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(untagged))]
pub enum TaskTopicEvent {
    /// A task changed.
    Task(Box<TaskEvent>),
    /// A user has gone; nothing follows of theirs.
    AccountDeleted(AccountDeleted),
}

/// What of a task event's data tells how to read the rest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    event_type: String,
}

/// Gives a delivery of the topic `task-events` to a handler, and makes the answer for the sidecar.
///
/// # Errors
/// 5xx by which the event comes again.
pub async fn take_task_event(
    request: &Request,
    handler: impl AsyncFnOnce(TaskTopicEvent) -> Result<(), EventError>,
) -> Answer {
    take(request, async |event: CloudEvent<Box<RawValue>>| {
        let data = event.data.get();
        let Kind { event_type } = read(data)?;
        let event = if event_type == FarewellType::ACCOUNT_DELETED {
            TaskTopicEvent::AccountDeleted(read(data)?)
        } else if EventType::ALL.iter().any(|known| known.as_str() == event_type) {
            TaskTopicEvent::Task(read(data)?)
        } else {
            eprintln!("an event of the unknown type `{}` is ignored", shortened(&event_type));
            return Ok(Taken::Ignored);
        };
        handler(event).await?;
        Ok(Taken::Done)
    })
    .await
}

/// What became of an event that a handler has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// What it asks for is done, now or before.
    Done,
    /// The handler does not know its kind: nothing was done.
    Ignored,
}

/// Gives a delivery of any topic to a handler, and makes the answer for the sidecar.
///
/// A handler of a topic with several kinds of events looks at [`CloudEvent::event_type`] and reads the data with [`read`].
///
/// # Errors
/// 5xx by which the event comes again.
pub async fn take(
    request: &Request,
    handler: impl AsyncFnOnce(CloudEvent<Box<RawValue>>) -> Result<Taken, EventError>,
) -> Answer {
    let text = std::str::from_utf8(request.body()).map_err(|error| EventError::Poison(format!("not UTF-8: {error}")));
    let taken = match text.and_then(read) {
        Ok(event) => handler(event).await,
        Err(error) => Err(error),
    };
    match taken {
        Ok(Taken::Done) => Ok(empty(StatusCode::OK)),
        Ok(Taken::Ignored) => Ok(json(StatusCode::OK, &Acknowledgement::ignored())),
        Err(EventError::Poison(reason)) => {
            eprintln!("an event cannot be taken: {reason}");
            Ok(json(StatusCode::OK, &Acknowledgement::dropped(reason)))
        }
        // Whatever was to be done for the user went with the account.
        Err(EventError::Failure(Failure::Closed)) => Ok(empty(StatusCode::OK)),
        Err(EventError::Failure(failure)) => Err(failure.into()),
    }
}

/// Reads JSON of an event; what cannot be read can never be taken.
///
/// # Errors
/// [`EventError::Poison`] with the place and what is wrong there.
pub fn read<D: DeserializeOwned>(text: &str) -> Result<D, EventError> {
    serde_json::from_str(text).map_err(|error| EventError::Poison(shortened(&error.to_string())))
}

/// At most 200 characters of a text that came from outside.
fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    fn delivery(data: &str) -> Request {
        let envelope = format!(
            r#"{{"id":"1","source":"todo","specversion":"1.0","type":"com.dapr.event.sent","topic":"task-events","data":{data}}}"#
        );
        Request::new(envelope.into_bytes())
    }

    fn answer(request: &Request, result: Result<(), EventError>) -> (u16, String) {
        match block_on(take_task_event(request, async |_| result)) {
            Ok(response) => (response.status().as_u16(), String::from_utf8(response.into_body()).unwrap()),
            Err(problem) => (problem.status().as_u16(), String::new()),
        }
    }

    const GONE: &str = r#"{"eventId":"0190163d-8694-739b-aea5-966c26f8ad91","eventType":"accountDeleted",
        "userId":"0190163d-8694-739b-aea5-966c26f8ad92","sequence":7,"timestamp":"2026-03-01T09:00:00Z","schemaVersion":1}"#;

    #[test]
    fn what_is_known_is_given_to_the_handler() {
        let mut given = None;
        let taken = block_on(take_task_event(&delivery(GONE), async |event| {
            given = Some(event);
            Ok(())
        }));
        assert_eq!(taken.unwrap().status(), 200);
        assert!(matches!(given, Some(TaskTopicEvent::AccountDeleted(AccountDeleted { sequence: 7, .. }))));
    }

    #[test]
    fn what_is_not_known_is_acknowledged_and_told_apart() {
        let request = delivery(r#"{"eventType":"archived","whatever":1}"#);
        let never = Err(EventError::Poison("the handler was asked".into()));
        assert_eq!(answer(&request, never), (200, r#"{"status":"SUCCESS","ignored":true}"#.to_owned()));
    }

    #[test]
    fn what_is_no_event_is_given_up_with_the_reason() {
        for (request, reason) in [
            (Request::new(b"[]".to_vec()), "invalid"),
            (Request::new(vec![0xff]), "not UTF-8"),
            (delivery("7"), "invalid type"),
            (delivery(r#"{"eventType":"created"}"#), "missing field"),
        ] {
            let (status, body) = answer(&request, Ok(()));
            let told: Acknowledgement = serde_json::from_str(&body).unwrap();
            assert_eq!((status, told.status), (200, dapr::DeliveryStatus::Drop), "{body}");
            assert!(told.reason.as_ref().is_some_and(|told| told.contains(reason)), "{reason}: {told:?}");
        }
    }

    #[test]
    fn a_failure_brings_it_again_and_an_account_that_is_gone_ends_it() {
        let busy = Failure::Busy { subject: "the list".into(), attempts: 5 };
        assert_eq!(answer(&delivery(GONE), Err(busy.into())).0, 409);
        assert_eq!(answer(&delivery(GONE), Err(Failure::Closed.into())).0, 200);
    }
}
