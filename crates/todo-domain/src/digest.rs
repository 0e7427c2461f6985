//! When the user's day begins, and what it brings.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::calendar::{plus_days, plus_milliseconds};
use crate::event::{DigestEvent, DigestSection, DigestTask};
use crate::ids::{DigestId, UserId};
use crate::sorting::order_of;
use crate::task::{DueDate, Status, Task, TimeZoneName};

/// The most tasks that a section of a digest names; the others are counted.
pub const DIGEST_TASKS: usize = 20;
/// Days within which every zone has any time of day: one that its zone skips is followed by another.
const DAYS: i64 = 3;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A time of day, as `HH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayTime {
    hour: i8,
    minute: i8,
}

/// A text that is no time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time of day: use hours and minutes such as `07:00`, from `00:00` to `23:59`")]
pub struct InvalidDayTime {
    /// The text, cut to 64 characters.
    pub text: String,
}

impl DayTime {
    /// When the digest comes unless another time was chosen: seven in the morning.
    pub const DIGEST: Self = Self { hour: 7, minute: 0 };

    /// Reads `HH:MM`.
    ///
    /// # Errors
    /// For any other form, and times that no day has.
    pub fn parse(text: &str) -> Result<Self, InvalidDayTime> {
        let number = |text: &str, most: i8| {
            let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number| digits && *number <= most)
        };
        let parts = text.split_once(':').and_then(|(hour, minute)| Some((number(hour, 23)?, number(minute, 59)?)));
        match parts {
            Some((hour, minute)) => Ok(Self { hour, minute }),
            None => Err(InvalidDayTime { text: text.chars().take(64).collect() }),
        }
    }

    /// The first instant after `now` at which clocks of the zone show this time.
    ///
    /// A time that a day does not have is behind the gap; one that it has twice is the first.
    pub fn next_after(self, now: Timestamp, zone: &TimeZoneName) -> Timestamp {
        let zone = zone.zone();
        let today = zone.to_datetime(now).date();
        let found = (0..DAYS).find_map(|days| {
            let local = plus_days(today, days)?.at(self.hour, self.minute, 0, 0);
            zone.to_ambiguous_timestamp(local).compatible().ok().filter(|at| *at > now)
        });
        // Only the calendar's end has no next day.
        found.or_else(|| plus_milliseconds(now, DAY_MS)).unwrap_or(Timestamp::MAX)
    }
}

impl Default for DayTime {
    fn default() -> Self {
        Self::DIGEST
    }
}

impl fmt::Display for DayTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl Serialize for DayTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DayTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = DayTime;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a time of day")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<DayTime, E> {
                DayTime::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for DayTime {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DayTime".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Hours and minutes on a clock of the user's zone.",
            "type": "string",
            "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
        })
    }
}

impl DigestEvent {
    /// What a user's day brings, as it begins; `None` when nothing is due and nothing overdue.
    ///
    /// The day is that of `now` in the user's zone. `id` makes the digest's id of that day, so that a day has one.
    pub fn of(
        user_id: UserId,
        tasks: &[Task],
        zone: &TimeZoneName,
        now: Timestamp,
        id: impl FnOnce(DueDate) -> DigestId,
    ) -> Option<Self> {
        let rules = zone.zone();
        let today = rules.to_datetime(now).date();
        let open = || tasks.iter().filter(|task| task.status != Status::Completed && !task.is_trashed());
        let is_today = |task: &&Task| task.due_date.is_some_and(|due| due.day(&rules) == today);
        let due: Vec<&Task> = open().filter(is_today).collect();
        let overdue: Vec<&Task> = open().filter(|task| !is_today(task) && task.is_overdue(now)).collect();
        if due.is_empty() && overdue.is_empty() {
            return None;
        }
        let day = DueDate::On(today);
        Some(Self {
            digest_id: id(day),
            user_id,
            day,
            time_zone: zone.clone(),
            timestamp: now,
            today: section(&due),
            overdue: section(&overdue),
        })
    }
}

/// The first of these by when they are due, then by how much they matter.
fn section(tasks: &[&Task]) -> DigestSection {
    let order = order_of(tasks.len(), &mut |one, other| {
        let key = |index: usize| (tasks[index].deadline(), tasks[index].priority, tasks[index].id);
        key(one).cmp(&key(other))
    });
    let named = order.into_iter().take(DIGEST_TASKS).filter_map(|index| {
        let task = tasks[index];
        Some(DigestTask { task_id: task.id, title: task.title.clone(), due_date: task.due_date? })
    });
    DigestSection { total: u32::try_from(tasks.len()).unwrap_or(u32::MAX), tasks: named.collect() }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ids::TaskId;
    use crate::task::NewTask;

    fn instant(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_of_day_is_read_in_one_form() {
        assert_eq!(DayTime::parse("07:05").unwrap().to_string(), "07:05");
        assert_eq!(serde_json::from_str::<DayTime>("\"23:59\"").unwrap(), DayTime { hour: 23, minute: 59 });
        for text in ["", "7:00", "24:00", "07:60", "07:00:00", "+7:00", "0700", "07: 0", "\u{0661}1:00"] {
            assert!(DayTime::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_next_morning_holds_its_wall_clock_time_across_changes_of_it() {
        let zone = TimeZoneName::parse("Europe/Berlin").unwrap();
        let mut at = instant("2026-03-27T12:00:00Z");
        let mut mornings = Vec::new();
        for _ in 0..3 {
            at = DayTime::DIGEST.next_after(at, &zone);
            mornings.push(at.to_string());
        }
        assert_eq!(mornings, ["2026-03-28T06:00:00Z", "2026-03-29T05:00:00Z", "2026-03-30T05:00:00Z"]);
        // The time that the day lacks is behind the gap; the one that it has twice comes once.
        let night = DayTime::parse("02:30").unwrap();
        let gap = night.next_after(instant("2026-03-28T12:00:00Z"), &zone);
        assert_eq!(gap.to_string(), "2026-03-29T01:30:00Z");
        let twice = night.next_after(instant("2026-10-24T12:00:00Z"), &zone);
        assert_eq!(twice.to_string(), "2026-10-25T00:30:00Z");
        assert_eq!(night.next_after(twice, &zone).to_string(), "2026-10-26T01:30:00Z");
    }

    #[test]
    fn a_day_that_a_zone_skipped_has_no_morning() {
        let zone = TimeZoneName::parse("Pacific/Apia").unwrap();
        let before = instant("2011-12-29T18:00:00Z");
        // 29 December, 08:00: the 30th was left out.
        assert_eq!(DayTime::DIGEST.next_after(before, &zone).to_string(), "2011-12-30T17:00:00Z");
    }

    fn task(number: u128, title: &str, due: &str) -> Task {
        let draft = NewTask {
            title: title.into(),
            due_date: DueDate::parse(due).ok(),
            time_zone: TimeZoneName::parse("America/New_York").unwrap(),
            ..NewTask::default()
        };
        draft.build(TaskId::new(Uuid::from_u128(number)), instant("2026-02-01T00:00:00Z"), &mut Uuid::nil).unwrap()
    }

    #[test]
    fn a_digest_names_what_the_users_day_brings() {
        let zone = TimeZoneName::parse("America/New_York").unwrap();
        // 1 March, 07:00 in New York.
        let now = instant("2026-03-01T12:00:00Z");
        let mut done = task(9, "done", "2026-03-01");
        done.set_status(Status::Completed, now);
        let tasks = [
            task(1, "late at night", "2026-03-02T04:59:00Z"),
            task(2, "tomorrow", "2026-03-02T05:00:00Z"),
            task(3, "the whole day", "2026-03-01"),
            task(4, "this morning", "2026-03-01T10:00:00Z"),
            task(5, "yesterday", "2026-02-28"),
            task(6, "long ago", "2025-12-31T00:00:00Z"),
            done,
        ];
        let of = |tasks: &[Task]| {
            DigestEvent::of(UserId::new(Uuid::nil()), tasks, &zone, now, |day| {
                assert_eq!(day.to_string(), "2026-03-01");
                DigestId::new(Uuid::nil())
            })
        };
        let titles =
            |section: DigestSection| -> Vec<String> { section.tasks.into_iter().map(|task| task.title).collect() };
        let digest = of(&tasks).unwrap();
        assert_eq!(titles(digest.today), ["this morning", "late at night", "the whole day"]);
        assert_eq!(titles(digest.overdue), ["long ago", "yesterday"]);
        assert_eq!(of(&tasks[1..2]), None);

        let many: Vec<Task> = (0..30).map(|number| task(number, "many", "2026-03-01")).collect();
        let today = of(&many).unwrap().today;
        assert_eq!((today.total, today.tasks.len()), (30, DIGEST_TASKS));
    }
}
