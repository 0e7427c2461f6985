//! Steps on the calendar and on the line of time.
//!
//! jiff's own arithmetic takes spans of ten units and can fail in as many ways, all of which a component carries;
//! these few lines are all that is needed here.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The day that many days away; `None` outside the calendar.
pub(crate) fn plus_days(day: Date, days: i64) -> Option<Date> {
    let start = Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?;
    let moved = start.as_second().checked_add(days.checked_mul(DAY_SECONDS)?)?;
    Some(Offset::UTC.to_datetime(Timestamp::from_second(moved).ok()?).date())
}

/// The day that many months away; where the month lacks it, the month's last.
pub(crate) fn plus_months(day: Date, months: i64) -> Option<Date> {
    let month = (i64::from(day.year()) * 12 + i64::from(day.month()) - 1).checked_add(months)?;
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    let first = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1).ok()?;
    Date::new(first.year(), first.month(), day.day().min(first.days_in_month())).ok()
}

/// The day that many years away; a leap day is the 28th in other years.
pub(crate) fn plus_years(day: Date, years: i64) -> Option<Date> {
    plus_months(day, years.checked_mul(12)?)
}

/// How many days it is from one day to another.
pub(crate) fn days_between(from: Date, to: Date) -> i32 {
    i32::try_from(from.duration_until(to).as_secs() / DAY_SECONDS).unwrap_or(0)
}

/// The instant that many milliseconds away; `None` outside of time.
pub(crate) fn plus_milliseconds(instant: Timestamp, milliseconds: i64) -> Option<Timestamp> {
    let moved = instant.as_millisecond().checked_add(milliseconds)?;
    Timestamp::from_millisecond(moved).ok()
}

/// The instant at which a day begins; where its midnight is missing, the first behind the gap.
pub(crate) fn start_of_day(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible().ok()
}

#[cfg(test)]
mod tests {
    use jiff::{Span, civil::date};

    use super::*;

    #[test]
    fn steps_are_jiffs() {
        for day in [date(2024, 2, 29), date(1969, 12, 31), date(1, 1, 1), date(9998, 12, 31), date(2026, 1, 31)] {
            for count in [-400, -13, -1, 0, 1, 2, 12, 59, 1000] {
                let jiffs = |span: Span| day.checked_add(span).ok();
                assert_eq!(plus_days(day, count), jiffs(Span::new().days(count)), "{day} {count}");
                assert_eq!(plus_months(day, count), jiffs(Span::new().months(count)), "{day} {count}");
                assert_eq!(plus_years(day, count), jiffs(Span::new().years(count)), "{day} {count}");
                if let Some(moved) = plus_days(day, count) {
                    assert_eq!(i64::from(days_between(day, moved)), count);
                }
            }
        }
        assert_eq!(plus_days(date(2026, 1, 1), i64::MAX), None);
        assert_eq!(plus_months(date(2026, 1, 1), i64::MAX), None);
    }

    #[test]
    fn a_day_without_midnight_begins_behind_the_gap() {
        let zone = TimeZone::get("America/Havana").unwrap();
        assert_eq!(start_of_day(date(2026, 3, 8), &zone).unwrap().to_string(), "2026-03-08T05:00:00Z");
        assert_eq!(start_of_day(date(2026, 3, 9), &zone).unwrap().to_string(), "2026-03-09T04:00:00Z");
    }
}
