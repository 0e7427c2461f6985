//! The event envelope and the answers to a delivery.

use serde::{Deserialize, Serialize};

/// The media type of an envelope.
pub const CLOUD_EVENT_CONTENT_TYPE: &str = "application/cloudevents+json";
/// The version of CloudEvents that Dapr writes.
pub const SPEC_VERSION: &str = "1.0";

/// A CloudEvents 1.0 envelope as Dapr delivers it, read by a handler.
///
/// Attributes that are not named here are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudEvent<T> {
    /// Unique for `source`; the same on every delivery.
    pub id: String,
    /// Who published it: the publisher's app id.
    pub source: String,
    /// `com.dapr.event.sent` unless the publisher said otherwise.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The topic it was published to.
    #[serde(default)]
    pub topic: String,
    /// The component it came through.
    #[serde(default, rename = "pubsubname")]
    pub pubsub_name: String,
    /// W3C trace context of the request that published it; empty when there was none.
    #[serde(default, rename = "traceparent")]
    pub trace_parent: String,
    /// What was published.
    pub data: T,
}

/// What a handler answers to a delivery. An empty body with a 2xx status acknowledges too.
///
/// Dapr reads the status alone; sidelet writes the reason to the dead letter and counts what was ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// What becomes of the message.
    pub status: DeliveryStatus,
    /// Why it is given up or comes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether it was of a kind that the handler does not know, and nothing was done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignored: bool,
}

impl Acknowledgement {
    /// It is of a kind that the handler does not know: nothing was done, and it is finished.
    pub const fn ignored() -> Self {
        Self { status: DeliveryStatus::Success, reason: None, ignored: true }
    }

    /// It can never be taken: to the dead letters.
    pub const fn dropped(reason: String) -> Self {
        Self { status: DeliveryStatus::Drop, reason: Some(reason), ignored: false }
    }
}

/// What becomes of a delivered message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DeliveryStatus {
    /// It is done.
    Success,
    /// It comes again.
    Retry,
    /// It is given up: to the dead letter topic where one is set.
    Drop,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_with_unknown_attributes_is_read() {
        let text = r#"{"data":{"a":1},"datacontenttype":"application/json","id":"7","pubsubname":"p","source":"tasks",
            "specversion":"1.0","time":"2026-11-21T05:56:38Z","topic":"t","traceid":"","traceparent":"","tracestate":"",
            "type":"com.dapr.event.sent","new":true}"#;
        let event: CloudEvent<serde_json::Value> = serde_json::from_str(text).unwrap();
        assert_eq!((event.id.as_str(), event.data["a"].as_i64()), ("7", Some(1)));
    }

    #[test]
    fn a_status_is_upper_case() {
        let text = serde_json::to_string(&Acknowledgement::dropped("no title".into())).unwrap();
        assert_eq!(text, r#"{"status":"DROP","reason":"no title"}"#);
        let text = serde_json::to_string(&Acknowledgement::ignored()).unwrap();
        assert_eq!(text, r#"{"status":"SUCCESS","ignored":true}"#);
    }
}
