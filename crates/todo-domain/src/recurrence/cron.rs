//! The recurrences that are five cron fields.

use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::date;
use jiff::tz::TimeZone;

use super::clock::SeriesClock;
use super::{InvalidRecurrence, cut};
use crate::task::{DueDate, to_millisecond};

/// A cron expression: minute, hour, day of the month, month, day of the week.
pub(super) struct Cron(croner::Cron);

impl Cron {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidRecurrence> {
        let invalid = |reason: String| InvalidRecurrence::Cron { text: cut(text), reason };
        let is_plain = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'*' | b'/' | b',' | b'-' | b'#' | b'?'));
        if !is_plain {
            return Err(invalid("use digits, names, `*`, `/`, `,` and `-`".to_owned()));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        parser.parse(text).map(Self).map_err(|error| invalid(error.to_string()))
    }

    /// Whether any day has what it asks for.
    pub(super) fn can_occur(&self) -> bool {
        let start = date(2000, 1, 1).to_zoned(TimeZone::UTC);
        start.is_ok_and(|start| self.0.find_next_occurrence(&start, true).is_ok())
    }

    /// When it strikes next. In a series of days that is the next day on which it strikes.
    pub(super) fn next(&self, series: &SeriesClock, after: DueDate) -> Option<DueDate> {
        if series.is_of_days() {
            let day_end = series.day_of(after).at(23, 59, 59, 0).to_zoned(TimeZone::UTC).ok()?;
            let next = self.0.find_next_occurrence(&day_end, false).ok()?;
            return series.due_on(next.date());
        }
        let last = series.instant(after).to_zoned(series.zone.clone());
        let next = self.0.find_next_occurrence(&last, false).ok()?;
        Some(DueDate::At(to_millisecond(next.timestamp())))
    }
}
