//! Files of other programs.

use fuzzing::{computed, config, damaged};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use todo_app::import::{Format, MAX_IMPORT_BYTES, read};
use todo_domain::TimeZoneName;

use crate::{LIMIT, stored};

const ROWS: [&str; 16] = [
    "task,Move house @home,\"Boxes, tape\",1,1,,,2026-03-01 09:30,en,Europe/Berlin,2026-03-05",
    "task,Rent van,,4,1,,,every month,en,,",
    "task,Ask Ada,,4,2,,,,,,",
    "task,,,,,,,,,,",
    "task,End of time,,4,1,,,9999-12-31,,,",
    "task,End of time,,4,1,,,,,,9999-12-31",
    "task,Beginning of time,,4,1,,,,,,0000-01-01",
    "task,Before time,,4,1,,,,,,-000001-01-01",
    "task,Wall clock,,4,1,,,9998-12-31T23:59:59,,Etc/GMT+12,",
    "section,Later,,,,,,,,,",
    "note,call first,,,,,,,,,",
    "note,\"two\nlines\",,,,,,,,,",
    "meta,view_style=list,,,,,,,,,",
    ",,,,,,,,,,",
    "holiday,b,,,,,,,,,",
    "task,\"open quote,,4,1,,,,,,",
];
const CELLS: [&str; 8] = [",", "\"", "\"\"", "task", "@", "every year", "2026-02-30", "99999999999"];

const LINES: [&str; 40] = [
    "SUMMARY:Pay rent\\, again",
    "SUMMARY;LANGUAGE=en:a",
    "SUMMARY",
    "DESCRIPTION:first\\nse",
    " cond",
    "\tfolded",
    "DUE:20260301T090000Z",
    "DUE;VALUE=DATE:20260301",
    "DUE;VALUE=DATE:00000101",
    "DUE;VALUE=DATE:99991231",
    "DUE:99991231T235959Z",
    "DUE:00010101T000000Z",
    "DUE;TZID=Etc/GMT+12:99981231T235959",
    "DUE;TZID=\"America/New_York\":20260308T023000",
    "DUE;TZID=Mars/Olympus:20260301T090000",
    "DUE:soon",
    "DUE;X=\"a:b\":x",
    "STATUS:IN-PROCESS",
    "STATUS:CANCELLED",
    "COMPLETED:20260301T090000Z",
    "PRIORITY:1",
    "PRIORITY:-1",
    "PRIORITY:9999999999",
    "CATEGORIES:home,a\\,b",
    "CATEGORIES:",
    "RRULE:FREQ=MONTHLY;BYDAY=-1FR",
    "RRULE:FREQ=SECONDLY",
    "RRULE:BYDAY=-32768MO",
    "BEGIN:VALARM",
    "END:VALARM",
    "TRIGGER:-PT15M",
    "TRIGGER;RELATED=END:-P1W",
    "TRIGGER:-PT4294967295S",
    "BEGIN:VTODO",
    "END:VTODO",
    "BEGIN:X",
    "END:X",
    ":",
    ";",
    "=",
];

fn csv() -> impl Strategy<Value = String> {
    let rows = vec(select(&ROWS[..]), 0..10).prop_map(|rows| {
        let header = "TYPE,CONTENT,DESCRIPTION,PRIORITY,INDENT,AUTHOR,RESPONSIBLE,DATE,DATE_LANG,TIMEZONE,DEADLINE";
        format!("{header}\n{}\n", rows.join("\n"))
    });
    damaged(rows, &CELLS)
}

fn calendar() -> impl Strategy<Value = String> {
    let lines = vec(select(&LINES[..]), 0..16).prop_map(|lines| {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\n{}\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
            lines.join("\r\n")
        )
    });
    damaged(lines, &LINES)
}

fn json() -> impl Strategy<Value = String> {
    let items = [
        "{\"title\":\"a\"}",
        "{\"title\":\"\"}",
        "7",
        "null",
        "[]",
        "{\"title\":\"b\",\n\"dueDate\":\"9999-12-31\"}",
        "{\"title\":\"c\",\"priority\":\"x\"}",
        "{\"title\":\"d\",\"id\":7,\"version\":{}}",
    ];
    let list = vec(select(items.to_vec()), 0..8).prop_map(|items| format!("[\n{}\n]", items.join(",\n")));
    let wrapped = list.clone().prop_map(|list| format!("{{\"version\":1,\"tasks\":{list}}}"));
    damaged(prop_oneof![list, wrapped], &["\"tasks\":", "{", "}", "[", "]", "\\u0000"])
}

