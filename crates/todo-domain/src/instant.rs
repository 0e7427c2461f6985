//! Instants as documents hold them.
//!
//! They are written as jiff writes them, and read as [`crate::iso`] reads them.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de};

use crate::iso;

/// What is made of instants.
pub trait Instants: Sized {
    /// The form in which it is read.
    type Read: for<'de> Deserialize<'de>;

    /// Makes it of what was read.
    fn of(read: Self::Read) -> Self;
}

/// Reads an instant, an optional one, or a pair, for `#[serde(deserialize_with)]`.
///
/// # Errors
/// The deserializer's, for a text that is not RFC 3339.
pub fn read<'de, D: Deserializer<'de>, T: Instants>(deserializer: D) -> Result<T, D::Error> {
    T::Read::deserialize(deserializer).map(T::of)
}

/// An instant, read.
#[derive(Clone, Copy)]
pub struct Instant(Timestamp);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Instant;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an instant such as 2026-03-01T09:00:00Z")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Instant, E> {
                match iso::instant(text) {
                    Some(instant) => Ok(Instant(instant)),
                    None => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl Instants for Timestamp {
    type Read = Instant;

    fn of(read: Instant) -> Self {
        read.0
    }
}

impl<T: Instants> Instants for Option<T> {
    type Read = Option<T::Read>;

    fn of(read: Self::Read) -> Self {
        read.map(T::of)
    }
}

impl<T: Instants> Instants for (T, T) {
    type Read = (T::Read, T::Read);

    fn of((one, other): Self::Read) -> Self {
        (T::of(one), T::of(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Document {
        #[serde(deserialize_with = "read")]
        at: Timestamp,
        #[serde(default, deserialize_with = "read")]
        range: Option<(Timestamp, Timestamp)>,
    }

    #[test]
    fn instants_are_read_in_every_shape() {
        let text = r#"{"at":"2026-03-01T10:00:00+01:00","range":["2026-03-01T09:00:00Z","2026-03-02T09:00:00.5Z"]}"#;
        let read: Document = serde_json::from_str(text).unwrap();
        assert_eq!(read.at.to_string(), "2026-03-01T09:00:00Z");
        assert_eq!(read.range.unwrap().1.to_string(), "2026-03-02T09:00:00.5Z");
        assert_eq!(serde_json::from_str::<Document>(r#"{"at":"2026-03-01T09:00:00Z"}"#).unwrap().range, None);
    }

    #[test]
    fn what_is_no_instant_is_named() {
        let error = serde_json::from_str::<Document>(r#"{"at":"soon"}"#).unwrap_err();
        assert!(error.to_string().starts_with("invalid value: string \"soon\", expected an instant"), "{error}");
    }
}
