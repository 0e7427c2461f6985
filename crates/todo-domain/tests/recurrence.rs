//! When recurring tasks come back: tables.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use todo_domain::{DueDate, InvalidRecurrence, Recurrence, TimeZoneName};

/// The first occurrences after the start.
fn occurrences(recurrence: &str, zone: &str, start: &str, count: usize) -> Vec<String> {
    let recurrence = Recurrence::parse(recurrence).unwrap().unwrap();
    let zone = TimeZoneName::parse(zone).unwrap();
    let start = DueDate::parse(start).unwrap();
    let mut due = start;
    let mut found = Vec::new();
    while found.len() < count
        && let Some(next) = recurrence.next_occurrence(start, due, &zone)
    {
        found.push(next.to_string());
        due = next;
    }
    found
}

#[test]
fn monthly_on_the_31st_falls_on_the_last_day_and_comes_back() {
    let found = occurrences("monthly", "UTC", "2026-01-31", 4);
    assert_eq!(found, ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]);
}

#[test]
fn yearly_on_a_leap_day_falls_on_the_28th_and_comes_back() {
    let found = occurrences("yearly", "UTC", "2024-02-29", 4);
    assert_eq!(found, ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]);
}

#[test]
fn an_occurrence_that_was_moved_does_not_move_the_series() {
    let weekly = Recurrence::parse("weekly").unwrap().unwrap();
    let start = DueDate::parse("2026-03-02").unwrap();
    let moved = DueDate::parse("2026-03-11").unwrap();
    let next = weekly.next_occurrence(start, moved, &TimeZoneName::utc()).unwrap();
    assert_eq!(next.to_string(), "2026-03-16");
}

#[test]
fn wall_clock_time_holds_across_daylight_saving() {
    let cases = [
        // 09:00 in Berlin is 08:00Z in winter and 07:00Z in summer.
        ("daily", "Europe/Berlin", "2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z"),
        ("daily", "Europe/Berlin", "2026-10-24T07:00:00Z", "2026-10-25T08:00:00Z"),
        ("weekly", "America/New_York", "2026-03-02T14:00:00Z", "2026-03-09T13:00:00Z"),
        ("monthly", "America/New_York", "2026-10-15T13:00:00Z", "2026-11-15T14:00:00Z"),
        // Lord Howe moves by half an hour.
        ("daily", "Australia/Lord_Howe", "2026-04-03T22:00:00Z", "2026-04-04T22:30:00Z"),
        ("FREQ=DAILY", "Europe/Berlin", "2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z"),
        ("0 9 * * *", "Europe/Berlin", "2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z"),
        ("0 9 * * *", "Europe/Berlin", "2026-10-24T07:00:00Z", "2026-10-25T08:00:00Z"),
    ];
    for (recurrence, zone, start, expected) in cases {
        assert_eq!(occurrences(recurrence, zone, start, 1), [expected], "{recurrence} in {zone} from {start}");
    }
}

#[test]
fn a_time_in_the_gap_moves_behind_it_for_that_day_only() {
    // 02:30 in Berlin; on 29 March 2026 clocks go from 02:00 to 03:00.
    let expected = ["2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"];
    assert_eq!(occurrences("daily", "Europe/Berlin", "2026-03-28T01:30:00Z", 2), expected);
    assert_eq!(occurrences("FREQ=DAILY", "Europe/Berlin", "2026-03-28T01:30:00Z", 2), expected);
}

#[test]
fn a_time_that_comes_twice_is_the_first() {
    // 02:30 in Berlin; on 25 October 2026 clocks go from 03:00 back to 02:00.
    let expected = ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
    assert_eq!(occurrences("daily", "Europe/Berlin", "2026-10-24T00:30:00Z", 2), expected);
}

#[test]
fn a_day_that_its_zone_skipped_is_one_occurrence_not_two() {
    // Apia went from 29 to 31 December 2011.
    let found = occurrences("daily", "Pacific/Apia", "2011-12-28T19:00:00Z", 4);
    assert_eq!(found, ["2011-12-29T19:00:00Z", "2011-12-30T19:00:00Z", "2011-12-31T19:00:00Z", "2012-01-01T19:00:00Z"]);
    let found = occurrences("daily", "Pacific/Apia", "2011-12-29", 2);
    assert_eq!(found, ["2011-12-30", "2011-12-31"]);
}

#[test]
fn days_stay_days() {
    assert_eq!(occurrences("FREQ=WEEKLY;BYDAY=MO,FR", "Asia/Tokyo", "2026-03-02", 2), ["2026-03-06", "2026-03-09"]);
    assert_eq!(occurrences("0 9 * * 1-5", "Asia/Tokyo", "2026-03-06", 2), ["2026-03-09", "2026-03-10"]);
}

#[test]
fn cron_takes_its_own_time_of_day() {
    let found = occurrences("30 8 1 * *", "Europe/Berlin", "2026-03-15T20:00:00Z", 2);
    assert_eq!(found, ["2026-04-01T06:30:00Z", "2026-05-01T06:30:00Z"]);
}

