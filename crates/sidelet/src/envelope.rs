//! The CloudEvents envelope around a message, as daprd writes it.
//!
//! Attributes are sorted by name. Data that is JSON is copied as it was written, not read and written again.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use dapr::{CLOUD_EVENT_CONTENT_TYPE, Metadata, SPEC_VERSION, metadata_key};
use jiff::{Timestamp, Unit};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// The type of an event whose publisher named none.
const EVENT_TYPE: &str = "com.dapr.event.sent";
/// Marks metadata that overrides an attribute.
const OVERRIDE: &str = "cloudevent.";

/// W3C trace context of the request that publishes; empty when there was none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    /// `traceparent`.
    pub(crate) parent: String,
    /// `tracestate`.
    pub(crate) state: String,
}

/// Something to publish.
#[derive(Debug)]
pub(crate) struct Draft<'request> {
    /// The publisher's app id.
    pub(crate) source: &'request str,
    /// The pub/sub component.
    pub(crate) pubsub: &'request str,
    /// The topic.
    pub(crate) topic: &'request str,
    /// The media type as it was sent; empty when none was.
    pub(crate) content_type: &'request str,
    /// What is published.
    pub(crate) data: &'request [u8],
    /// Metadata of the message.
    pub(crate) metadata: &'request Metadata,
    /// Attributes that the publisher adds or puts in place of ours.
    pub(crate) attributes: &'request Metadata,
    /// Where it comes from.
    pub(crate) trace: &'request Trace,
    /// Unix milliseconds.
    pub(crate) now: i64,
}

/// An envelope and what the log must know of it.
#[derive(Debug)]
pub(crate) struct Envelope {
    /// JSON.
    pub(crate) content: Bytes,
    /// Unix milliseconds after which it is not delivered.
    pub(crate) expires: Option<i64>,
}

/// A message that says it is a CloudEvent and is none.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct InvalidEvent {
    reason: String,
}

/// Attributes by name, each as JSON text.
pub(crate) type Attributes<'request> = BTreeMap<Cow<'request, str>, Cow<'request, str>>;

/// An envelope around bytes that came without one, as daprd makes it for a subscription with `rawPayload`.
pub(crate) fn around_raw(pubsub: &str, topic: &str, id: &str, content: &[u8]) -> Bytes {
    let data = STANDARD.encode(content);
    let attributes = [
        ("data_base64", data.as_str()),
        ("datacontenttype", "application/octet-stream"),
        ("id", id),
        ("pubsubname", pubsub),
        ("source", "Dapr"),
        ("specversion", SPEC_VERSION),
        ("topic", topic),
        ("type", EVENT_TYPE),
    ];
    render(&attributes.map(|(name, value)| (name.into(), json_text(value).into())).into())
}

/// Whether content is a JSON object, as every envelope is.
pub(crate) fn is_object(content: &[u8]) -> bool {
    serde_json::from_slice::<BTreeMap<Cow<'_, str>, IgnoredAny>>(content).is_ok()
}

/// The id of an event. None: the content is no event.
pub(crate) fn id(content: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Identified {
        id: String,
    }
    serde_json::from_slice::<Identified>(content).ok().map(|identified| identified.id)
}

/// When an event ends, in Unix milliseconds, by its own attribute. None: never, or the content is no event.
pub(crate) fn expires(content: &[u8]) -> Option<i64> {
    #[derive(serde::Deserialize)]
    struct Expiring {
        expiration: String,
    }
    // Few have one, and text is searched faster than JSON is read.
    let text = std::str::from_utf8(content).ok().filter(|text| text.contains("\"expiration\""))?;
    let expiring: Expiring = serde_json::from_str(text).ok()?;
    expiring.expiration.parse::<Timestamp>().ok().map(|time| time.as_millisecond())
}

