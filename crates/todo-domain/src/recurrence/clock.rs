//! From a series' days to its due dates.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::task::DueDate;

/// Where a series began, on the calendar and clock of its zone.
pub(super) struct SeriesClock {
    /// The first day.
    pub(super) day: Date,
    /// The time of day; `None` for a series of days.
    time: Option<Time>,
    pub(super) zone: TimeZone,
}

impl SeriesClock {
    pub(super) fn new(start: DueDate, zone: TimeZone) -> Self {
        match start {
            DueDate::On(day) => Self { day, time: None, zone },
            DueDate::At(instant) => {
                let local = zone.to_datetime(instant);
                Self { day: local.date(), time: Some(local.time()), zone }
            }
        }
    }

    /// Whether the series is one of days.
    pub(super) const fn is_of_days(&self) -> bool {
        self.time.is_none()
    }

    /// The due date on a day. A time that the day lacks moves behind the gap, one that it has twice is the first.
    pub(super) fn due_on(&self, day: Date) -> Option<DueDate> {
        match self.time {
            None => DueDate::try_on(day),
            Some(time) => {
                let local = self.zone.to_ambiguous_timestamp(day.to_datetime(time));
                DueDate::try_at(local.compatible().ok()?)
            }
        }
    }

    /// The day of any due date, on this calendar.
    pub(super) fn day_of(&self, due: DueDate) -> Date {
        due.day(&self.zone)
    }

    /// Whether one due date of this series comes after another, which may be of the other kind.
    pub(super) fn is_after(&self, due: DueDate, other: DueDate) -> bool {
        match due {
            DueDate::On(day) => day > self.day_of(other),
            DueDate::At(instant) => instant > other.deadline(&self.zone),
        }
    }

    /// The instant at which a due date of this series ends.
    pub(super) fn instant(&self, due: DueDate) -> Timestamp {
        due.deadline(&self.zone)
    }
}
