//! RFC 5545 recurrence rules, expanded: period by period, the days that all BY parts let through.

use jiff::civil::{Date, Weekday, date};

use super::clock::SeriesClock;
use super::rule::{Frequency, NthWeekday, Rule, Until};
use crate::calendar::{days_between, plus_days, plus_months, plus_years};
use crate::task::DueDate;

impl Frequency {
    /// The periods after which the calendar repeats itself: 400 years.
    /// A rule that found no day in as many never will.
    const fn cycle(self) -> u32 {
        match self {
            Self::Daily => 146_097,
            Self::Weekly => 20_871,
            Self::Monthly => 4_800,
            Self::Yearly => 400,
        }
    }
}

impl Rule {
    /// Whether any day has what the rule asks for, wherever the series begins.
    pub(super) fn can_occur(&self) -> bool {
        let every = Self { interval: 1, count: None, until: None, ..self.clone() };
        // A leap year that begins on a Saturday, and a day that every month has.
        let days = Days::from(&every, date(2000, 1, 1), 0);
        days.take(1).count() > 0
    }

    /// The first due date after another; `None` behind COUNT and UNTIL, and when none is found in 400 years' worth of periods.
    pub(super) fn next(&self, series: &SeriesClock, after: DueDate) -> Option<DueDate> {
        // Without COUNT, nothing is lost by starting near the end.
        let first_period = match self.count {
            Some(_) => 0,
            None => (self.periods_between(series.day, series.day_of(after)) - 1).max(0),
        };
        let count = self.count.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
        Days::from(self, series.day, first_period)
            .take(count)
            .map_while(|day| series.due_on(day))
            .take_while(|due| self.is_before_end(series, *due))
            .find(|due| series.is_after(*due, after))
    }

    fn is_before_end(&self, series: &SeriesClock, due: DueDate) -> bool {
        match (self.until, due) {
            (None, _) => true,
            (Some(Until::Day(end)), due) => series.day_of(due) <= end,
            (Some(Until::Local(end)), DueDate::On(day)) => day <= end.date(),
            (Some(Until::Local(end)), DueDate::At(instant)) => series.zone.to_datetime(instant) <= end,
            (Some(Until::Instant(end)), DueDate::On(day)) => day <= series.zone.to_datetime(end).date(),
            (Some(Until::Instant(end)), DueDate::At(instant)) => instant <= end,
        }
    }

    /// The number of the period that a day is in, counted from the start's.
    fn periods_between(&self, start: Date, day: Date) -> i64 {
        let units = match self.frequency {
            Frequency::Daily => i64::from(days_between(start, day)),
            Frequency::Weekly => {
                i64::from(days_between(week_of(start, self.week_start), week_of(day, self.week_start)) / 7)
            }
            Frequency::Monthly => i64::from(day.year() - start.year()) * 12 + i64::from(day.month() - start.month()),
            Frequency::Yearly => i64::from(day.year() - start.year()),
        };
        units.div_euclid(self.interval)
    }

    /// The days of a period that the rule lets through; `None` behind the calendar's end.
    fn days_of(&self, start: Date, period: i64) -> Option<Vec<Date>> {
        let units = period.checked_mul(self.interval)?;
        let (first, length) = match self.frequency {
            Frequency::Daily => (plus_days(start, units)?, 1),
            Frequency::Weekly => {
                let week = week_of(start, self.week_start);
                (plus_days(week, units.checked_mul(7)?)?, 7)
            }
            Frequency::Monthly => {
                let month = plus_months(start.first_of_month(), units)?;
                (month, i64::from(month.days_in_month()))
            }
            Frequency::Yearly => {
                let year = plus_years(start.first_of_year(), units)?;
                (year, i64::from(year.days_in_year()))
            }
        };
        let last = plus_days(first, length - 1)?;
        let by_start = self.weeks.is_empty()
            && self.year_days.is_empty()
            && self.month_days.is_empty()
            && self.weekdays.is_empty();
        let mut days = Vec::new();
        let mut day = first;
        loop {
            if self.lets_through(day) && (!by_start || self.is_like_start(day, start)) {
                days.push(day);
            }
            if day >= last {
                break;
            }
            day = day.tomorrow().ok()?;
        }
        Some(self.at_positions(days))
    }

