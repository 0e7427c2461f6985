//! The paths of the API, as templates for a server and as functions for a client.
//!
//! A name inside a path is percent-encoded: a `/` in a state key travels as `%2F`.
//! A topic is the exception: Dapr takes the rest of the path, slashes included.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// As [`SEGMENT`], with `/` kept.
const TOPIC: &AsciiSet = &SEGMENT.remove(b'/');

/// Answers 204 when the sidecar and its app are ready.
pub const HEALTH: &str = "/v1.0/healthz";
/// Answers 204 when the sidecar's API can be called, app or no app.
pub const HEALTH_OUTBOUND: &str = "/v1.0/healthz/outbound";
/// Tells the sidecar's id, components and subscriptions.
pub const METADATA: &str = "/v1.0/metadata";

/// `POST` saves items, one after the other.
pub fn state(store: &str) -> String {
    format!("/v1.0/state/{}", segment(store))
}

/// `GET` reads and `DELETE` removes one key.
pub fn state_key(store: &str, key: &str) -> String {
    format!("/v1.0/state/{}/{}", segment(store), segment(key))
}

/// `POST` reads many keys.
pub fn state_bulk(store: &str) -> String {
    format!("/v1.0/state/{}/bulk", segment(store))
}

/// `POST` changes many keys, or none.
pub fn state_transaction(store: &str) -> String {
    format!("/v1.0/state/{}/transaction", segment(store))
}

/// `POST` publishes one message.
pub fn publish(pubsub: &str, topic: &str) -> String {
    format!("/v1.0/publish/{}/{}", segment(pubsub), utf8_percent_encode(topic, TOPIC))
}

/// `POST` makes a job, `GET` reads it and `DELETE` takes it back.
pub fn job(name: &str) -> String {
    format!("/v1.0/jobs/{}", segment(name))
}

/// `POST` asks an output binding for an operation.
pub fn binding(name: &str) -> String {
    format!("/v1.0/bindings/{}", segment(name))
}

fn segment(name: &str) -> impl std::fmt::Display {
    utf8_percent_encode(name, SEGMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_in_a_key_is_encoded_and_one_in_a_topic_is_kept() {
        assert_eq!(state_key("s", "tasks/ä b"), "/v1.0/state/s/tasks%2F%C3%A4%20b");
        assert_eq!(publish("p", "a/b c"), "/v1.0/publish/p/a/b%20c");
    }
}
