//! Our reading of cron against that of the `croner` crate.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use croner::parser::{CronParser, Seconds, Year};
use jiff::{Timestamp, tz::TimeZone};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use todo_domain::{DueDate, InvalidRecurrence, Recurrence, TimeZoneName};

/// With clocks that change by an hour at night, at midnight and by half an hour, and with none that change.
const ZONES: [&str; 6] =
    ["UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Australia/Lord_Howe", "Asia/Tokyo"];
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const COMPARED: usize = 12;
/// In milliseconds: our zones know their rules since the year 2000, the peer's know more.
const SINCE_2000: std::ops::Range<i64> = 946_684_800_000..4_000_000_000_000;

fn config() -> ProptestConfig {
    ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() }
}

/// `*`, numbers, ranges and steps, in lists.
fn field(least: u8, most: u8) -> BoxedStrategy<String> {
    let number = least..=most;
    let range =
        (number.clone(), number.clone()).prop_map(|(one, other)| format!("{}-{}", one.min(other), one.max(other)));
    let step = 1_u8..=most;
    let item = prop_oneof![
        4 => number.prop_map(|number| number.to_string()),
        2 => range.clone(),
        1 => (range, 2_u8..=most).prop_map(|(range, step)| format!("{range}/{step}")),
        1 => step.prop_map(|step| format!("*/{step}")),
    ];
    prop_oneof![3 => Just("*".to_owned()), 4 => item.clone(), 2 => vec(item, 2..=3).prop_map(|items| items.join(","))]
        .boxed()
}

fn expression() -> BoxedStrategy<String> {
    let days = prop_oneof![
        6 => field(1, 31),
        1 => Just("?".to_owned()),
        1 => Just("L".to_owned()),
        1 => Just("LW".to_owned()),
        1 => (1_u8..=31).prop_map(|day| format!("{day}W")),
    ];
    let names = |names: &[&'static str]| select(names.to_vec());
    let months = prop_oneof![4 => field(1, 12), 1 => names(&MONTHS).prop_map(str::to_owned)];
    let weekdays = prop_oneof![
        6 => field(0, 7),
        1 => Just("?".to_owned()),
        1 => names(&WEEKDAYS).prop_map(str::to_owned),
        1 => names(&WEEKDAYS).prop_map(|from| format!("{from}-SUN")),
        1 => (names(&WEEKDAYS), 1_u8..=5).prop_map(|(day, nth)| format!("{day}#{nth}")),
        1 => (0_u8..=7).prop_map(|day| format!("{day}L")),
    ];
    let parts = (field(0, 59), field(0, 23), days, months, weekdays);
    parts.prop_map(|(minute, hour, day, month, weekday)| format!("{minute} {hour} {day} {month} {weekday}")).boxed()
}

fn peer(text: &str) -> Option<croner::Cron> {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build().parse(text).ok()
}

/// The strikes after an instant, as the peer sees them.
fn expected(cron: &croner::Cron, zone: &str, start: Timestamp) -> Vec<Timestamp> {
    let zone = TimeZone::get(zone).unwrap();
    let mut found = Vec::new();
    let mut last = start.to_zoned(zone);
    while found.len() < COMPARED
        && let Ok(next) = cron.find_next_occurrence(&last, false)
    {
        found.push(next.timestamp());
        last = next;
    }
    found
}

fn ours(recurrence: &Recurrence, zone: &str, start: Timestamp) -> Vec<Timestamp> {
    let zone = TimeZoneName::parse(zone).unwrap();
    let mut found = Vec::new();
    let mut last = DueDate::At(start);
    while found.len() < COMPARED
        && let Some(next) = recurrence.next_occurrence(DueDate::At(start), last, &zone)
    {
        let DueDate::At(instant) = next else { panic!("a series of instants stays one") };
        found.push(instant);
        last = next;
    }
    found
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn strikes_are_the_peers(text in expression(), zone in select(ZONES.to_vec()), start in SINCE_2000) {
        let cron = peer(&text);
        let start = Timestamp::from_millisecond(start).unwrap();
        match Recurrence::parse(&text) {
            Ok(recurrence) => {
                prop_assert_eq!(ours(&recurrence.unwrap(), zone, start), expected(&cron.unwrap(), zone, start));
            }
            Err(InvalidRecurrence::Never { .. }) => {
                prop_assert_eq!(expected(&cron.unwrap(), "UTC", start), []);
            }
            Err(error) => prop_assert!(cron.is_none(), "{error}"),
        }
    }

    /// Around the hours that are missing or come twice.
    #[test]
    fn strikes_around_clock_changes_are_the_peers(
        minutes in field(0, 59),
        hours in prop_oneof![Just("*".to_owned()), field(0, 4), (0_u8..=23).prop_map(|hour| hour.to_string())],
        zone in select(ZONES.to_vec()),
        change in 0..60_usize,
        before in 0..172_800_i64,
    ) {
        let text = format!("{minutes} {hours} * * *");
        let from = Timestamp::from_second(1_600_000_000).unwrap();
        let change = TimeZone::get(zone).unwrap().following(from).nth(change).map_or(from, |change| change.timestamp());
        let start = Timestamp::from_second(change.as_second() - before).unwrap();
        let recurrence = Recurrence::parse(&text).unwrap().unwrap();
        prop_assert_eq!(ours(&recurrence, zone, start), expected(&peer(&text).unwrap(), zone, start), "{}", text);
    }
}

#[test]
fn what_is_no_cron_is_none_for_both() {
    let refused = [
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * 0 *",
        "* * * * 8",
        "*/0 * * * *",
        "5/10 * * * *",
        "/5 * * * *",
        "5-1 * * * *",
        "1-2-3 * * * *",
        "* * * * MON#6",
        "* * * * MON#0",
        "* * * * FRI-MON",
        "L * * * *",
        "* * W * *",
        "* * 32W * *",
        "* * * L *",
        "? * * * X",
        "- * * * *",
        "* * * * #2",
        "* *,5 * * *",
    ];
    for text in refused {
        assert!(matches!(Recurrence::parse(text), Err(InvalidRecurrence::Cron { .. })), "{text}");
        assert!(peer(text).is_none(), "{text}");
    }
}
