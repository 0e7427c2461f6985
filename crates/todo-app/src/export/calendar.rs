//! Tasks as iCalendar (RFC 5545): VTODOs to keep, or VEVENTs for calendars that show no tasks.
//!
//! A date with a time is written in UTC; one that comes back is written in its zone, since its wall-clock time holds, and
//! the zone's changes are part of the calendar.
//! Subtasks are VTODOs of their own, `RELATED-TO` their task, as other task programs write them.

mod lines;
mod zones;

use jiff::Timestamp;
use todo_domain::{DueDate, Priority, Status, Task, TimeZoneName};

use self::lines::Lines;

/// Minutes that an event of a task with a time takes in a calendar.
const EVENT_DURATION: &str = "PT15M";

/// A calendar of VTODOs, completed ones too.
pub(super) fn todos(tasks: &[Task], now: Timestamp) -> String {
    calendar(tasks, |lines, task| todo(lines, task, now))
}

/// A calendar of VEVENTs, one for each task with a due date.
pub(super) fn events(tasks: &[Task], now: Timestamp) -> String {
    calendar(tasks, |lines, task| event(lines, task, now))
}

fn calendar(tasks: &[Task], write: impl Fn(&mut Lines, &Task)) -> String {
    let mut lines = Lines::default();
    lines.property("BEGIN", "VCALENDAR");
    lines.property("VERSION", "2.0");
    lines.property("PRODID", "-//todo//todo//EN");
    lines.property("CALSCALE", "GREGORIAN");
    lines.text("X-WR-CALNAME", "Tasks");
    zones::write(&mut lines, tasks.iter().filter_map(zoned));
    tasks.iter().for_each(|task| write(&mut lines, task));
    lines.property("END", "VCALENDAR");
    lines.finish()
}

/// The zone in which a task's times are written, and its first time; `None` when they are written in UTC or are days.
fn zoned(task: &Task) -> Option<(&TimeZoneName, Timestamp)> {
    match task.due_date {
        Some(DueDate::At(at)) if rule(task).is_some() && !task.time_zone.is_utc() => Some((&task.time_zone, at)),
        _ => None,
    }
}

fn todo(lines: &mut Lines, task: &Task, now: Timestamp) {
    lines.property("BEGIN", "VTODO");
    head(lines, &task.id.to_string(), task, now);
    lines.text("SUMMARY", &task.title);
    if let Some(description) = &task.description {
        lines.text("DESCRIPTION", description);
    }
    status(lines, task.status, task.completed_at);
    let priority = match task.priority {
        Priority::Urgent => "1",
        Priority::High => "3",
        Priority::Medium => "5",
        Priority::Low => "7",
    };
    lines.property("PRIORITY", priority);
    lines.texts("CATEGORIES", &task.tags);
    if let Some(due) = task.due_date {
        if let Some(rule) = rule(task) {
            date(lines, "DTSTART", due, task);
            lines.property("RRULE", &rule);
        }
        date(lines, "DUE", due, task);
        reminders(lines, task, "TRIGGER;RELATED=END");
    }
    lines.property("END", "VTODO");
    for step in &task.subtasks {
        lines.property("BEGIN", "VTODO");
        head(lines, &step.id.to_string(), task, now);
        lines.property("RELATED-TO", &task.id.to_string());
        lines.text("SUMMARY", &step.title);
        status(lines, if step.done { Status::Completed } else { Status::Pending }, None);
        lines.property("END", "VTODO");
    }
}

fn event(lines: &mut Lines, task: &Task, now: Timestamp) {
    let Some(due) = task.due_date else { return };
    lines.property("BEGIN", "VEVENT");
    head(lines, &task.id.to_string(), task, now);
    lines.text("SUMMARY", &task.title);
    if let Some(description) = &task.description {
        lines.text("DESCRIPTION", description);
    }
    lines.texts("CATEGORIES", &task.tags);
    date(lines, "DTSTART", due, task);
    if matches!(due, DueDate::At(_)) {
        lines.property("DURATION", EVENT_DURATION);
    }
    if let Some(rule) = rule(task) {
        lines.property("RRULE", &rule);
    }
    // A task does not make its owner busy.
    lines.property("TRANSP", "TRANSPARENT");
    reminders(lines, task, "TRIGGER");
    lines.property("END", "VEVENT");
}

fn head(lines: &mut Lines, uid: &str, task: &Task, now: Timestamp) {
    lines.property("UID", uid);
    lines.property("DTSTAMP", &lines::instant(now));
    lines.property("CREATED", &lines::instant(task.created_at));
    lines.property("LAST-MODIFIED", &lines::instant(task.updated_at));
}

fn status(lines: &mut Lines, status: Status, completed_at: Option<Timestamp>) {
    let word = match status {
        Status::Pending => "NEEDS-ACTION",
        Status::InProgress => "IN-PROCESS",
        Status::Completed => "COMPLETED",
    };
    lines.property("STATUS", word);
    if let Some(at) = completed_at {
        lines.property("COMPLETED", &lines::instant(at));
    }
}

fn date(lines: &mut Lines, name: &str, due: DueDate, task: &Task) {
    match (due, zoned(task)) {
        (DueDate::On(day), _) => lines.property(&format!("{name};VALUE=DATE"), &lines::day(day)),
        (DueDate::At(at), None) => lines.property(name, &lines::instant(at)),
        (DueDate::At(at), Some((zone, _))) => {
            let local = zone.zone().to_datetime(at);
            lines.property(&format!("{name};TZID={zone}"), &lines::local(local));
        }
    }
}

fn reminders(lines: &mut Lines, task: &Task, trigger: &str) {
    for minutes in &task.reminders {
        lines.property("BEGIN", "VALARM");
        lines.property("ACTION", "DISPLAY");
        lines.text("DESCRIPTION", &task.title);
        lines.property(trigger, &format!("-PT{minutes}M"));
        lines.property("END", "VALARM");
    }
}

/// A task's recurrence as a rule; `None` for what no rule says, such as cron.
fn rule(task: &Task) -> Option<String> {
    let text = task.recurrence.as_ref()?.as_str();
    Some(match text {
        "daily" => "FREQ=DAILY".to_owned(),
        "weekly" => "FREQ=WEEKLY".to_owned(),
        "monthly" => "FREQ=MONTHLY".to_owned(),
        "yearly" => "FREQ=YEARLY".to_owned(),
        rule if rule.starts_with("FREQ=") || rule.contains(";FREQ=") => rule.to_owned(),
        _ => return None,
    })
}
