//! A task in one line: tables.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use todo_domain::quick_add::QuickAdd;
use todo_domain::{Priority, TimeZoneName};

/// A line read on Sunday, 1 March 2026, 10:00 in Berlin: its title, due date and recurrence.
fn read(line: &str) -> (String, String, String) {
    let now = "2026-03-01T09:00:00Z".parse().unwrap();
    let task = QuickAdd::parse(line, now, &TimeZoneName::parse("Europe/Berlin").unwrap()).task;
    let due = task.due_date.map(|due| due.to_string()).unwrap_or_default();
    (task.title, due, task.recurrence.map(|recurrence| recurrence.to_string()).unwrap_or_default())
}

#[test]
fn the_whole_line_is_understood() {
    let now = "2026-03-01T09:00:00Z".parse().unwrap();
    let zone = TimeZoneName::parse("Europe/Berlin").unwrap();
    let line = "Pay rent tomorrow 9am #Home !High every month";
    let QuickAdd { task, understood } = QuickAdd::parse(line, now, &zone);
    assert_eq!(task.title, "Pay rent");
    assert_eq!(task.due_date.unwrap().to_string(), "2026-03-02T08:00:00Z");
    assert_eq!((task.tags, task.priority), (vec!["home".to_owned()], Priority::High));
    assert_eq!(task.recurrence.unwrap().as_str(), "monthly");
    let fields: Vec<(&str, &str)> = understood.iter().map(|part| (part.text.as_str(), part.field)).collect();
    let expected = [
        ("tomorrow", "dueDate"),
        ("9am", "dueDate"),
        ("#Home", "tags"),
        ("!High", "priority"),
        ("every month", "recurrence"),
    ];
    assert_eq!(fields, expected);
}

#[test]
fn days_and_times_are_the_next_to_come() {
    let cases = [
        ("Call today", "Call", "2026-03-01", ""),
        ("Call sunday", "Call", "2026-03-08", ""),
        ("Call next Friday at 9", "Call", "2026-03-06T08:00:00Z", ""),
        ("Call in 2 weeks", "Call", "2026-03-15", ""),
        ("Call 5 march", "Call", "2026-03-05", ""),
        ("Call feb 28", "Call", "2027-02-28", ""),
        ("Call mar 5th", "Call", "2026-03-05", ""),
        ("Call 5 march 2028, early", "Call 2028, early", "2026-03-05", ""),
        ("Call 29 february 2028", "Call", "2028-02-29", ""),
        ("Call on fri 6 pm", "Call", "2026-03-06T17:00:00Z", ""),
        ("Call next week", "Call", "2026-03-08", ""),
        ("Call at noon", "Call", "2026-03-01T11:00:00Z", ""),
        ("Gym every mon,wed at 7am", "Gym", "2026-03-02T06:00:00Z", "FREQ=WEEKLY;BYDAY=MO,WE"),
        ("Call 2026-12-24 18:30", "Call", "2026-12-24T17:30:00Z", ""),
        ("Call 11am", "Call", "2026-03-01T10:00:00Z", ""),
        ("Call 9:30am", "Call", "2026-03-02T08:30:00Z", ""),
        ("Call 12am", "Call", "2026-03-01T23:00:00Z", ""),
        ("Stretch every day", "Stretch", "2026-03-01", "daily"),
        ("Stretch every day 9am", "Stretch", "2026-03-02T08:00:00Z", "daily"),
        ("Report every monday", "Report", "2026-03-02", "FREQ=WEEKLY;BYDAY=MO"),
        ("Report every weekday", "Report", "2026-03-02", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("Water every 3 days", "Water", "2026-03-01", "FREQ=DAILY;INTERVAL=3"),
        ("Bins every other week friday", "Bins", "2026-03-06", "FREQ=WEEKLY;INTERVAL=2"),
    ];
    for (line, title, due, recurrence) in cases {
        assert_eq!(read(line), (title.to_owned(), due.to_owned(), recurrence.to_owned()), "{line}");
    }
}

#[test]
fn what_is_not_understood_stays_in_the_title() {
    for line in [
        "Every cloud",
        "Buy sun cream",
        "Sat nav",
        "Find 31 february",
        "Buy 3 apples",
        "#",
        "!now",
        "May I?",
        "25:00",
        "13pm",
        "in 5 minutes",
    ] {
        assert_eq!(read(line), (line.to_owned(), String::new(), String::new()), "{line}");
    }
    assert_eq!(read("today or tomorrow").0, "or tomorrow");
}

#[test]
fn quoted_text_is_title_as_it_is() {
    let cases = [
        ("Watch \"Tomorrow  Never Dies\" tomorrow", "Watch Tomorrow  Never Dies", "2026-03-02"),
        ("\"every day\" #quote", "every day", ""),
        ("Read \u{201c}Today\u{201d} today", "Read Today", "2026-03-01"),
        ("5\" nails \"today", "5\" nails \"today", ""),
        ("\"a\"b\" \"", "a\"b \"", ""),
    ];
    for (line, title, due) in cases {
        let (found, date, _) = read(line);
        assert_eq!((found.as_str(), date.as_str()), (title, due), "{line}");
    }
}
