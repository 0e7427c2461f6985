//! When a task is due: at an instant, or on a day.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::calendar::{self, plus_milliseconds};
use crate::iso;

/// When a task is due.
///
/// Its text is RFC 3339 in UTC for an instant, and `YYYY-MM-DD` for a day.
/// A day belongs to the task's time zone, and lasts until it ends there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DueDate {
    /// At an instant, to the millisecond.
    At(Timestamp),
    /// On a day, all of it.
    On(Date),
}

/// A text that is no due date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a date: use RFC 3339 with an offset such as `2026-03-01T09:00:00Z`, or a date alone such as `2026-03-01`, in the years 1 to 9998"
)]
pub struct InvalidDueDate {
    /// The text, cut to 64 characters.
    pub text: String,
}

impl DueDate {
    /// Reads RFC 3339 with any offset, or a date alone.
    ///
    /// A date-time without an offset is refused, since it names no instant.
    pub fn parse(text: &str) -> Result<Self, InvalidDueDate> {
        let invalid = || InvalidDueDate { text: text.chars().take(64).collect() };
        let trimmed = text.trim();
        if trimmed.len() > 64 {
            return Err(invalid());
        }
        let due = if is_date_alone(trimmed) {
            iso::date(trimmed).and_then(Self::try_on)
        } else {
            iso::instant(trimmed).and_then(Self::try_at)
        };
        due.ok_or_else(invalid)
    }

    /// An instant, cut to the millisecond; `None` outside the years 1 to 9998 of UTC.
    pub fn try_at(instant: Timestamp) -> Option<Self> {
        Self::At(to_millisecond(instant)).within_years()
    }

    /// A day; `None` outside the years 1 to 9998.
    pub fn try_on(day: Date) -> Option<Self> {
        Self::On(day).within_years()
    }

    /// The bounds leave room for the day's end and for any zone's offset.
    fn within_years(self) -> Option<Self> {
        (1..=9998).contains(&self.day(&TimeZone::UTC).year()).then_some(self)
    }

    /// The last millisecond at which the task is not overdue: the instant itself, or the day's end in the zone.
    pub fn deadline(&self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::At(instant) => *instant,
            Self::On(date) => end_of_day(*date, zone),
        }
    }

    /// The first instant that counts as due: the instant itself, or the day's start in the zone.
    pub fn start(&self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::At(instant) => *instant,
            Self::On(date) => start_of_day(*date, zone),
        }
    }

    /// The day in the zone.
    pub fn day(&self, zone: &TimeZone) -> Date {
        match self {
            Self::At(instant) => zone.to_datetime(*instant).date(),
            Self::On(date) => *date,
        }
    }

    /// Whether this is a date alone.
    pub const fn is_day(&self) -> bool {
        matches!(self, Self::On(_))
    }
}

/// Cuts an instant to the millisecond, towards the past.
pub(crate) fn to_millisecond(instant: Timestamp) -> Timestamp {
    // Before 1970 the parts of a second count backwards.
    let towards_past = i64::from(instant.subsec_nanosecond() % 1_000_000 < 0);
    Timestamp::from_millisecond(instant.as_millisecond() - towards_past).unwrap_or(instant)
}

fn start_of_day(date: Date, zone: &TimeZone) -> Timestamp {
    calendar::start_of_day(date, zone).unwrap_or(Timestamp::MAX)
}

fn end_of_day(date: Date, zone: &TimeZone) -> Timestamp {
    let Ok(tomorrow) = date.tomorrow() else { return Timestamp::MAX };
    let start = start_of_day(tomorrow, zone);
    plus_milliseconds(start, -1).unwrap_or(start)
}

fn is_date_alone(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && bytes.iter().enumerate().all(|(index, byte)| matches!(index, 4 | 7) || byte.is_ascii_digit())
}

impl fmt::Display for DueDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(instant) => instant.fmt(formatter),
            Self::On(date) => date.fmt(formatter),
        }
    }
}

impl FromStr for DueDate {
    type Err = InvalidDueDate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for DueDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DueDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = DueDate;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a due date")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<DueDate, E> {
                DueDate::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for DueDate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DueDate".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "RFC 3339 in UTC, or a date alone: the whole day in the task's time zone.",
            "anyOf": [{ "type": "string", "format": "date-time" }, { "type": "string", "format": "date" }],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_offset_becomes_utc() {
        let due = DueDate::parse("2026-03-01T09:00:00.123456+02:00").unwrap();
        assert_eq!(due.to_string(), "2026-03-01T07:00:00.123Z");
        assert_eq!(DueDate::parse("2026-03-01").unwrap().to_string(), "2026-03-01");
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "tomorrow",
            "2026-02-30",
            "2026-03-01T09:00:00",
            "2026-13-01",
            "9999-12-31",
            "-000001-01-01",
            "20260301",
        ] {
            assert!(DueDate::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_ends_in_its_own_zone() {
        let due = DueDate::parse("2026-03-29").unwrap();
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(due.deadline(&berlin).to_string(), "2026-03-29T21:59:59.999Z");
        let new_york = TimeZone::get("America/New_York").unwrap();
        assert_eq!(due.deadline(&new_york).to_string(), "2026-03-30T03:59:59.999Z");
    }
}