/// Changes the attributes of an envelope; what stays is copied as it was. None: the content is no envelope.
pub(crate) fn changed(content: &[u8], change: impl FnOnce(&mut Attributes<'_>)) -> Option<Bytes> {
    let read: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_slice(content).ok()?;
    let mut attributes: Attributes<'_> =
        read.into_iter().map(|(name, value)| (name, Cow::Borrowed(value.get()))).collect();
    attributes.contains_key("specversion").then(|| {
        change(&mut attributes);
        render(&attributes)
    })
}

impl Draft<'_> {
    /// The media type without parameters, in lower case.
    fn media_type(&self) -> String {
        self.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Wraps the draft, unless it brings an envelope of its own, whose gaps are filled then.
    pub(crate) fn wrap(&self) -> Result<Envelope, InvalidEvent> {
        let own = self.media_type() == CLOUD_EVENT_CONTENT_TYPE;
        let mut attributes = if own { self.own_envelope()? } else { self.new_envelope() };
        let text = |value: &str| Cow::Owned::<str>(json_text(value));
        for (name, value) in self.attributes {
            attributes.insert(Cow::Borrowed(name), text(value));
        }
        attributes.insert("topic".into(), text(self.topic));
        attributes.insert("pubsubname".into(), text(self.pubsub));
        if !attributes.contains_key("traceid") {
            attributes.insert("traceid".into(), text(&self.trace.parent));
            attributes.insert("traceparent".into(), text(&self.trace.parent));
            attributes.insert("tracestate".into(), text(&self.trace.state));
        }
        for (key, value) in self.metadata {
            if let Some(name) = key.strip_prefix(OVERRIDE)
                && matches!(name, "id" | "source" | "type" | "subject" | "traceid" | "traceparent" | "tracestate")
            {
                attributes.insert(Cow::Borrowed(name), text(value));
            }
        }
        let expires = self.expires(&mut attributes);
        Ok(Envelope { content: render(&attributes), expires })
    }

    fn new_envelope(&self) -> Attributes<'_> {
        let mut attributes = Attributes::new();
        let media_type = self.media_type();
        if media_type == "application/octet-stream" {
            attributes.insert("data_base64".into(), json_text(&STANDARD.encode(self.data)).into());
        } else {
            attributes.insert("data".into(), self.data_json(&media_type));
        }
        let content_type = if self.content_type.is_empty() { "text/plain" } else { self.content_type };
        attributes.insert("datacontenttype".into(), json_text(content_type).into());
        attributes.insert("id".into(), json_text(&uuid::Uuid::new_v4().to_string()).into());
        attributes.insert("source".into(), json_text(self.source).into());
        attributes.insert("specversion".into(), json_text(SPEC_VERSION).into());
        attributes.insert("time".into(), json_text(&time_text(self.now)).into());
        attributes.insert("type".into(), json_text(EVENT_TYPE).into());
        attributes
    }

    /// JSON stays as it is; everything else, and what only claims to be JSON, is text.
    fn data_json(&self, media_type: &str) -> Cow<'_, str> {
        if media_type == "application/json"
            && let Ok(raw) = serde_json::from_slice::<&RawValue>(self.data)
        {
            return Cow::Borrowed(raw.get());
        }
        Cow::Owned(json_text(&String::from_utf8_lossy(self.data)))
    }

    fn own_envelope(&self) -> Result<Attributes<'_>, InvalidEvent> {
        let read: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_slice(self.data)
            .map_err(|error| InvalidEvent { reason: format!("the event is not a JSON object: {error}") })?;
        let mut attributes: Attributes<'_> =
            read.into_iter().map(|(name, value)| (name, Cow::Borrowed(value.get()))).collect();
        let mut fill = |name: &'static str, value: &str| {
            attributes.entry(Cow::Borrowed(name)).or_insert_with(|| Cow::Owned(json_text(value)));
        };
        fill("source", "Dapr");
        fill("specversion", SPEC_VERSION);
        fill("time", &time_text(self.now));
        fill("type", EVENT_TYPE);
        Ok(attributes)
    }

    /// From the event's own `expiration` or the message's `ttlInSeconds`. A time that cannot be read is none, as in Dapr.
    fn expires(&self, attributes: &mut Attributes<'_>) -> Option<i64> {
        let own = attributes.get("expiration").and_then(|text| serde_json::from_str::<String>(text).ok());
        if let Some(own) = own {
            return own.parse::<Timestamp>().ok().map(|time| time.as_millisecond());
        }
        let seconds: i64 = self.metadata.get(metadata_key::TTL_IN_SECONDS)?.parse().ok()?;
        let expires = self.now.checked_add(seconds.checked_mul(1000)?).filter(|_| seconds > 0)?;
        attributes.insert("expiration".into(), json_text(&time_text(expires)).into());
        Some(expires)
    }
}

/// RFC 3339 to the second, in UTC.
pub(crate) fn time_text(milliseconds: i64) -> String {
    let time = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX);
    time.round(Unit::Second).unwrap_or(time).to_string()
}

