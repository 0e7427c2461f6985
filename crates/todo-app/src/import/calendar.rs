//! iCalendar (RFC 5545): each VTODO is a task.
//!
//! A time with a `TZID` that is an IANA name keeps that zone; one without a zone is in the user's.
//! What is `RELATED-TO` another of the file is a step of it.
//! Priorities 1 to 9 become urgent (1), high (2 to 4), medium (5, or none) and low (6 to 9).

mod content;
mod steps;

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use todo_domain::task::{MAX_REMINDERS, MAX_TAGS};
use todo_domain::{DueDate, NewTask, Priority, Recurrence, Status, TimeZoneName};

use self::content::{Content, unfolded};
use self::steps::{Related, gather};
use super::{MAX_RECORDS, Record, too_many_records};
use crate::http::problem::Problem;

pub(super) fn read(text: &str, zone: &TimeZoneName) -> Result<Vec<Record>, Problem> {
    if !text.lines().any(|line| line.trim_end().eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return Err(Problem::malformed("The file is not iCalendar: it has no BEGIN:VCALENDAR."));
    }
    let mut todos = Vec::new();
    let mut open: Option<Todo> = None;
    for (line, text) in unfolded(text) {
        if todos.len() > MAX_RECORDS {
            return Err(too_many_records());
        }
        let Some(content) = Content::parse(&text) else { continue };
        match (&mut open, content.is("BEGIN", "VTODO"), content.is("END", "VTODO")) {
            // One that is broken does not take the others with it.
            (_, true, _) => todos.extend(open.replace(Todo::new(line)).map(Todo::unfinished)),
            (_, _, true) => todos.extend(open.take().map(|todo| todo.related(zone))),
            (Some(todo), ..) => todo.take(&content),
            (None, ..) => {}
        }
    }
    todos.extend(open.map(Todo::unfinished));
    Ok(gather(todos))
}

/// The properties that are looked at; of one that comes again the first counts.
const PROPERTIES: [&str; 9] =
    ["UID", "RELATED-TO", "SUMMARY", "DESCRIPTION", "STATUS", "COMPLETED", "PRIORITY", "DUE", "RRULE"];

/// What has been read of a VTODO.
struct Todo {
    line: usize,
    /// Values as written, with the `TZID` of each.
    properties: BTreeMap<&'static str, (String, Option<String>)>,
    tags: Vec<String>,
    reminders: Vec<u32>,
    /// How many components are open inside, and whether the outermost is an alarm.
    depth: usize,
    in_alarm: bool,
}

impl Todo {
    fn new(line: usize) -> Self {
        let (properties, tags, reminders) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { line, properties, tags, reminders, depth: 0, in_alarm: false }
    }

    fn unfinished(self) -> Related {
        let record = Record { line: self.line, task: Err("has no END:VTODO".to_owned()), note: None };
        Related { record, uid: String::new(), parent: String::new() }
    }

    fn take(&mut self, content: &Content<'_>) {
        if content.name.eq_ignore_ascii_case("BEGIN") {
            self.in_alarm = self.depth == 0 && content.is("BEGIN", "VALARM");
            self.depth += 1;
        } else if content.name.eq_ignore_ascii_case("END") {
            self.depth = self.depth.saturating_sub(1);
        } else if self.depth == 1 && self.in_alarm && content.name.eq_ignore_ascii_case("TRIGGER") {
            self.reminders.extend(lead(content.value).filter(|_| self.reminders.len() < MAX_REMINDERS));
        } else if self.depth == 0 && content.name.eq_ignore_ascii_case("CATEGORIES") {
            // One too many is enough to be refused.
            let room = (MAX_TAGS + 1).saturating_sub(self.tags.len());
            self.tags.extend(list(content.value, room));
        } else if self.depth == 0
            && content.parameter("RELTYPE").is_none_or(|kind| kind.eq_ignore_ascii_case("PARENT"))
            && let Some(name) = PROPERTIES.iter().find(|name| content.name.eq_ignore_ascii_case(name))
        {
            let value = || (content.value.to_owned(), content.parameter("TZID").map(str::to_owned));
            self.properties.entry(name).or_insert_with(value);
        }
    }

    fn related(self, zone: &TimeZoneName) -> Related {
        let (uid, parent) = (self.value("UID").to_owned(), self.value("RELATED-TO").to_owned());
        Related { record: self.record(zone), uid, parent }
    }

    fn record(self, zone: &TimeZoneName) -> Record {
        let line = self.line;
        match self.task(zone) {
            Ok((task, note)) => Record { line, task: Ok(task), note },
            Err(message) => Record { line, task: Err(message), note: None },
        }
    }

