//! Dapr's schedules: cron with seconds, `@every`, and names such as `@daily`.

use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use jiff::{Timestamp, tz::TimeZone};

use super::moment::go_duration;

/// Longer than any schedule that means something.
const LENGTH: usize = 1024;
/// The shortest interval, in milliseconds; each tick is a call and a commit.
const SHORTEST: i64 = 100;
/// What is accepted.
const FORM: &str = "cron with seconds such as `0 30 9 * * 1-5`, `@every 1h30m`, `@hourly`, `@daily`, `@weekly`, `@monthly` or `@yearly`";

/// When something is due, again and again.
#[derive(Debug, Clone)]
pub(crate) enum Schedule {
    /// After so many milliseconds.
    Every(i64),
    /// By the clock of a zone.
    Cron(Box<Cron>, TimeZone),
}

/// A text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the schedule `{text}` {reason}; expected {FORM}")]
pub(crate) struct InvalidSchedule {
    text: String,
    reason: String,
}

/// Whether the seconds of a cron text may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fields {
    /// Six fields.
    Six,
    /// Six, or five without the seconds.
    FiveOrSix,
}

impl Schedule {
    /// Reads a schedule by the clock of `zone`, unless it begins with `CRON_TZ=<zone>` or `TZ=<zone>`.
    pub(crate) fn parse(text: &str, fields: Fields, zone: &TimeZone) -> Result<Self, InvalidSchedule> {
        let refuse = |reason: String| InvalidSchedule { text: text.chars().take(100).collect(), reason };
        if text.len() > LENGTH {
            return Err(refuse(format!("is longer than {LENGTH} bytes")));
        }
        let (zone, rest) = match text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ=")) {
            Some(named) => {
                let (name, rest) = named.split_once(char::is_whitespace).unwrap_or((named, ""));
                let zone =
                    TimeZone::get(name).map_err(|_| refuse(format!("names the time zone `{name}`, which is none")))?;
                (zone, rest.trim())
            }
            None => (zone.clone(), text.trim()),
        };
        if let Some(interval) = rest.strip_prefix("@every ") {
            let interval = go_duration(interval.trim()).filter(|interval| *interval >= 0);
            let interval = interval.ok_or_else(|| refuse("has no duration such as `1h30m` behind `@every`".into()))?;
            return Ok(Self::Every(interval.max(SHORTEST)));
        }
        let pattern = match rest {
            "@yearly" | "@annually" => "0 0 0 1 1 *",
            "@monthly" => "0 0 0 1 * *",
            "@weekly" => "0 0 0 * * 0",
            "@daily" | "@midnight" => "0 0 0 * * *",
            "@hourly" => "0 0 * * * *",
            other if other.contains('@') => return Err(refuse("is none".into())),
            other => other,
        };
        let seconds = match fields {
            Fields::Six => Seconds::Required,
            Fields::FiveOrSix => Seconds::Optional,
        };
        // `5/10` is every tenth from the fifth on, as to Dapr.
        let parser = CronParser::builder().seconds(seconds).year(Year::Disallowed).sloppy_ranges(true).build();
        let cron = parser.parse(pattern).map_err(|error| refuse(format!("is none: {error}")))?;
        let schedule = Self::Cron(Box::new(cron), zone);
        if schedule.after(Timestamp::UNIX_EPOCH.as_millisecond()).is_none() {
            return Err(refuse("never comes".into()));
        }
        Ok(schedule)
    }

    /// The first tick behind both `last`, the one before, and `now`. All in Unix milliseconds.
    ///
    /// None when there is none before the end of the calendar.
    pub(crate) fn next(&self, last: i64, now: i64) -> Option<i64> {
        match self {
            Self::Every(interval) => {
                let missed = now.saturating_sub(last).max(0) / interval;
                last.checked_add((missed + 1).checked_mul(*interval)?)
            }
            Self::Cron(..) => self.after(last.max(now)),
        }
    }

    fn after(&self, time: i64) -> Option<i64> {
        match self {
            Self::Every(interval) => time.checked_add(*interval),
            Self::Cron(cron, zone) => {
                let time = Timestamp::from_millisecond(time).ok()?.to_zoned(zone.clone());
                Some(cron.find_next_occurrence(&time, false).ok()?.timestamp().as_millisecond())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn next(schedule: &str, now: &str) -> String {
        let schedule = Schedule::parse(schedule, Fields::Six, &TimeZone::UTC).unwrap();
        Timestamp::from_millisecond(schedule.next(at(now), at(now)).unwrap()).unwrap().to_string()
    }

    #[test]
    fn the_next_tick_is_the_first_one_after_now() {
        for (schedule, now, expected) in [
            ("0 30 * * * *", "2026-03-01T10:30:00Z", "2026-03-01T11:30:00Z"),
            ("0 30 * * * *", "2026-03-01T10:29:59.999Z", "2026-03-01T10:30:00Z"),
            ("* * * * * *", "2026-03-01T10:29:59.5Z", "2026-03-01T10:30:00Z"),
            ("5/20 * * * * ?", "2026-03-01T10:29:05Z", "2026-03-01T10:29:25Z"),
            ("0 0 9 * jan,MAR mon-fri", "2026-03-06T12:00:00Z", "2026-03-09T09:00:00Z"),
            // Either of the two, where both are said.
            ("0 0 0 13 * 5", "2026-03-01T00:00:00Z", "2026-03-06T00:00:00Z"),
            ("@daily", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"),
            ("@midnight", "2026-03-01T10:00:00Z", "2026-03-02T00:00:00Z"),
            ("@weekly", "2026-03-02T00:00:00Z", "2026-03-08T00:00:00Z"),
            ("@monthly", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
            ("@annually", "2026-03-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("@hourly", "2026-03-01T00:00:00Z", "2026-03-01T01:00:00Z"),
            ("@every 1h30m", "2026-03-01T00:00:00Z", "2026-03-01T01:30:00Z"),
            ("@every 250ms", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00.25Z"),
            ("CRON_TZ=Asia/Kolkata 0 0 9 * * *", "2026-03-01T00:00:00Z", "2026-03-01T03:30:00Z"),
            ("TZ=Europe/Berlin @daily", "2026-06-01T00:00:00Z", "2026-06-01T22:00:00Z"),
            // The hour that a clock leaves out, and the one that it has twice.
            ("CRON_TZ=Europe/Berlin 0 30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
            ("CRON_TZ=Europe/Berlin 0 30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
            ("0 0 0 29 2 *", "2026-03-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ] {
            assert_eq!(next(schedule, now), expected, "{schedule} after {now}");
        }
    }

    #[test]
    fn ticks_that_were_missed_are_left_out_and_the_beat_is_kept() {
        let every = Schedule::parse("@every 10s", Fields::Six, &TimeZone::UTC).unwrap();
        assert_eq!(every.next(1_000, 1_000), Some(11_000));
        assert_eq!(every.next(1_000, 55_000), Some(61_000));
        // The clock was set back.
        assert_eq!(every.next(1_000_000, 5), Some(1_010_000));
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_the_accepted_form() {
        for text in [
            "",
            "* * * * *",
            "* * * * * * *",
            "0 60 * * * *",
            "0 0 0 32 * *",
            "0 0 0 30 2 *",
            "0/0 * * * * *",
            "@every",
            "@every 1d",
            "@every -1s",
            "@reboot",
            "@daily @daily",
            "CRON_TZ=Not/AZone 0 0 9 * * *",
            "CRON_TZ=UTC",
            "tomorrow",
        ] {
            let error = Schedule::parse(text, Fields::Six, &TimeZone::UTC).unwrap_err().to_string();
            assert!(error.contains("expected cron with seconds"), "{text}: {error}");
        }
        assert!(Schedule::parse(&" ".repeat(2000), Fields::Six, &TimeZone::UTC).is_err());
        assert!(Schedule::parse("30 9 * * *", Fields::FiveOrSix, &TimeZone::UTC).is_ok());
    }
    #[test]
    fn a_schedule_that_is_hard_to_meet_costs_little() {
        for text in ["0 0 0 30 2 *", "0 0 0 31 2,4,6,9,11 *", "59 59 23 31 2,4,6,9,11 *", "0 0 0 29 2 *", "0 0 0 L 2 *"]
        {
            let (_, computed) = fuzzing::computed(|| Schedule::parse(text, Fields::Six, &TimeZone::UTC));
            assert!(computed < std::time::Duration::from_millis(500), "{text}: {computed:?}");
        }
    }
}
