//! iCalendar (RFC 5545): each VTODO is a task.
//!
//! A time with a `TZID` that is an IANA name keeps that zone; one without a zone is in the user's.
//! Priorities 1 to 9 become urgent (1), high (2 to 4), medium (5, or none) and low (6 to 9).

use icalendar::parser::{Component, Property, read_components, unfold};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use todo_domain::{DueDate, NewTask, Priority, Recurrence, Status, TimeZoneName};

use super::Record;
use crate::http::problem::Problem;

const BEGIN: &str = "BEGIN:VTODO";
const END: &str = "END:VTODO";

pub(super) fn read(text: &str, zone: &TimeZoneName) -> Result<Vec<Record>, Problem> {
    if !text.lines().any(|line| line.trim_end().eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return Err(Problem::malformed("The file is not iCalendar: it has no BEGIN:VCALENDAR."));
    }
    let mut records = Vec::new();
    // Each VTODO is read on its own, so that one that is broken does not take the others with it.
    let mut open: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        if line.trim_end().eq_ignore_ascii_case(BEGIN) {
            records.extend(open.take().map(|(begin, _)| unfinished(begin)));
            open = Some((index + 1, String::new()));
        }
        if let Some((begin, block)) = &mut open {
            block.push_str(line);
            block.push_str("\r\n");
            if line.trim_end().eq_ignore_ascii_case(END) {
                records.push(record(*begin, block, zone));
                open = None;
            }
        }
    }
    records.extend(open.map(|(begin, _)| unfinished(begin)));
    Ok(records)
}

fn unfinished(line: usize) -> Record {
    Record { line, task: Err(format!("has no {END}")), note: None }
}

fn record(line: usize, block: &str, zone: &TimeZoneName) -> Record {
    let unfolded = unfold(block);
    match read_components(&unfolded).ok().and_then(|components| components.into_iter().next()) {
        Some(component) => match task(&component, zone) {
            Ok((task, note)) => Record { line, task: Ok(task), note },
            Err(message) => Record { line, task: Err(message), note: None },
        },
        None => Record { line, task: Err("is not a VTODO that can be read".to_owned()), note: None },
    }
}

fn task(todo: &Component<'_>, zone: &TimeZoneName) -> Result<(NewTask, Option<String>), String> {
    let mut task = NewTask { time_zone: zone.clone(), ..NewTask::default() };
    let mut notes = Vec::new();
    task.title = text_of(todo, "SUMMARY").unwrap_or_default();
    task.description = text_of(todo, "DESCRIPTION");
    task.status = match value_of(todo, "STATUS").to_ascii_uppercase().as_str() {
        "COMPLETED" => Status::Completed,
        "IN-PROCESS" => Status::InProgress,
        "CANCELLED" => return Err("is cancelled".to_owned()),
        _ if !value_of(todo, "COMPLETED").is_empty() => Status::Completed,
        _ => Status::Pending,
    };
    task.priority = match value_of(todo, "PRIORITY").parse() {
        Ok(1) => Priority::Urgent,
        Ok(2..=4) => Priority::High,
        Ok(6..=9) => Priority::Low,
        _ => Priority::Medium,
    };
    for categories in todo.properties.iter().filter(|property| property.name == "CATEGORIES") {
        task.tags.extend(list(categories.val.as_str()));
    }
    if let Some(property) = todo.find_prop("DUE") {
        match due(property, &mut task.time_zone) {
            Some(due) => task.due_date = Some(due),
            None => notes.push(format!("DUE `{}` is not a date: the task has none", shortened(property.val.as_str()))),
        }
    }
    let rule = value_of(todo, "RRULE");
    if !rule.is_empty() {
        match Recurrence::parse(rule) {
            Ok(recurrence) => task.recurrence = recurrence,
            Err(error) => notes.push(format!("RRULE is left out: {error}")),
        }
    }
    if task.due_date.is_some() {
        task.reminders = todo.components.iter().filter_map(lead).take(5).collect();
    }
    Ok((task, (!notes.is_empty()).then(|| notes.join("; "))))
}

fn value_of<'a>(component: &'a Component<'_>, name: &str) -> &'a str {
    component.find_prop(name).map_or("", |property| property.val.as_str().trim())
}

fn text_of(component: &Component<'_>, name: &str) -> Option<String> {
    component.find_prop(name).map(|property| unescaped(property.val.as_str())).filter(|text| !text.trim().is_empty())
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

/// The texts of a list; a comma behind a backslash is part of one.
fn list(text: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut escaped = false;
    for character in text.chars() {
        if character == ',' && !escaped {
            items.push(String::new());
        } else if let Some(item) = items.last_mut() {
            item.push(character);
        }
        escaped = character == '\\' && !escaped;
    }
    items.iter().map(|item| unescaped(item)).filter(|item| !item.trim().is_empty()).collect()
}

/// A date, or a date with a time: in UTC, in the zone of `TZID`, or else in the task's.
fn due(property: &Property<'_>, zone: &mut TimeZoneName) -> Option<DueDate> {
    let text = property.val.as_str().trim();
    let tzid = property.params.iter().find(|parameter| parameter.key == "TZID").and_then(|found| found.val.as_ref());
    if let Some(named) = tzid.and_then(|name| TimeZoneName::parse(name.as_str().trim_matches('"')).ok()) {
        *zone = named;
    }
    if text.len() == 8 {
        return day(text).map(DueDate::On);
    }
    let (local, zone) = match text.strip_suffix('Z') {
        Some(local) => (local, TimeZone::UTC),
        None => (text, zone.zone()),
    };
    let (date, time) = local.split_once('T')?;
    let local = day(date)?.to_datetime(time_of_day(time)?);
    Some(DueDate::At(zone.to_ambiguous_timestamp(local).compatible().ok()?))
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

/// The minutes of an alarm that rings before the due date.
fn lead(alarm: &Component<'_>) -> Option<u32> {
    if alarm.name != "VALARM" {
        return None;
    }
    let trigger = value_of(alarm, "TRIGGER").strip_prefix('-')?;
    let seconds = duration(trigger)?;
    (seconds <= 10_080 * 60).then_some((seconds + 30) / 60)
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