    /// What a rule without days takes from the start.
    fn is_like_start(&self, day: Date, start: Date) -> bool {
        match self.frequency {
            Frequency::Daily => true,
            Frequency::Weekly => day.weekday() == start.weekday(),
            Frequency::Monthly => day.day() == start.day(),
            Frequency::Yearly => day.day() == start.day() && (!self.months.is_empty() || day.month() == start.month()),
        }
    }

    fn lets_through(&self, day: Date) -> bool {
        (self.months.is_empty() || self.months.contains(&i16::from(day.month())))
            && (self.month_days.is_empty() || is_nth(&self.month_days, day.day().into(), day.days_in_month().into()))
            && (self.year_days.is_empty() || is_nth(&self.year_days, day.day_of_year(), day.days_in_year()))
            && (self.weeks.is_empty() || self.is_in_weeks(day))
            && (self.weekdays.is_empty() || self.weekdays.iter().any(|weekday| self.is_weekday(day, *weekday)))
    }

    fn is_weekday(&self, day: Date, (nth, weekday): NthWeekday) -> bool {
        if day.weekday() != weekday {
            return false;
        }
        let in_month = self.frequency == Frequency::Monthly || !self.months.is_empty();
        let (index, length) = if in_month {
            (day.day().into(), day.days_in_month().into())
        } else {
            (day.day_of_year(), day.days_in_year())
        };
        match nth {
            0 => true,
            1.. => (index - 1) / 7 + 1 == nth,
            _ => (length - index) / 7 + 1 == -nth,
        }
    }

    /// Week 1 is the first with at least four days in the year.
    fn is_in_weeks(&self, day: Date) -> bool {
        let first_week = |year: i16| Date::new(year, 1, 4).map(|day| week_of(day, self.week_start));
        let (Ok(previous), Ok(this), Ok(next), Ok(last)) = (
            first_week(day.year() - 1),
            first_week(day.year()),
            first_week(day.year() + 1),
            first_week(day.year().saturating_add(2)),
        ) else {
            return false;
        };
        let (from, to) = if day < this {
            (previous, this)
        } else if day < next {
            (this, next)
        } else {
            (next, last)
        };
        let weeks = |from, to| i16::try_from(days_between(from, to) / 7).unwrap_or(0);
        is_nth(&self.weeks, weeks(from, day) + 1, weeks(from, to))
    }

    fn at_positions(&self, days: Vec<Date>) -> Vec<Date> {
        if self.positions.is_empty() {
            return days;
        }
        let length = i16::try_from(days.len()).unwrap_or(i16::MAX);
        let numbered = days.into_iter().zip(1_i16..);
        numbered.filter(|(_, index)| is_nth(&self.positions, *index, length)).map(|(day, _)| day).collect()
    }
}

/// The days of a rule from its start on.
struct Days<'r> {
    rule: &'r Rule,
    start: Date,
    period: i64,
    days: std::vec::IntoIter<Date>,
}

impl<'r> Days<'r> {
    fn from(rule: &'r Rule, start: Date, first_period: i64) -> Self {
        Self { rule, start, period: first_period, days: Vec::new().into_iter() }
    }
}

impl Iterator for Days<'_> {
    type Item = Date;

    fn next(&mut self) -> Option<Date> {
        for _ in 0..=self.rule.frequency.cycle() {
            if let Some(day) = self.days.find(|day| *day >= self.start) {
                return Some(day);
            }
            self.days = self.rule.days_of(self.start, self.period)?.into_iter();
            self.period += 1;
        }
        None
    }
}

/// Whether a list of numbers, negative ones counted from the end, has the one at this index of so many.
fn is_nth(numbers: &[i16], index: i16, length: i16) -> bool {
    numbers.contains(&index) || numbers.contains(&(index - length - 1))
}

/// The first day of a day's week.
fn week_of(day: Date, week_start: Weekday) -> Date {
    plus_days(day, -i64::from(day.weekday().since(week_start))).unwrap_or(day)
}
