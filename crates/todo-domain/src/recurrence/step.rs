//! The recurrences that are one word: a step from the series' start.

use jiff::civil::Date;

use super::clock::SeriesClock;
use crate::calendar::{days_between, plus_days, plus_months, plus_years};
use crate::task::DueDate;

/// A step from the series' start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Day,
    Week,
    Month,
    Year,
}

impl Step {
    /// The tries beyond the estimate: a day that its zone skipped takes one.
    const TRIES: i64 = 8;

    pub(super) fn parse(text: &str) -> Option<Self> {
        let step = match text.to_ascii_lowercase().as_str() {
            "daily" => Self::Day,
            "weekly" => Self::Week,
            "monthly" => Self::Month,
            "yearly" => Self::Year,
            _ => return None,
        };
        Some(step)
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "daily",
            Self::Week => "weekly",
            Self::Month => "monthly",
            Self::Year => "yearly",
        }
    }

    /// The first due date after another. Each is reached from the start in one stride, so that none drifts.
    pub(super) fn next(self, series: &SeriesClock, after: DueDate) -> Option<DueDate> {
        let estimate = self.strides_between(series.day, series.day_of(after)).max(0);
        (estimate..estimate + Self::TRIES)
            .map_while(|strides| series.due_on(self.day_at(series.day, strides)?))
            .find(|due| series.is_after(*due, after))
    }

    /// At most the strides that it takes to the day.
    fn strides_between(self, start: Date, day: Date) -> i64 {
        let days = i64::from(days_between(start, day));
        let months = i64::from(day.year() - start.year()) * 12 + i64::from(day.month() - start.month());
        let strides = match self {
            Self::Day => days,
            Self::Week => days.div_euclid(7),
            Self::Month => months,
            Self::Year => months.div_euclid(12),
        };
        strides - 1
    }

    /// The day that many strides from the start; a day that its month lacks is the month's last.
    fn day_at(self, start: Date, strides: i64) -> Option<Date> {
        match self {
            Self::Day => plus_days(start, strides),
            Self::Week => plus_days(start, strides.checked_mul(7)?),
            Self::Month => plus_months(start, strides),
            Self::Year => plus_years(start, strides),
        }
    }
}
