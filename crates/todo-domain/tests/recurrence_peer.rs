//! Our expansion of recurrence rules against that of the `rrule` crate.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rrule::RRuleSet;
use todo_domain::{DueDate, Recurrence, TimeZoneName};

const ZONES: [&str; 5] = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo"];
const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
const COMPARED: u16 = 25;
/// 2090: the peer's zones know no daylight saving after 2099.
const HORIZON: i64 = 3_786_912_000;

fn weekdays() -> impl Strategy<Value = String> + Clone {
    subsequence(WEEKDAYS.to_vec(), 1..=5).prop_map(|days| days.join(","))
}

fn nth_weekdays(most: i16) -> impl Strategy<Value = String> + Clone {
    let nth = (1..=most, any::<bool>(), select(WEEKDAYS.to_vec()));
    let item = nth.prop_map(|(nth, back, day)| format!("{}{nth}{day}", if back { "-" } else { "" }));
    vec(item, 1..=3).prop_map(|items| items.join(","))
}

fn numbers(most: i16, most_negative: i16) -> impl Strategy<Value = String> + Clone {
    let number = prop_oneof![1..=most, -most_negative..=-1];
    vec(number, 1..=4).prop_map(|numbers| join(&numbers))
}

fn join(numbers: &[i16]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// The BY parts that RFC 5545 lets stand with a frequency, but those on which the two differ knowingly:
/// - weekdays with and without numbers in one BYDAY: RFC 5545 unites them, the peer wants both;
/// - BYSETPOS with WEEKLY: the peer's first week begins with the series;
/// - BYWEEKNO beyond 51 either way: the peer misjudges the days around 1 January; see the next test.
fn by_parts(frequency: &'static str) -> BoxedStrategy<Vec<(&'static str, String)>> {
    let months = of(vec(1_i16..=12, 1..=3).prop_map(|months| join(&months)));
    let position = of(select(vec!["1", "2", "-1", "-2", "1,-1"]).prop_map(str::to_owned));
    let part = |name: &'static str| move |value: Option<String>| value.map(|value| (name, value));
    let months = months.prop_map(part("BYMONTH"));
    let position = position.prop_map(part("BYSETPOS"));
    let plain_days = of(weekdays()).prop_map(part("BYDAY"));
    let month_days = of(numbers(31, 31)).prop_map(part("BYMONTHDAY"));
    let parts = match frequency {
        "DAILY" => (months, plain_days, month_days).prop_map(|(a, b, c)| vec![a, b, c]).boxed(),
        "WEEKLY" => (months, plain_days).prop_map(|(a, b)| vec![a, b]).boxed(),
        "MONTHLY" => {
            let days = of(prop_oneof![weekdays(), nth_weekdays(4)]).prop_map(part("BYDAY"));
            (months, days, month_days, position).prop_map(|(a, b, c, d)| vec![a, b, c, d]).boxed()
        }
        _ => {
            let days = of(prop_oneof![weekdays(), nth_weekdays(52)]).prop_map(part("BYDAY"));
            let weeks = of(numbers(51, 51)).prop_map(part("BYWEEKNO"));
            let year_days = of(numbers(366, 366)).prop_map(part("BYYEARDAY"));
            prop_oneof![
                (months.clone(), days, position.clone()).prop_map(|(a, b, c)| vec![a, b, c]),
                (months.clone(), month_days.clone(), position.clone()).prop_map(|(a, b, c)| vec![a, b, c]),
                (weeks, plain_days.clone(), position.clone()).prop_map(|(a, b, c)| vec![a, b, c]),
                (year_days, plain_days, position).prop_map(|(a, b, c)| vec![a, b, c]),
            ]
            .boxed()
        }
    };
    parts.prop_map(|parts| parts.into_iter().flatten().collect()).boxed()
}

fn rule() -> impl Strategy<Value = String> + Clone {
    let frequency = select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]);
    let whole = frequency.prop_flat_map(|frequency| {
        (Just(frequency), 1..=4_u32, of(1..=30_u32), of(select(WEEKDAYS.to_vec())), by_parts(frequency))
    });
    whole.prop_map(|(frequency, interval, count, week_start, parts)| {
        let mut text = format!("FREQ={frequency};INTERVAL={interval}");
        if let Some(count) = count {
            text += &format!(";COUNT={count}");
        }
        if let Some(week_start) = week_start {
            text += &format!(";WKST={week_start}");
        }
        let by_any = parts.iter().any(|(name, _)| *name != "BYSETPOS");
        for (name, value) in parts.iter().filter(|(name, _)| by_any || *name != "BYSETPOS") {
            text += &format!(";{name}={value}");
        }
        text
    })
}

fn ours(rule: &str, zone: &TimeZoneName, start: jiff::Timestamp) -> Vec<i64> {
    let recurrence = Recurrence::parse(rule).unwrap().unwrap();
    let mut after = DueDate::At(start - jiff::SignedDuration::from_millis(1));
    let start = DueDate::At(start);
    let mut found = Vec::new();
    while found.len() < usize::from(COMPARED)
        && let Some(next) = recurrence.next_occurrence(start, after, zone)
    {
        let DueDate::At(instant) = next else { panic!("an instant became a day") };
        found.push(instant.as_second());
        after = next;
    }
    found.retain(|second| *second < HORIZON);
    found
}

fn theirs(rule: &str, zone: &str, start: jiff::civil::DateTime) -> Vec<i64> {
    let start = start.strftime("%Y%m%dT%H%M%S");
    let text = format!("DTSTART;TZID={zone}:{start}\nRRULE:{rule}");
    let set: RRuleSet = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    set.all(COMPARED).dates.iter().map(|date| date.timestamp()).filter(|second| *second < HORIZON).collect()
}

#[test]
fn the_weeks_around_new_year_are_those_of_iso_8601() {
    let first = jiff::civil::date(1990, 1, 1);
    for week in [1_i8, 51, 52, 53] {
        let rule = Recurrence::parse(&format!("FREQ=YEARLY;BYWEEKNO={week}")).unwrap().unwrap();
        let mut due = DueDate::On(first.yesterday().unwrap());
        for day in first.series(jiff::Span::new().days(1)).take(40 * 366) {
            if day.iso_week_date().week() == week {
                due = rule.next_occurrence(DueDate::On(first), due, &TimeZoneName::utc()).unwrap();
                assert_eq!(due, DueDate::On(day), "week {week}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn our_expansion_equals_the_peers(
        rule in rule(),
        zone in select(ZONES.to_vec()),
        day in 0..16_000_i32,
        minute in 0..24 * 60_i64,
    ) {
        prop_assume!(Recurrence::parse(&rule).is_ok());
        let name = TimeZoneName::parse(zone).unwrap();
        // Our zones know their rules since then, the peer's know more.
        let date = jiff::civil::date(2000, 1, 1) + jiff::Span::new().days(day);
        let local = date.at(0, 0, 0, 0) + jiff::Span::new().minutes(minute);
        let start = name.zone().to_ambiguous_timestamp(local);
        // A series begins at a time that exists, once.
        prop_assume!(!start.is_ambiguous());
        let start = start.compatible().unwrap();
        prop_assert_eq!(ours(&rule, &name, start), theirs(&rule, zone, local));
    }
}
