//! RFC 5545 recurrence rules, read.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;

use super::{InvalidRecurrence, cut};

/// How long a rule's period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// When a rule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// With this day.
    Day(Date),
    /// At this time of the series' zone.
    Local(DateTime),
    /// At this instant.
    Instant(Timestamp),
}

/// A weekday, or the nth of its month or year; counted from the end when negative, any when 0.
pub(super) type NthWeekday = (i16, Weekday);

/// A recurrence rule of whole days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) frequency: Frequency,
    pub(super) interval: i64,
    pub(super) count: Option<u32>,
    pub(super) until: Option<Until>,
    pub(super) months: Vec<i16>,
    pub(super) month_days: Vec<i16>,
    pub(super) year_days: Vec<i16>,
    pub(super) weeks: Vec<i16>,
    pub(super) weekdays: Vec<NthWeekday>,
    pub(super) positions: Vec<i16>,
    pub(super) week_start: Weekday,
}

impl Rule {
    /// Reads a rule in upper case, without `RRULE:`.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidRecurrence> {
        let mut seen = Vec::new();
        let mut frequency = None;
        let mut rule = Self {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            months: Vec::new(),
            month_days: Vec::new(),
            year_days: Vec::new(),
            weeks: Vec::new(),
            weekdays: Vec::new(),
            positions: Vec::new(),
            week_start: Weekday::Monday,
        };
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let refuse = |accepted| refused(part, accepted);
            let (name, value) = part.split_once('=').ok_or_else(|| refuse("write NAME=value"))?;
            if seen.contains(&name) {
                return Err(refuse("give each part once"));
            }
            seen.push(name);
            match name {
                "FREQ" => {
                    frequency =
                        Some(parse_frequency(value).ok_or_else(|| refuse("use DAILY, WEEKLY, MONTHLY or YEARLY"))?)
                }
                "INTERVAL" => rule.interval = parse_number(value, 1, 1000).ok_or_else(|| refuse("use 1 to 1000"))?,
                "COUNT" => {
                    let count = parse_number(value, 1, 10_000).and_then(|count| u32::try_from(count).ok());
                    rule.count = Some(count.ok_or_else(|| refuse("use 1 to 10000"))?);
                }
                "UNTIL" => {
                    rule.until = Some(parse_until(value).ok_or_else(|| refuse("use 20261231 or 20261231T235959Z"))?)
                }
                "BYMONTH" => {
                    rule.months = parse_list(value, 1, 12, false).ok_or_else(|| refuse("use months 1 to 12"))?
                }
                "BYMONTHDAY" => {
                    rule.month_days =
                        parse_list(value, 1, 31, true).ok_or_else(|| refuse("use days 1 to 31 or -31 to -1"))?
                }
                "BYYEARDAY" => {
                    rule.year_days =
                        parse_list(value, 1, 366, true).ok_or_else(|| refuse("use days 1 to 366 or -366 to -1"))?
                }
                "BYWEEKNO" => {
                    rule.weeks =
                        parse_list(value, 1, 53, true).ok_or_else(|| refuse("use weeks 1 to 53 or -53 to -1"))?
                }
                "BYSETPOS" => {
                    rule.positions =
                        parse_list(value, 1, 366, true).ok_or_else(|| refuse("use positions 1 to 366 or -366 to -1"))?
                }
                "BYDAY" => {
                    rule.weekdays =
                        parse_weekdays(value).ok_or_else(|| refuse("use weekdays such as MO,TU or 1MO,-1FR"))?
                }
                "WKST" => rule.week_start = parse_weekday(value).ok_or_else(|| refuse("use MO to SU"))?,
                "BYHOUR" | "BYMINUTE" | "BYSECOND" => {
                    return Err(refuse("the time of day is the due date's; use cron for several times a day"));
                }
                "DTSTART" => return Err(refuse("the series starts at the due date")),
                _ => {
                    return Err(refuse(
                        "use FREQ, INTERVAL, COUNT, UNTIL, WKST, BYDAY, BYMONTHDAY, BYMONTH, BYYEARDAY, BYWEEKNO and BYSETPOS",
                    ));
                }
            }
        }
        rule.frequency = frequency.ok_or_else(|| refused(text, "begin with FREQ=DAILY, WEEKLY, MONTHLY or YEARLY"))?;
        rule.check()?;
        Ok(rule)
    }

    /// What RFC 5545, section 3.3.10, does not let stand together.
    fn check(&self) -> Result<(), InvalidRecurrence> {
        let nth = self.weekdays.iter().any(|(nth, _)| *nth != 0);
        let monthly = self.frequency == Frequency::Monthly;
        let yearly = self.frequency == Frequency::Yearly;
        let by_any = !(self.months.is_empty()
            && self.month_days.is_empty()
            && self.year_days.is_empty()
            && self.weeks.is_empty()
            && self.weekdays.is_empty());
        let nth_too_far = self.weekdays.iter().any(|(nth, _)| nth.abs() > if monthly { 5 } else { 53 });
        let refusals = [
            (self.count.is_some() && self.until.is_some(), "COUNT", "give COUNT or UNTIL, not both"),
            (!self.year_days.is_empty() && !yearly, "BYYEARDAY", "use it with FREQ=YEARLY only"),
            (!self.weeks.is_empty() && !yearly, "BYWEEKNO", "use it with FREQ=YEARLY only"),
            (
                !self.month_days.is_empty() && self.frequency == Frequency::Weekly,
                "BYMONTHDAY",
                "do not use it with FREQ=WEEKLY",
            ),
            (nth && !monthly && !yearly, "BYDAY", "use numbered weekdays with FREQ=MONTHLY or YEARLY only"),
            (nth && !self.weeks.is_empty(), "BYDAY", "do not use numbered weekdays with BYWEEKNO"),
            (nth_too_far, "BYDAY", "use numbers up to 5 in a month and 53 in a year"),
            (!self.positions.is_empty() && !by_any, "BYSETPOS", "use it with another BY part"),
        ];
        match refusals.into_iter().find(|(is_wrong, ..)| *is_wrong) {
            Some((_, part, accepted)) => Err(refused(part, accepted)),
            None => Ok(()),
        }
    }
}

