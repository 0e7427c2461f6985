//! Dates and instants.

use fuzzing::{computed, config, damaged};
use proptest::prelude::*;
use proptest::sample::select;
use todo_domain::{DueDate, iso};

use crate::{LIMIT, due_date};

const DATES: [&str; 10] = [
    "2026-03-01",
    "20260301",
    "+002026-03-01",
    "-000001-03-01",
    "2026-03-01T09:00:00Z",
    "2026-03-01 09:00:00.123456789+02:00",
    "20260301T090000Z",
    "2026-03-01T09:00:00+02:00[Europe/Berlin][u-ca=iso8601]",
    "9999-12-31T23:59:60-23:59",
    "0000-01-01T00:00Z",
];
const PARTS: [&str; 12] =
    ["T", "Z", ":", "-", "+", "60", "24", "0229", "-000000", "[Europe/Berlin]", "[!u-ca=iso8601]", ".123456789"];

proptest! {
    #![proptest_config(config(10_000))]

    #[test]
    fn what_looks_like_a_date_is_read_as_jiff_reads_it_or_refused(
        text in damaged(select(DATES.to_vec()).prop_map(str::to_owned), &PARTS),
    ) {
        // Of what stands in brackets jiff reads less.
        if let Some(instant) = iso::instant(&text).filter(|_| !text.contains('[')) {
            prop_assert_eq!(Ok(instant), text.parse::<jiff::Timestamp>().map_err(|_| ()), "{}", text);
        }
        if let Some(date) = iso::date(&text) {
            prop_assert_eq!(Ok(date), text.parse::<jiff::civil::Date>().map_err(|_| ()), "{}", text);
        }
        let _ = iso::date_time(&text);
        match DueDate::parse(&text) {
            Ok(due) => {
                prop_assert_eq!(DueDate::parse(&due.to_string()), Ok(due));
                let json = serde_json::to_string(&due).unwrap();
                prop_assert_eq!(serde_json::from_str::<DueDate>(&json).unwrap(), due);
            }
            Err(error) => prop_assert!(error.to_string().len() < 500),
        }
    }

    #[test]
    fn every_due_date_begins_before_it_ends_in_every_zone(due in due_date(), zone in crate::zone()) {
        let zone = zone.zone();
        prop_assert!(due.start(&zone) <= due.deadline(&zone), "{due}");
    }
}

#[test]
fn long_texts_are_refused_at_once() {
    for piece in ["9", "[a]", ".1", "+00:00"] {
        let text = format!("2026-03-01T09:00:00Z{}", piece.repeat(1 << 20));
        let (read, time) = computed(|| (iso::instant(&text).is_some(), DueDate::parse(&text).is_ok()));
        assert!(!read.1 && time < LIMIT, "{piece} {time:?}");
    }
}