/// `text` as a JSON string.
pub(crate) fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn render(attributes: &Attributes<'_>) -> Bytes {
    let length: usize = attributes.iter().map(|(name, value)| name.len() + value.len() + 6).sum();
    let mut content = String::with_capacity(length + 2);
    content.push('{');
    for (index, (name, value)) in attributes.iter().enumerate() {
        if index > 0 {
            content.push(',');
        }
        content.push_str(&json_text(name));
        content.push(':');
        content.push_str(value);
    }
    content.push('}');
    Bytes::from(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    static NO_ATTRIBUTES: Metadata = Metadata::new();

    fn draft<'a>(content_type: &'a str, data: &'a [u8], metadata: &'a Metadata, trace: &'a Trace) -> Draft<'a> {
        Draft {
            source: "myapp",
            pubsub: "pubsub",
            topic: "t",
            content_type,
            data,
            metadata,
            attributes: &NO_ATTRIBUTES,
            trace,
            now: 1_795_240_598_000,
        }
    }

    fn wrap(content_type: &str, data: &[u8], metadata: &[(&str, &str)]) -> serde_json::Value {
        let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let envelope = draft(content_type, data, &metadata, &Trace::default()).wrap().unwrap();
        serde_json::from_slice(&envelope.content).unwrap()
    }

    #[test]
    fn an_envelope_is_the_one_daprd_writes() {
        let metadata = Metadata::from([("cloudevent.id".to_owned(), "7".to_owned())]);
        let envelope = draft("application/json", br#"{"a":1}"#, &metadata, &Trace::default()).wrap().unwrap();
        let expected = r#"{"data":{"a":1},"datacontenttype":"application/json","id":"7","pubsubname":"pubsub","source":"myapp","specversion":"1.0","time":"2026-11-21T05:56:38Z","topic":"t","traceid":"","traceparent":"","tracestate":"","type":"com.dapr.event.sent"}"#;
        assert_eq!(std::str::from_utf8(&envelope.content).unwrap(), expected);
    }

    #[test]
    fn data_follows_the_content_type() {
        let cases: [(&str, &[u8], serde_json::Value); 7] = [
            ("application/json; charset=utf-8", b"[1]", serde_json::json!([1])),
            ("application/json", b"{oops", "{oops".into()),
            ("application/json", b"", "".into()),
            ("", b"text", "text".into()),
            ("text/plain", b"a\"b", "a\"b".into()),
            ("application/vnd.x+json", b"{}", "{}".into()),
            ("image/png", b"\xff", "\u{fffd}".into()),
        ];
        for (content_type, data, expected) in cases {
            assert_eq!(wrap(content_type, data, &[])["data"], expected, "{content_type} {data:?}");
        }
        assert_eq!(wrap("application/octet-stream", b"\xff\x00", &[])["data_base64"], "/wA=");
        assert_eq!(wrap("", b"x", &[])["datacontenttype"], "text/plain");
    }

    #[test]
    fn big_numbers_are_kept() {
        let metadata = Metadata::new();
        let envelope =
            draft("application/json", b"123456789012345678901234567890", &metadata, &Trace::default()).wrap().unwrap();
        assert!(envelope.content.starts_with(br#"{"data":123456789012345678901234567890,"#));
    }

    #[test]
    fn an_own_event_keeps_what_it_has_and_gets_what_it_lacks() {
        let event = wrap(
            CLOUD_EVENT_CONTENT_TYPE,
            br#"{"id":"1","type":"mine","topic":"other","data":{"a":1},"extension":5,"traceparent":"00-1"}"#,
            &[],
        );
        assert_eq!((&event["id"], &event["type"], &event["extension"]), (&"1".into(), &"mine".into(), &5.into()));
        assert_eq!((&event["topic"], &event["source"]), (&"t".into(), &"Dapr".into()));
        assert_eq!(event["traceparent"], "");
        let none = wrap(CLOUD_EVENT_CONTENT_TYPE, b"{}", &[]);
        assert!(none.get("id").is_none());
        let metadata = Metadata::new();
        assert!(draft(CLOUD_EVENT_CONTENT_TYPE, b"[]", &metadata, &Trace::default()).wrap().is_err());
    }

    #[test]
    fn metadata_overrides_and_limits_the_life_of_an_event() {
        let event = wrap("", b"", &[("cloudevent.type", "t2"), ("cloudevent.subject", "s"), ("ttlInSeconds", "60")]);
        assert_eq!((&event["type"], &event["subject"]), (&"t2".into(), &"s".into()));
        assert_eq!(event["expiration"], "2026-11-21T05:57:38Z");
        assert!(wrap("", b"", &[("ttlInSeconds", "soon")]).get("expiration").is_none());
    }
}
