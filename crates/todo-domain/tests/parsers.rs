//! What people type never panics, and reads back as what it became.

use proptest::prelude::*;
use todo_domain::query::{Cursor, Order, Sort};
use todo_domain::{DueDate, Priority, Recurrence, Status, TaskId, TimeZoneName};

fn config() -> ProptestConfig {
    ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_text_makes_a_parser_panic(text in ".{0,80}") {
        let _ = (Status::parse(&text), Priority::parse(&text), TaskId::parse(&text), Cursor::parse(&text));
        let _ = (Sort::parse(&text), Order::parse(&text));
        if let Ok(due) = DueDate::parse(&text) {
            prop_assert_eq!(DueDate::parse(&due.to_string()).unwrap(), due);
        }
        if let Ok(zone) = TimeZoneName::parse(&text) {
            prop_assert_eq!(TimeZoneName::parse(zone.as_str()).unwrap(), zone);
        }
        let _ = Recurrence::parse(&text);
    }

    #[test]
    fn any_line_is_understood_somehow(line in "((every|in|next|on|at|[0-9]{1,4}|9am|25:00|mar|friday|days|weeks|#a|!high|x|.{0,5}) ){0,8}", now in 0..4_000_000_000_i64) {
        let now = jiff::Timestamp::from_second(now).unwrap();
        let zone = TimeZoneName::parse("Europe/Berlin").unwrap();
        let read = todo_domain::quick_add::QuickAdd::parse(&line, now, &zone);
        let words = |text: &str| text.split_whitespace().count();
        let understood: usize = read.understood.iter().map(|part| words(&part.text)).sum();
        prop_assert_eq!(words(&read.task.title) + understood, words(&line), "a word was lost");
    }

    #[test]
    fn what_looks_like_a_date_never_panics(text in "[0-9]{1,5}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\\.[0-9]{0,10})?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?") {
        if let Ok(due) = DueDate::parse(&text) {
            prop_assert_eq!(DueDate::parse(&due.to_string()).unwrap(), due);
        }
    }

    #[test]
    fn what_looks_like_a_recurrence_never_panics(
        text in "(RRULE:)?FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;(INTERVAL|COUNT|BYDAY|BYMONTHDAY|BYMONTH|BYYEARDAY|BYWEEKNO|BYSETPOS|WKST|UNTIL)=-?[0-9MOTUWEFRSAZ,]{0,16}){0,4}",
        start in 0..4_000_000_000_i64,
    ) {
        if let Ok(Some(recurrence)) = Recurrence::parse(&text) {
            prop_assert_eq!(Recurrence::parse(recurrence.as_str()).unwrap(), Some(recurrence.clone()));
            let start = DueDate::At(jiff::Timestamp::from_second(start).unwrap());
            let _ = recurrence.next_occurrence(start, start, &TimeZoneName::utc());
        }
    }

    #[test]
    fn what_looks_like_cron_never_panics(text in "[0-9A-Z*/,#L?-]{1,6}( [0-9A-Z*/,#L?-]{1,6}){4}", start in 0..4_000_000_000_i64) {
        if let Ok(Some(recurrence)) = Recurrence::parse(&text) {
            prop_assert_eq!(Recurrence::parse(recurrence.as_str()).unwrap(), Some(recurrence.clone()));
            let start = DueDate::At(jiff::Timestamp::from_second(start).unwrap());
            let _ = recurrence.next_occurrence(start, start, &TimeZoneName::parse("Europe/Berlin").unwrap());
        }
    }
}