    fn task(self, zone: &TimeZoneName) -> Result<(NewTask, Option<String>), String> {
        let mut task = NewTask { time_zone: zone.clone(), tags: self.tags.clone(), ..NewTask::default() };
        let mut notes = Vec::new();
        task.title = self.text("SUMMARY").unwrap_or_default();
        task.description = self.text("DESCRIPTION");
        task.status = match self.value("STATUS").to_ascii_uppercase().as_str() {
            "COMPLETED" => Status::Completed,
            "IN-PROCESS" => Status::InProgress,
            "CANCELLED" => return Err("is cancelled".to_owned()),
            _ if !self.value("COMPLETED").is_empty() => Status::Completed,
            _ => Status::Pending,
        };
        task.priority = match self.value("PRIORITY").parse() {
            Ok(1) => Priority::Urgent,
            Ok(2..=4) => Priority::High,
            Ok(6..=9) => Priority::Low,
            _ => Priority::Medium,
        };
        if let Some((value, zone)) = self.properties.get("DUE") {
            match due(value.trim(), zone.as_deref(), &mut task.time_zone) {
                Some(due) => task.due_date = Some(due),
                None => notes.push(format!("DUE `{}` is not a date: the task has none", shortened(value))),
            }
        }
        let rule = self.value("RRULE");
        if !rule.is_empty() {
            match Recurrence::parse(rule) {
                Ok(recurrence) => task.recurrence = recurrence,
                Err(error) => notes.push(format!("RRULE is left out: {error}")),
            }
        }
        if task.due_date.is_some() {
            task.reminders = self.reminders;
        }
        Ok((task, (!notes.is_empty()).then(|| notes.join("; "))))
    }

    fn value(&self, name: &str) -> &str {
        self.properties.get(name).map_or("", |(value, _)| value.trim())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.properties.get(name).map(|(value, _)| unescaped(value)).filter(|text| !text.trim().is_empty())
    }
}

/// `\n`, `\,`, `\;` and `\\` as what they stand for (RFC 5545, 3.3.11).
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => plain.push('\n'),
                Some(escaped) => plain.push(escaped),
                None => plain.push('\\'),
            },
            _ => plain.push(character),
        }
    }
    plain
}

/// The first texts of a list; a comma behind a backslash is part of one.
fn list(text: &str, most: usize) -> Vec<String> {
    let mut escaped = false;
    let items = text.split(|character| {
        let divides = character == ',' && !escaped;
        escaped = character == '\\' && !escaped;
        divides
    });
    items.map(unescaped).filter(|item| !item.trim().is_empty()).take(most).collect()
}

/// A date, or a date with a time: in UTC, in the zone of `TZID`, or else in the task's.
fn due(text: &str, named: Option<&str>, zone: &mut TimeZoneName) -> Option<DueDate> {
    if let Some(named) = named.and_then(|name| TimeZoneName::parse(name).ok()) {
        *zone = named;
    }
    if text.len() == 8 {
        return DueDate::try_on(day(text)?);
    }
    let (local, zone) = match text.strip_suffix('Z') {
        Some(local) => (local, TimeZone::UTC),
        None => (text, zone.zone()),
    };
    let (date, time) = local.split_once('T')?;
    let local = day(date)?.to_datetime(time_of_day(time)?);
    DueDate::try_at(zone.to_ambiguous_timestamp(local).compatible().ok()?)
}

/// `YYYYMMDD`.
fn day(text: &str) -> Option<Date> {
    let [year, month, day] = numbers(text, [4, 2, 2])?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// `HHMMSS`; a leap second is the one before it.
fn time_of_day(text: &str) -> Option<Time> {
    let [hour, minute, second] = numbers(text, [2, 2, 2])?;
    let part = |number: i16| i8::try_from(number).ok();
    Time::new(part(hour)?, part(minute)?, part(second)?.min(59), 0).ok().filter(|_| second <= 60)
}

/// Numbers of so many digits each, and nothing else.
fn numbers<const COUNT: usize>(text: &str, widths: [usize; COUNT]) -> Option<[i16; COUNT]> {
    let mut numbers = [0; COUNT];
    let mut rest = text;
    for (number, width) in numbers.iter_mut().zip(widths) {
        let digits = rest.get(..width).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        *number = digits.parse().ok()?;
        rest = &rest[width..];
    }
    rest.is_empty().then_some(numbers)
}

/// The minutes of an alarm's trigger that rings before the due date.
fn lead(trigger: &str) -> Option<u32> {
    let seconds = duration(trigger.trim().strip_prefix('-')?)?;
    (seconds <= 10_080 * 60).then(|| (seconds + 30) / 60)
}

/// The seconds of a duration: weeks, or days and a time, as in `P1W`, `P1DT2H` and `PT15M` (RFC 5545, 3.3.6).
fn duration(text: &str) -> Option<u32> {
    let mut rest = text.strip_prefix('P').filter(|rest| !rest.is_empty())?;
    let mut in_time = false;
    let mut seconds = 0_u32;
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            (rest, in_time) = (time, true);
        }
        let unit = rest.find(|character: char| !character.is_ascii_digit())?;
        let each = match (in_time, rest.as_bytes()[unit]) {
            (false, b'W') => 7 * 24 * 60 * 60,
            (false, b'D') => 24 * 60 * 60,
            (true, b'H') => 60 * 60,
            (true, b'M') => 60,
            (true, b'S') => 1,
            _ => return None,
        };
        let count: u32 = rest[..unit].parse().ok()?;
        seconds = seconds.checked_add(count.checked_mul(each)?)?;
        rest = &rest[unit + 1..];
    }
    Some(seconds)
}

fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(todos: &str) -> Vec<Record> {
        let text = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{todos}END:VCALENDAR\r\n").replace('\n', "\r\n");
        read(&text, &TimeZoneName::parse("Europe/Berlin").unwrap()).unwrap()
    }

    #[test]
    fn a_todo_becomes_a_task() {
        let records = records(
            "BEGIN:VTODO\nUID:1\nSUMMARY:Pay rent\\, again\nDESCRIPTION:first\\nse\n cond\nDUE;TZID=America/New_York:20260301T090000\n\
             PRIORITY:1\nCATEGORIES:home,a\\,b\nSTATUS:IN-PROCESS\nRRULE:FREQ=MONTHLY\nBEGIN:VALARM\nACTION:DISPLAY\n\
             TRIGGER:-PT15M\nEND:VALARM\nEND:VTODO\n",
        );
        let task = records[0].task.as_ref().unwrap();
        assert_eq!((task.title.as_str(), task.description.as_deref()), ("Pay rent, again", Some("first\nsecond")));
        assert_eq!(task.due_date.unwrap().to_string(), "2026-03-01T14:00:00Z");
        assert_eq!(task.time_zone.as_str(), "America/New_York");
        assert_eq!((task.priority, task.status), (Priority::Urgent, Status::InProgress));
        assert_eq!(task.tags, ["home", "a,b"]);
        assert_eq!(task.reminders, [15]);
        assert!(task.recurrence.is_some());
    }

    #[test]
    fn durations_and_times_are_read_as_rfc_5545_writes_them() {
        for (text, seconds) in [("PT15M", 900), ("P1DT2H3M4S", 93_784), ("P2W", 1_209_600), ("PT0S", 0)] {
            assert_eq!(duration(text), Some(seconds), "{text}");
        }
        for text in ["", "P", "15M", "P15M", "PT1W", "PTM", "P1", "PT15Mx", "PT99999999999S"] {
            assert_eq!(duration(text), None, "{text}");
        }
        assert_eq!(time_of_day("235960"), Time::new(23, 59, 59, 0).ok());
        for text in ["", "12", "1200000", "250000", "12:000", "120061", "+10000"] {
            assert_eq!(time_of_day(text), None, "{text}");
        }
        assert_eq!(day("20260229"), None);
    }

    #[test]
    fn a_date_that_no_task_can_have_is_noted_and_left_out() {
        for due in ["DUE;VALUE=DATE:00000101", "DUE;VALUE=DATE:99991231", "DUE;TZID=Etc/GMT+12:99981231T235959"] {
            let records = records(&format!("BEGIN:VTODO\nSUMMARY:a\n{due}\nEND:VTODO\n"));
            assert_eq!(records[0].task.as_ref().unwrap().due_date, None, "{due}");
            assert!(records[0].note.is_some(), "{due}");
        }
    }

    #[test]
    fn what_is_escaped_is_unescaped_once() {
        let records = records("BEGIN:VTODO\nSUMMARY:C:\\\\new\\, old\nCATEGORIES:a\\\\,b\nEND:VTODO\n");
        let task = records[0].task.as_ref().unwrap();
        assert_eq!(
            (task.title.as_str(), task.tags.as_slice()),
            ("C:\\new, old", ["a\\".to_owned(), "b".to_owned()].as_slice())
        );
    }

    #[test]
    fn alarms_of_the_task_itself_are_reminders() {
        let alarm = "BEGIN:VALARM\nTRIGGER:-PT15M\nBEGIN:X\nTRIGGER:-PT1M\nEND:X\nEND:VALARM\n";
        let other = "BEGIN:X\nSUMMARY:other\nBEGIN:VALARM\nTRIGGER:-PT2M\nEND:VALARM\nEND:X\n";
        let records = records(&format!("BEGIN:VTODO\n{other}{alarm}SUMMARY:a\nDUE:20260301T090000Z\nEND:VTODO\n"));
        let task = records[0].task.as_ref().unwrap();
        assert_eq!((task.title.as_str(), task.reminders.as_slice()), ("a", [15].as_slice()));
    }

    #[test]
    fn a_broken_todo_does_not_take_the_others_with_it() {
        let records = records(
            "BEGIN:VTODO\nSUMMARY:a\nBEGIN:VTODO\nSUMMARY:b\nDUE;VALUE=DATE:20260301\nEND:VTODO\n\
             BEGIN:VTODO\nSUMMARY:c\nSTATUS:CANCELLED\nEND:VTODO\nBEGIN:VTODO\nSUMMARY:d\nDUE:soon\nEND:VTODO\n",
        );
        let taken: Vec<bool> = records.iter().map(|record| record.task.is_ok()).collect();
        assert_eq!(taken, [false, true, false, true]);
        assert_eq!(records[0].line, 3);
        assert!(records[3].note.is_some());
        assert!(read("hello", &TimeZoneName::utc()).is_err());
    }
}