fn refused(part: &str, accepted: &'static str) -> InvalidRecurrence {
    InvalidRecurrence::Rule { part: cut(part), accepted }
}

fn parse_frequency(text: &str) -> Option<Frequency> {
    match text {
        "DAILY" => Some(Frequency::Daily),
        "WEEKLY" => Some(Frequency::Weekly),
        "MONTHLY" => Some(Frequency::Monthly),
        "YEARLY" => Some(Frequency::Yearly),
        _ => None,
    }
}

fn parse_number(text: &str, least: i64, most: i64) -> Option<i64> {
    text.parse().ok().filter(|number| (least..=most).contains(number))
}

fn parse_list(text: &str, least: i16, most: i16, negative: bool) -> Option<Vec<i16>> {
    let is_accepted = |number: &i16| (least..=most).contains(&number.saturating_abs()) && (negative || *number > 0);
    text.split(',').map(|item| item.parse().ok().filter(is_accepted)).collect()
}

fn parse_weekdays(text: &str) -> Option<Vec<NthWeekday>> {
    text.split(',')
        .map(|item| {
            let split = item.len().checked_sub(2)?;
            let (number, weekday) = (item.get(..split)?, parse_weekday(item.get(split..)?)?);
            let nth = if number.is_empty() {
                0
            } else {
                number.parse().ok().filter(|nth: &i16| (1..=53).contains(&nth.unsigned_abs()))?
            };
            Some((nth, weekday))
        })
        .collect()
}

fn parse_weekday(text: &str) -> Option<Weekday> {
    match text {
        "MO" => Some(Weekday::Monday),
        "TU" => Some(Weekday::Tuesday),
        "WE" => Some(Weekday::Wednesday),
        "TH" => Some(Weekday::Thursday),
        "FR" => Some(Weekday::Friday),
        "SA" => Some(Weekday::Saturday),
        "SU" => Some(Weekday::Sunday),
        _ => None,
    }
}

fn parse_until(text: &str) -> Option<Until> {
    let number = |from: usize, to: usize| -> Option<i16> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    let small = |from, to| number(from, to).and_then(|number| i8::try_from(number).ok());
    let day = Date::new(number(0, 4)?, small(4, 6)?, small(6, 8)?).ok()?;
    if text.len() == 8 {
        return Some(Until::Day(day));
    }
    if text.get(8..9) != Some("T") {
        return None;
    }
    let time = jiff::civil::Time::new(small(9, 11)?, small(11, 13)?, small(13, 15)?, 0).ok()?;
    let local = day.to_datetime(time);
    match text.get(15..) {
        Some("") => Some(Until::Local(local)),
        Some("Z") => TimeZone::UTC.to_timestamp(local).ok().map(Until::Instant),
        _ => None,
    }
}
