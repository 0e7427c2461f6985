//! A reader of server-sent events.

use reqwest::{Response, header::HeaderMap};
use serde_json::Value;
use tokio::time::timeout;

use super::{Api, DEADLINE};

/// An open stream.
pub(crate) struct Stream {
    response: Response,
    unread: String,
    pub(crate) headers: HeaderMap,
}

/// What came between two empty lines.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) data: String,
    pub(crate) comment: String,
}

impl Event {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The field `number` of the event's data.
    pub(crate) fn number(&self) -> i64 {
        self.json()["data"]["number"].as_i64().unwrap()
    }
}

impl Stream {
    /// Opens the stream of `path` below `/sidelet/v1/subscribe`, behind the event with the id `last`, and waits until it is
    /// ready.
    pub(crate) async fn open(api: &Api, path: &str, last: &str) -> Self {
        let request = api.client.get(format!("{}/sidelet/v1/subscribe/{path}", api.address));
        let response = request.header("last-event-id", last).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let headers = response.headers().clone();
        let mut stream = Self { response, unread: String::new(), headers };
        assert_eq!(stream.next().await.unwrap().comment, "ready");
        stream
    }

    /// What comes next. None: the stream has ended well.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((text, rest)) = self.unread.split_once("\n\n") {
                let mut event = Event::default();
                for line in text.lines() {
                    let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?} is no field"));
                    let field = match name {
                        "id" => &mut event.id,
                        "event" => &mut event.kind,
                        "data" => &mut event.data,
                        "" => &mut event.comment,
                        other => panic!("{other} is no field"),
                    };
                    assert!(field.is_empty(), "{name} is there twice in {text:?}");
                    value.clone_into(field);
                }
                self.unread = rest.to_owned();
                return Some(event);
            }
            let part = timeout(DEADLINE, self.response.chunk()).await.expect("something comes in time").unwrap();
            let Some(part) = part else {
                assert!(self.unread.is_empty(), "the stream broke off after {:?}", self.unread);
                return None;
            };
            self.unread.push_str(std::str::from_utf8(&part).unwrap());
        }
    }

    /// The numbers of the next messages.
    pub(crate) async fn numbers(&mut self, count: usize) -> Vec<i64> {
        let mut numbers = Vec::with_capacity(count);
        while numbers.len() < count {
            numbers.push(self.next().await.expect("the stream goes on").number());
        }
        numbers
    }
}