#[test]
fn rules_expand_as_rfc_5545_shows() {
    let cases: [(&str, &str, &[&str]); 14] = [
        ("FREQ=MONTHLY;BYDAY=1FR", "2026-01-02", &["2026-02-06", "2026-03-06"]),
        ("FREQ=MONTHLY;BYDAY=-2MO", "2026-01-19", &["2026-02-16", "2026-03-23"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-3", "2026-01-29", &["2026-02-26", "2026-03-29"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-31", &["2026-03-31", "2026-05-31"]),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "2026-01-01", &["2026-02-13", "2026-03-13", "2026-11-13"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-01-30", &["2026-02-27", "2026-03-31"]),
        ("FREQ=MONTHLY;INTERVAL=18;BYMONTHDAY=10,11", "2026-01-10", &["2026-01-11", "2027-07-10"]),
        ("FREQ=YEARLY;BYMONTH=6,7", "2026-06-10", &["2026-07-10", "2027-06-10"]),
        ("FREQ=YEARLY;BYDAY=20MO", "2026-05-18", &["2027-05-17", "2028-05-15"]),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "2026-05-11", &["2027-05-17", "2028-05-15"]),
        ("FREQ=YEARLY;INTERVAL=3;BYYEARDAY=1,100,200", "2026-01-01", &["2026-04-10", "2026-07-19", "2029-01-01"]),
        // The whole week counts, though the series begins within it.
        ("FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=2", "2026-03-04", &["2026-03-11"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO", "1997-08-05", &["1997-08-10", "1997-08-19", "1997-08-24"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", "1997-08-05", &["1997-08-17", "1997-08-19", "1997-08-31"]),
    ];
    for (rule, start, expected) in cases {
        assert_eq!(occurrences(rule, "UTC", start, expected.len()), expected, "{rule}");
    }
}

#[test]
fn a_rule_ends_with_its_count_or_its_last_day() {
    let all = |rule, start| occurrences(rule, "Europe/Berlin", start, 100);
    assert_eq!(all("FREQ=DAILY;COUNT=3", "2026-03-01"), ["2026-03-02", "2026-03-03"]);
    assert_eq!(all("FREQ=DAILY;COUNT=1", "2026-03-01"), [""; 0]);
    assert_eq!(all("FREQ=DAILY;UNTIL=20260303", "2026-03-01"), ["2026-03-02", "2026-03-03"]);
    assert_eq!(all("FREQ=DAILY;UNTIL=20260302T080000Z", "2026-03-01T08:00:00Z"), ["2026-03-02T08:00:00Z"]);
    assert_eq!(all("FREQ=DAILY;UNTIL=20260302T075959Z", "2026-03-01T08:00:00Z"), [""; 0]);
    assert_eq!(all("FREQ=DAILY;UNTIL=20260302T090000", "2026-03-01T08:00:00Z"), ["2026-03-02T08:00:00Z"]);
}

#[test]
fn what_can_never_occur_is_refused() {
    let never = [
        "0 0 30 2 *",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=4;BYMONTHDAY=31",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYWEEKNO=1;BYMONTH=7",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
    ];
    for text in never {
        assert!(matches!(Recurrence::parse(text), Err(InvalidRecurrence::Never { .. })), "{text}");
    }
}

#[test]
fn a_series_that_its_start_keeps_from_occurring_ends() {
    // Odd years have no leap day.
    let found = occurrences("FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29", "UTC", "2025-01-01", 1);
    assert_eq!(found, [""; 0]);
}

#[test]
fn what_is_no_recurrence_is_refused_with_what_is() {
    let cases = [
        ("sometimes", "daily, weekly"),
        ("0 9 * *", "five-field cron"),
        ("0 0 9 * * *", "five-field cron"),
        ("99 9 * * *", "`99 9 * * *` is not a cron expression"),
        ("FREQ=HOURLY", "use DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=DAILY;BYHOUR=9", "the time of day is the due date's"),
        ("FREQ=DAILY;BYDAY=1MO", "numbered weekdays"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "do not use it with FREQ=WEEKLY"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "COUNT or UNTIL"),
        ("FREQ=DAILY;INTERVAL=0", "use 1 to 1000"),
        ("FREQ=DAILY;FREQ=DAILY", "each part once"),
        ("FREQ=DAILY;X-MINE=1", "`X-MINE=1` of the recurrence rule is not accepted"),
        ("INTERVAL=2", "begin with FREQ"),
        ("FREQ=DAILY;UNTIL=20260230", "use 20261231"),
    ];
    for (text, expected) in cases {
        let message = Recurrence::parse(text).unwrap_err().to_string();
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn texts_are_kept_in_canonical_form() {
    let canonical = |text| Recurrence::parse(text).unwrap().map(|recurrence| recurrence.to_string());
    assert_eq!(canonical(" Daily "), Some("daily".to_owned()));
    assert_eq!(canonical("rrule:freq=weekly;byday=mo"), Some("FREQ=WEEKLY;BYDAY=MO".to_owned()));
    assert_eq!(canonical("0  9 * * mon-fri"), Some("0 9 * * MON-FRI".to_owned()));
    assert_eq!(canonical("None"), None);
}

#[test]
fn a_series_ends_with_the_calendar() {
    for recurrence in
        ["daily", "yearly", "FREQ=DAILY", "FREQ=WEEKLY;INTERVAL=1000", "FREQ=YEARLY;COUNT=10000", "0 9 * * *"]
    {
        for start in ["9998-12-31", "9998-12-31T12:00:00Z"] {
            for zone in ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"] {
                assert_eq!(occurrences(recurrence, zone, start, 3), [""; 0], "{recurrence} from {start} in {zone}");
            }
        }
        let first = occurrences(recurrence, "Europe/Berlin", "0001-01-01T00:00:00Z", 2);
        assert_eq!(first.len(), 2, "{recurrence}: {first:?}");
    }
}
