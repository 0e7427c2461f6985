//! The recurrences that are five cron fields.
//!
//! Written here and not taken from a crate, since a general one weighs more in a component than all other rules together.
//! The crate `croner` is the peer that the tests compare with.

mod fields;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday, date};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use self::fields::Fields;
use super::clock::SeriesClock;
use super::{InvalidRecurrence, cut};
use crate::task::{DueDate, to_millisecond};

/// The days in which every cron expression that ever strikes does so: the fifth weekday of a February can be 40 years away.
const SEARCHED_DAYS: usize = 41 * 366;
/// The last year in which a cron expression strikes.
const LAST_YEAR: i16 = 4999;
/// The longest gap, in seconds, behind which a missing time moves; a longer one is a day that the zone left out.
const LONGEST_GAP: i32 = 2 * 60 * 60;

/// A cron expression: minute, hour, day of the month, month, day of the week.
pub(super) struct Cron(Fields);

impl Cron {
    /// Reads five fields in upper case, divided by single blanks.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidRecurrence> {
        Fields::parse(text)
            .map(Self)
            .map_err(|reason| InvalidRecurrence::Cron { text: cut(text), reason: reason.to_owned() })
    }

    /// Whether any day has what it asks for.
    pub(super) fn can_occur(&self) -> bool {
        self.days_from(date(2000, 1, 1)).next().is_some()
    }

    /// When it strikes next. In a series of days that is the next day on which it strikes.
    pub(super) fn next(&self, series: &SeriesClock, after: DueDate) -> Option<DueDate> {
        if series.is_of_days() {
            let next = self.days_from(series.day_of(after).tomorrow().ok()?).next()?;
            return series.due_on(next);
        }
        self.next_instant(series.instant(after), &series.zone).map(|next| DueDate::At(to_millisecond(next)))
    }

    /// The first strike after an instant.
    ///
    /// What strikes at one time of day strikes once a day: behind the gap where its zone skips the time, at the first of two.
    /// What strikes more often leaves a gap out and strikes in both halves of a repeated hour.
    fn next_instant(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        // A repeated hour can reach into the day before.
        let first_day = zone.to_datetime(after).date().yesterday().ok()?;
        let mut best: Option<Timestamp> = None;
        for day in self.days_from(first_day) {
            for (hour, minute) in self.0.times() {
                let local = day.at(hour, minute, 0, 0);
                let at = |offset: Offset| offset.to_timestamp(local).ok().filter(|instant| *instant > after);
                match zone.to_ambiguous_timestamp(local).offset() {
                    AmbiguousOffset::Unambiguous { offset } => {
                        // Clocks run forwards from here on: nothing later on the calendar is earlier in time.
                        if let Some(found) = at(offset) {
                            return best.map_or(Some(found), |best| Some(best.min(found)));
                        }
                    }
                    AmbiguousOffset::Fold { before, after: later } => {
                        let halves =
                            if self.0.strikes_once_a_day { [at(before), None] } else { [at(before), at(later)] };
                        best = halves.into_iter().flatten().chain(best).min();
                    }
                    AmbiguousOffset::Gap { before, after: later } => {
                        if self.0.strikes_once_a_day
                            && let Some(found) = self.behind_gap(local, before, later, zone)
                            && found > after
                        {
                            return best.map_or(Some(found), |best| Some(best.min(found)));
                        }
                    }
                }
            }
        }
        best
    }

    /// The end of the gap that a local time is in; `None` when it is on a day that the expression does not ask for.
    fn behind_gap(
        &self,
        local: jiff::civil::DateTime,
        before: Offset,
        after: Offset,
        zone: &TimeZone,
    ) -> Option<Timestamp> {
        if after.seconds() - before.seconds() > LONGEST_GAP {
            return None;
        }
        let (mut early, mut late) =
            (after.to_timestamp(local).ok()?.as_second(), before.to_timestamp(local).ok()?.as_second());
        while late - early > 1 {
            let middle = early + (late - early) / 2;
            if zone.to_offset(Timestamp::from_second(middle).ok()?) == before {
                early = middle;
            } else {
                late = middle;
            }
        }
        let end = Timestamp::from_second(late).ok()?;
        self.0.has_day(zone.to_datetime(end).date()).then_some(end)
    }

    /// The days from one on that the expression asks for, as far as they are searched.
    fn days_from(&self, first: Date) -> impl Iterator<Item = Date> + '_ {
        let next = |day: &Date| day.tomorrow().ok();
        std::iter::successors(Some(first), next)
            .take(SEARCHED_DAYS)
            .take_while(|day| day.year() <= LAST_YEAR)
            .filter(|day| self.0.has_day(*day))
    }
}

impl Fields {
    /// Whether the expression strikes on a day. Where both day fields say something, either is enough.
    fn has_day(&self, day: Date) -> bool {
        if !self.months.contains(day.month()) {
            return false;
        }
        match (self.any_day, self.any_weekday) {
            (true, true) => true,
            (true, false) => self.has_weekday(day),
            (false, true) => self.has_day_of_month(day),
            (false, false) => self.has_day_of_month(day) || self.has_weekday(day),
        }
    }

    fn has_day_of_month(&self, day: Date) -> bool {
        let last = day.days_in_month();
        self.days.contains(day.day())
            || (self.last_day && day.day() == last)
            || (self.last_working_day && day.day() == nearest_working_day(day, last))
            || (-2..=2).any(|distance| {
                let wanted = day.day() + distance;
                (1..=last).contains(&wanted)
                    && self.near_days.contains(wanted)
                    && nearest_working_day(day, wanted) == day.day()
            })
    }

    fn has_weekday(&self, day: Date) -> bool {
        let weekday = day.weekday().to_sunday_zero_offset();
        let nth = (day.day() - 1) / 7;
        let Some(in_weeks) = usize::try_from(nth).ok().and_then(|nth| self.nth_weekdays.get(nth)) else { return false };
        self.weekdays.contains(weekday)
            || in_weeks.contains(weekday)
            || (self.last_weekdays.contains(weekday) && day.day() + 7 > day.days_in_month())
    }
}

/// The day from Monday to Friday that is nearest to a day of the month, without leaving the month.
/// For the month's last day it is the last such day.
fn nearest_working_day(month: Date, wanted: i8) -> i8 {
    let Ok(day) = Date::new(month.year(), month.month(), wanted) else { return 0 };
    match day.weekday() {
        Weekday::Saturday if wanted > 1 => wanted - 1,
        Weekday::Saturday => wanted + 2,
        Weekday::Sunday if wanted < month.days_in_month() => wanted + 1,
        Weekday::Sunday => wanted - 2,
        _ => wanted,
    }
}