fn file() -> impl Strategy<Value = (Format, String)> {
    prop_oneof![
        csv().prop_map(|text| (Format::Csv, text)),
        calendar().prop_map(|text| (Format::Calendar, text)),
        json().prop_map(|text| (Format::Json, text)),
    ]
}

proptest! {
    #![proptest_config(config(4_000))]

    #[test]
    fn any_file_is_read_in_order_and_what_was_taken_can_be_stored((format, text) in file()) {
        let Ok(records) = read(format, text.as_bytes(), &TimeZoneName::parse("Europe/Berlin").unwrap()) else { return Ok(()) };
        let lines = text.lines().count().max(1) + 1;
        let mut last = 0;
        for record in &records {
            prop_assert!((1..=lines).contains(&record.line), "line {} of {lines}", record.line);
            prop_assert!(record.line >= last, "line {} comes after {last}", record.line);
            last = record.line;
            match &record.task {
                Ok(draft) => drop(stored(draft)),
                Err(message) => prop_assert!(message.len() < 10_000, "{}", message),
            }
            prop_assert!(record.note.as_ref().is_none_or(|note| note.len() < 2_000));
        }
    }
}

/// Files of the greatest length that is taken, made to be slow to read or to become large in memory.
#[test]
fn the_worst_files_are_read_or_refused_quickly() {
    let many = |piece: &str| piece.repeat((MAX_IMPORT_BYTES - 200) / piece.len());
    let todo = |inside: String| format!("BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\n{inside}\r\nEND:VTODO\r\nEND:VCALENDAR\r\n");
    let header = "TYPE,CONTENT,INDENT\n";
    let files = [
        (Format::Json, many("[")),
        (Format::Json, format!("[{}7]", many("7,"))),
        (Format::Json, format!("[{}7]", many("\n7,"))),
        (Format::Json, format!("[{{\"tags\":[{}7]}}]", many("7,"))),
        (Format::Json, format!("[{{\"title\":\"{}\"}}]", many("\\u0000"))),
        (Format::Json, format!("{{\"a\":{}", many("["))),
        (Format::Csv, many("a")),
        (Format::Csv, many("\"")),
        (Format::Csv, many(",")),
        (Format::Csv, format!("{header}{}", many("task,a,1\n"))),
        (Format::Csv, format!("{header}{}", many("x\n"))),
        (Format::Csv, format!("{header}task,a,1\n{}", many("task,a,2\n"))),
        (Format::Csv, format!("{header}task,a,1\n{}", many("note,a\n"))),
        (Format::Csv, format!("{header}task,{}", many("@a "))),
        (Format::Csv, format!("{header}task,\"{}", many("a\n"))),
        (Format::Calendar, format!("BEGIN:VCALENDAR\n{}", many("BEGIN:VTODO\n"))),
        (Format::Calendar, format!("BEGIN:VCALENDAR\n{}", many("BEGIN:VTODO\nEND:VTODO\n"))),
        (Format::Calendar, todo(many("BEGIN:X\r\n"))),
        (Format::Calendar, todo(many("BEGIN:X\r\nEND:X\r\n"))),
        (Format::Calendar, todo(format!("SUMMARY:{}", many("\r\n a")))),
        (Format::Calendar, todo(format!("SUMMARY{}:a", many(";A=b")))),
        (Format::Calendar, todo(format!("SUMMARY:{}", many("\\")))),
        (Format::Calendar, todo(many("CATEGORIES:a\r\n"))),
        (Format::Calendar, todo(format!("CATEGORIES:{}", many("a,")))),
        (Format::Calendar, todo(many("A"))),
        (Format::Calendar, todo(many("A:\r\n"))),
        (Format::Calendar, many("\n")),
    ];
    for (format, text) in files {
        assert!(text.len() <= MAX_IMPORT_BYTES);
        let start: String = text.chars().take(60).collect();
        let (records, time) = computed(|| {
            read(format, text.as_bytes(), &TimeZoneName::utc()).map_or(0, |records| {
                records.iter().filter(|record| record.task.as_ref().is_ok_and(|draft| stored(draft).is_ok())).count();
                records.len()
            })
        });
        assert!(records <= 20_000, "{records} records of {start}...");
        assert!(time < LIMIT, "{time:?} for {start}...");
    }
}
