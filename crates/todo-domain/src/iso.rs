//! Dates and instants as text: RFC 3339, and what ISO 8601 and RFC 9557 allow besides.
//!
//! jiff reads the same and more, but its readers can fail in a hundred ways, whose texts a component carries, 100 kB of
//! them, for messages that nobody sees; and every query reads ten thousands of instants.
//!
//! - A date is `2026-03-01`, `20260301`, or has a year of six digits with its sign.
//! - A time is `09:00:00`, `090000`, or either with fewer parts; its seconds may have a fraction, and 60 are 59.
//! - An offset is `Z`, `+02:00`, `+0200` or `+02`. What follows in brackets, such as `[Europe/Berlin]`, changes nothing.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// Reads a date alone.
pub fn date(text: &str) -> Option<Date> {
    let mut reader = Reader(text.as_bytes());
    let date = reader.date()?;
    reader.0.is_empty().then_some(date)
}

/// Reads a date and a time that name an instant.
pub fn instant(text: &str) -> Option<Timestamp> {
    let mut reader = Reader(text.as_bytes());
    let local = reader.date_time()?;
    let offset = reader.offset()?;
    while !reader.0.is_empty() {
        reader.annotation()?;
    }
    offset.to_timestamp(local).ok()
}

/// Reads a date and a time without an offset.
pub fn date_time(text: &str) -> Option<DateTime> {
    let mut reader = Reader(text.as_bytes());
    let local = reader.date_time()?;
    reader.0.is_empty().then_some(local)
}

/// What is left of a text.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, accepted: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        accepted.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    /// A number of so many digits.
    fn number(&mut self, digits: usize) -> Option<i32> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i32::from(digit - b'0')))
    }

    fn small(&mut self) -> Option<i8> {
        self.number(2).and_then(|number| i8::try_from(number).ok())
    }

    fn date(&mut self) -> Option<Date> {
        let year = match self.take(b"+-") {
            None => self.number(4)?,
            Some(b'+') => self.number(6)?,
            Some(_) => -self.number(6).filter(|year| *year != 0)?,
        };
        let divided = self.take(b"-").is_some();
        let month = self.small()?;
        if divided {
            self.take(b"-")?;
        }
        Date::new(i16::try_from(year).ok()?, month, self.small()?).ok()
    }

    fn date_time(&mut self) -> Option<DateTime> {
        let date = self.date()?;
        self.take(b"Tt ")?;
        let hour = self.small()?;
        let divided = self.take(b":").is_some();
        let mut minute = 0;
        let mut second = 0;
        let mut nanosecond = 0;
        if divided || self.0.first().is_some_and(u8::is_ascii_digit) {
            minute = self.small()?;
            let has_seconds =
                if divided { self.take(b":").is_some() } else { self.0.first().is_some_and(u8::is_ascii_digit) };
            if has_seconds {
                // A leap second is the one before it.
                second = self.small().filter(|second| *second <= 60)?.min(59);
                nanosecond = self.fraction()?;
            }
        }
        Some(date.to_datetime(Time::new(hour, minute, second, nanosecond).ok()?))
    }

    /// The nanoseconds of one to nine digits; none without a point.
    fn fraction(&mut self) -> Option<i32> {
        if self.take(b".,").is_none() {
            return Some(0);
        }
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let scale = 10_i32.pow(9_u32.checked_sub(u32::try_from(digits).ok()?)?);
        (digits > 0).then_some(())?;
        Some(self.number(digits)? * scale)
    }

    fn offset(&mut self) -> Option<Offset> {
        let sign = match self.take(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(Offset::UTC),
        };
        let mut seconds = self.number(2)? * 3600;
        let divided = self.take(b":").is_some();
        if divided || self.0.first().is_some_and(u8::is_ascii_digit) {
            seconds += self.number(2).filter(|minutes| *minutes < 60)? * 60;
            let has_seconds =
                if divided { self.take(b":").is_some() } else { self.0.first().is_some_and(u8::is_ascii_digit) };
            if has_seconds {
                seconds += self.number(2).filter(|seconds| *seconds < 60)?;
            }
        }
        Offset::from_seconds(sign * seconds).ok()
    }

    /// A word in brackets that is a zone's name, or a key and a value that need not be understood.
    fn annotation(&mut self) -> Option<()> {
        self.take(b"[")?;
        let end = self.0.iter().position(|byte| *byte == b']').filter(|end| *end > 0)?;
        let (word, rest) = self.0.split_at(end);
        self.0 = &rest[1..];
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+./=:~".contains(byte);
        word.strip_prefix(b"!").filter(|word| !word.contains(&b'=')).unwrap_or(word).iter().all(is_word).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn instants_are_jiffs(
            text in "(2026|1969|0000|9999|[+-]00[0-9]{4})(-[01][0-9]-[0-3][0-9]|-?0[1-9]-?[12][0-9])([Tt ][012][0-9](:?[0-6][0-9](:?[0-6][0-9]([.,][0-9]{0,10})?)?)?)?([Zz]|[+-][0-2][0-9](:?[0-6][0-9]){0,2})?(\\[Europe/Berlin\\])?(\\[u-ca=iso8601\\])?"
        ) {
            prop_assert_eq!(instant(&text), text.parse().ok(), "{}", text);
            prop_assert_eq!(date(&text).is_some(), text.parse::<Date>().is_ok() && !text.contains(['T', 't', ' ', '[']), "{}", text);
        }

        #[test]
        fn nothing_is_read_that_jiff_refuses(text in "[0-9TZ:.+-]{8,26}", more in "2026-03-01T.{0,20}") {
            for text in [text, more] {
                if let Some(found) = instant(&text) {
                    prop_assert_eq!(Some(found), text.parse().ok(), "{}", text);
                }
            }
        }
    }

    #[test]
    fn times_without_an_offset_are_no_instants() {
        assert_eq!(date_time("2026-03-01T09:30"), "2026-03-01T09:30:00".parse().ok());
        assert_eq!(instant("2026-03-01T09:30"), None);
        assert_eq!(date_time("2026-03-01T09:30Z"), None);
        assert_eq!(date("2026-03-01T09:30"), None);
    }
}
