//! iCalendar (RFC 5545): each VTODO is a task.
//!
//! A time with a `TZID` that is an IANA name keeps that zone; one without a zone is in the user's.
//! Priorities 1 to 9 become urgent (1), high (2 to 4), medium (5, or none) and low (6 to 9).

use icalendar::parser::{Component, Property, read_components, unfold};
use jiff::civil::{Date, DateTime};
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
        return Date::strptime("%Y%m%d", text).ok().map(DueDate::On);
    }
    let (local, zone) = match text.strip_suffix('Z') {
        Some(local) => (local, TimeZone::UTC),
        None => (text, zone.zone()),
    };
    let local = DateTime::strptime("%Y%m%dT%H%M%S", local).ok()?;
    Some(DueDate::At(local.to_zoned(zone).ok()?.timestamp()))
}

/// The minutes of an alarm that rings before the due date.
fn lead(alarm: &Component<'_>) -> Option<u32> {
    if alarm.name != "VALARM" {
        return None;
    }
    let trigger = value_of(alarm, "TRIGGER").strip_prefix('-')?;
    let span: jiff::Span = trigger.parse().ok()?;
    let minutes = span.total((jiff::Unit::Minute, jiff::SpanRelativeTo::days_are_24_hours())).ok()?;
    (0.0..=10_080.0).contains(&minutes).then_some(minutes.round() as u32)
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
