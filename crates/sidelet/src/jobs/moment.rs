//! Durations and points in time, as Dapr's jobs write them.

use jiff::{Span, Timestamp, tz::TimeZone};

/// Go's units in nanoseconds. A unit stands before those that it begins with.
const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];
/// More decimals say nothing: an hour has 13 digits of nanoseconds.
const DECIMALS: usize = 15;

/// A point in time in Unix milliseconds: RFC 3339, or a duration of Go's or ISO 8601's from `start` on.
pub(super) fn point_in_time(text: &str, start: i64) -> Option<i64> {
    if let Some(duration) = go_duration(text) {
        return start.checked_add(duration).filter(|time| Timestamp::from_millisecond(*time).is_ok());
    }
    if text.starts_with('P') {
        let span: Span = text.parse().ok()?;
        let start = Timestamp::from_millisecond(start).ok()?.to_zoned(TimeZone::UTC);
        return Some(start.checked_add(span).ok()?.timestamp().as_millisecond());
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// Go's durations, such as `1h30m`, `1.5s`, `-2ms` or `0`, in whole milliseconds.
pub(super) fn go_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (decimals, after) = after.strip_prefix('.').map_or(("", after), digits);
        if whole.is_empty() && decimals.is_empty() {
            return None;
        }
        let (unit, length) =
            UNITS.iter().find(|(unit, _)| is_unit(after, unit)).map(|(unit, length)| (unit.len(), length))?;
        let decimals = &decimals[..decimals.len().min(DECIMALS)];
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let part: i128 = if decimals.is_empty() { 0 } else { decimals.parse().ok()? };
        let scale = 10_i128.pow(u32::try_from(decimals.len()).ok()?);
        total = total.checked_add(whole.checked_mul(*length)?)?.checked_add(part * length / scale)?;
        rest = &after[unit..];
    }
    // Go's own limit: 64 bits of nanoseconds, some 292 years.
    let total = i64::try_from(if negative { -total } else { total }).ok()?;
    Some(total / 1_000_000)
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()))
}

/// Whether the next letters are this unit, up to the next number or the end.
fn is_unit(text: &str, unit: &str) -> bool {
    text.strip_prefix(unit)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(|next: char| next.is_ascii_digit() || next == '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_does() {
        for (text, expected) in [
            ("0", 0),
            ("1h30m", 5_400_000),
            ("1.5s", 1500),
            (".5s", 500),
            ("1.s", 1000),
            ("-2ms", -2),
            ("1h0m0.25s", 3_600_250),
            ("1500us", 1),
            ("1000µs", 1),
            ("2562047h", 9_223_369_200_000),
        ] {
            assert_eq!(go_duration(text), Some(expected), "{text}");
        }
        for text in ["", "-", "1", "1d", "s", ".s", "1 s", "1h ", "PT1S", "9999999h", "1e3s", "1sm", "1--s"] {
            assert_eq!(go_duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_point_in_time_is_absolute_or_from_now_on() {
        let start: i64 = "2026-01-31T10:00:00Z".parse::<Timestamp>().unwrap().as_millisecond();
        let at =
            |text: &str| point_in_time(text, start).map(|time| Timestamp::from_millisecond(time).unwrap().to_string());
        assert_eq!(at("2026-02-01T00:00:00+02:00").as_deref(), Some("2026-01-31T22:00:00Z"));
        assert_eq!(at("20s").as_deref(), Some("2026-01-31T10:00:20Z"));
        assert_eq!(at("PT20S").as_deref(), Some("2026-01-31T10:00:20Z"));
        assert_eq!(at("P1DT1H").as_deref(), Some("2026-02-01T11:00:00Z"));
        assert_eq!(at("P1M").as_deref(), Some("2026-02-28T10:00:00Z"));
        for text in ["", "tomorrow", "2026-02-01T00:00:00", "2026-02-01", "P", "R5/PT1S", "P1", "P99999999Y"] {
            assert_eq!(at(text), None, "{text}");
        }
    }
}
