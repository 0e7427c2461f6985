//! Tasks in one line.

use fuzzing::{computed, config, damaged};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use todo_domain::quick_add::QuickAdd;

use crate::{LIMIT, stored, zone};

const WORDS: [&str; 44] = [
    "Pay",
    "rent",
    "today",
    "tomorrow",
    "friday",
    "next",
    "week",
    "month",
    "on",
    "in",
    "3",
    "1000",
    "days",
    "weeks",
    "years",
    "at",
    "9am",
    "12pm",
    "9:30pm",
    "24:00",
    "14:00",
    "-1:00",
    "9",
    "every",
    "other",
    "day",
    "weekday",
    "weekend",
    "monday,friday",
    "monday,monday",
    "2",
    "5",
    "march",
    "mar",
    "feb",
    "29",
    "31,",
    "2026-03-05",
    "9998-12-31",
    "#home",
    "#",
    "!high",
    "!",
    "\"as",
];

fn line() -> impl Strategy<Value = String> {
    damaged(vec(select(&WORDS[..]), 0..10).prop_map(|words| words.join(" ")), &WORDS)
}

#[test]
fn what_is_too_long_for_a_recurrence_stays_in_the_title() {
    let line = format!("water every {}", "monday,".repeat(200));
    let read = QuickAdd::parse(&line, jiff::Timestamp::UNIX_EPOCH, &todo_domain::TimeZoneName::utc());
    assert_eq!((read.task.title, read.task.recurrence), (line, None));
}

proptest! {
    #![proptest_config(config(4_000))]

    #[test]
    fn no_letter_is_lost_and_what_was_understood_can_be_stored(
        line in line(),
        now in -62_000_000_000..253_000_000_000_i64,
        zone in zone(),
    ) {
        let now = jiff::Timestamp::from_second(now).unwrap();
        let read = QuickAdd::parse(&line, now, &zone);
        // Quotes go, and blanks may; nothing else.
        let letters = |text: &str| text.chars().filter(|letter| !letter.is_whitespace() && *letter != '"').count();
        let understood: usize = read.understood.iter().map(|part| letters(&part.text)).sum();
        prop_assert_eq!(letters(&read.task.title) + understood, letters(&line), "a word was lost");
        let says = |field: &str| read.understood.iter().any(|part| part.field == field);
        prop_assert_eq!(says("recurrence"), read.task.recurrence.is_some(), "{:?}", read.understood);
        prop_assert_eq!(says("tags"), !read.task.tags.is_empty());
        stored(&read.task);
    }
}

#[test]
fn long_lines_are_read_in_a_time_that_grows_with_them() {
    let now = "2026-03-01T09:00:00Z".parse().unwrap();
    for piece in ["every ", "#a ", "in 3 ", "every monday,", "monday,", "a", "İ", "5 march ", "next ", "\"", "9:30pm "]
    {
        let line = piece.repeat((1 << 20) / piece.len());
        let (_, time) = computed(|| QuickAdd::parse(&line, now, &todo_domain::TimeZoneName::utc()));
        assert!(time < LIMIT, "{time:?} for `{piece}` again and again");
    }
}
