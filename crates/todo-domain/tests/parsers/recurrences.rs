//! Recurrence rules and cron expressions.

use fuzzing::{computed, config, damaged};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use todo_domain::{DueDate, NewTask, Recurrence, Series, SeriesId, Status, TaskId, TimeZoneName};
use uuid::Uuid;

use crate::{LIMIT, due_date, stored, zone};

const PARTS: [&str; 34] = [
    "INTERVAL=1",
    "INTERVAL=1000",
    "COUNT=1",
    "COUNT=10000",
    "UNTIL=20261231",
    "UNTIL=00010101T000000Z",
    "UNTIL=99991231T235959Z",
    "BYDAY=MO",
    "BYDAY=-1FR",
    "BYDAY=53MO,-53SU",
    "BYDAY=MO,TU,WE,TH,FR,SA,SU",
    "BYDAY=-32768MO",
    "BYMONTH=2",
    "BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12",
    "BYMONTHDAY=29",
    "BYMONTHDAY=31,-31,-1",
    "BYMONTHDAY=-32768",
    "BYYEARDAY=366",
    "BYYEARDAY=-366,1",
    "BYWEEKNO=53",
    "BYWEEKNO=-53,1",
    "BYSETPOS=1",
    "BYSETPOS=-1",
    "BYSETPOS=366,-366",
    "WKST=SU",
    "WKST=TH",
    "BYHOUR=9",
    "BYSECOND=60",
    "FREQ=SECONDLY",
    "DTSTART=20260301",
    "X-NAME=1",
    "RRULE:",
    "INTERVAL=0",
    "COUNT=4294967296",
];
const FIELDS: [&str; 22] = [
    "*", "0", "59", "*/1", "*/255", "0-59/7", "30,0", "?", "L", "LW", "31W", "1W", "15W,31", "29", "FEB", "2-12/5",
    "5L", "FRI#L", "MON#5", "SUN-SAT", "7", "0-7",
];

fn rule() -> impl Strategy<Value = String> {
    let frequency = select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]);
    (frequency, vec(select(&PARTS[..]), 0..5)).prop_map(|(frequency, parts)| {
        let parts: String = parts.into_iter().map(|part| format!(";{part}")).collect();
        format!("FREQ={frequency}{parts}")
    })
}

fn cron() -> impl Strategy<Value = String> {
    vec(select(&FIELDS[..]), 5).prop_map(|fields| fields.join(" "))
}

fn recurrence() -> impl Strategy<Value = String> {
    let words = select(vec!["daily", "Weekly", "monthly", "yearly", "none", " "]).prop_map(str::to_owned);
    prop_oneof![
        6 => damaged(rule(), &PARTS),
        3 => damaged(cron(), &FIELDS),
        1 => damaged(words, &PARTS),
    ]
}

proptest! {
    #![proptest_config(config(3_000))]

    #[test]
    fn what_looks_like_a_recurrence_is_read_quickly_and_reads_back(text in recurrence()) {
        let (read, time) = computed(|| Recurrence::parse(&text));
        prop_assert!(time < LIMIT, "{time:?} for {text}");
        match read {
            Ok(Some(recurrence)) => {
                prop_assert_eq!(Recurrence::parse(recurrence.as_str()), Ok(Some(recurrence.clone())));
                prop_assert!(recurrence.as_str().len() <= 512);
            }
            Ok(None) => {}
            Err(error) => prop_assert!(error.to_string().len() < 500),
        }
    }

    #[test]
    fn a_next_occurrence_is_found_quickly_comes_later_and_can_be_stored(
        text in recurrence(),
        start in due_date(),
        after in due_date(),
        zone in zone(),
    ) {
        let Ok(Some(recurrence)) = Recurrence::parse(&text) else { return Ok(()) };
        let (next, time) = computed(|| recurrence.next_occurrence(start, after, &zone));
        prop_assert!(time < LIMIT, "{time:?} for {recurrence} from {start} after {after}");
        let Some(next) = next else { return Ok(()) };
        prop_assert_eq!(next.is_day(), start.is_day());
        prop_assert!(next.deadline(&zone.zone()) > after.deadline(&zone.zone()) || next.day(&zone.zone()) > after.day(&zone.zone()));
        prop_assert_eq!(DueDate::parse(&next.to_string()), Ok(next), "{} from {} after {}", recurrence, start, after);
    }

    #[test]
    fn a_stored_recurrence_that_is_damaged_never_occurs_or_does(
        text in recurrence(),
        start in due_date(),
        zone in zone(),
    ) {
        let draft = NewTask {
            title: "t".into(),
            status: Status::Completed,
            due_date: Some(start),
            time_zone: zone,
            recurrence: serde_json::from_value(serde_json::Value::from(text)).ok(),
            series: Some(Series { id: SeriesId::new(Uuid::nil()), start, occurrence: u32::MAX, next: Some(TaskId::new(Uuid::nil())), next_since: None }),
            ..NewTask::default()
        };
        let task = stored(&draft).unwrap();
        if let Some((_, next)) = task.next_occurrence() {
            prop_assert!(stored(&next).is_some());
        }
    }
}

/// The rules that take the longest known: they look at every day of centuries, each against the longest lists.
#[test]
fn no_rule_computes_for_long() {
    let many = |name: &str, numbers: &str| format!("{name}={}", vec![numbers; 400 / (numbers.len() + 1)].join(","));
    let rules = [
        "FREQ=DAILY;COUNT=10000;BYMONTH=2;BYMONTHDAY=29".to_owned(),
        "FREQ=YEARLY;COUNT=10000;BYMONTH=2;BYMONTHDAY=29".to_owned(),
        "FREQ=YEARLY;COUNT=10000;BYWEEKNO=53;BYDAY=SU".to_owned(),
        format!("FREQ=YEARLY;COUNT=10000;{};BYMONTHDAY=31", many("BYYEARDAY", "366")),
        format!("FREQ=YEARLY;INTERVAL=1000;{};BYSETPOS=366", many("BYDAY", "53SU")),
        format!("FREQ=YEARLY;{};BYMONTHDAY=31;BYMONTH=12;BYDAY=MO;BYYEARDAY=1", many("BYWEEKNO", "-53")),
        format!("FREQ=MONTHLY;{};BYDAY=5SU;COUNT=10000", many("BYMONTHDAY", "29")),
        format!("FREQ=MONTHLY;{};BYMONTHDAY=31;BYMONTH=2", many("BYSETPOS", "-366")),
        "FREQ=WEEKLY;INTERVAL=1000;BYMONTH=2;BYDAY=MO;COUNT=10000".to_owned(),
        "0 0 29 2 *".to_owned(),
        "0 0 31 2,4,6,9,11 *".to_owned(),
        "* * 29 2 1#5".to_owned(),
        "*/1 * LW 2 SUN#5".to_owned(),
    ];
    for text in rules {
        let (read, time) = computed(|| Recurrence::parse(&text));
        assert!(time < LIMIT, "{time:?} to read {text}");
        let Ok(Some(recurrence)) = read else { continue };
        for (start, after) in
            [("0001-01-01", "9998-12-30"), ("0001-01-01T00:00:00Z", "9998-12-30"), ("2026-03-01", "2026-03-01")]
        {
            let [start, after] = [start, after].map(|text| DueDate::parse(text).unwrap());
            let zone = TimeZoneName::parse("Australia/Lord_Howe").unwrap();
            let (_, time) = computed(|| recurrence.next_occurrence(start, after, &zone));
            assert!(time < LIMIT, "{time:?} for {text} from {start} after {after}");
        }
    }
}
