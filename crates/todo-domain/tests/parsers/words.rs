//! Single words: ids, choices, zones.

use fuzzing::{config, damaged};
use proptest::prelude::*;
use proptest::sample::select;
use todo_domain::query::{Order, Sort};
use todo_domain::{Priority, Status, TaskId, TimeZoneName, UserId};

const WORDS: [&str; 12] = [
    "in-progress",
    "Completed",
    "urgent",
    "0190163d-8694-739b-aea5-966c26f8ad91",
    "{0190163D-8694-739B-AEA5-966C26F8AD91}",
    "urn:uuid:0190163d-8694-739b-aea5-966c26f8ad91",
    "Europe/Berlin",
    "america/argentina/buenos_aires",
    "Etc/GMT+12",
    "createdAt",
    "due_date",
    "desc",
];

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn a_word_that_is_taken_reads_back(text in damaged(select(WORDS.to_vec()).prop_map(str::to_owned), &WORDS)) {
        if let Ok(status) = Status::parse(&text) {
            prop_assert_eq!(Status::parse(status.as_str()), Ok(status));
        }
        if let Ok(priority) = Priority::parse(&text) {
            prop_assert_eq!(Priority::parse(priority.as_str()), Ok(priority));
        }
        match TaskId::parse(&text) {
            Ok(id) => prop_assert_eq!(TaskId::parse(&id.to_string()), Ok(id)),
            Err(error) => prop_assert!(error.to_string().len() < 500),
        }
        if let Ok(id) = UserId::parse(&text) {
            prop_assert_eq!(UserId::parse(&id.to_string()), Ok(id));
        }
        if let Ok(zone) = TimeZoneName::parse(&text) {
            prop_assert_eq!(TimeZoneName::parse(zone.as_str()), Ok(zone));
        }
        let _ = (Sort::parse(&text), Order::parse(&text));
    }

    #[test]
    fn a_long_word_is_cut_in_its_refusal(text in "[a-zé]{1000,2000}") {
        for message in [
            Status::parse(&text).unwrap_err().to_string(),
            TaskId::parse(&text).unwrap_err().to_string(),
            TimeZoneName::parse(&text).unwrap_err().to_string(),
            Sort::parse(&text).unwrap_err().to_string(),
            Order::parse(&text).unwrap_err().to_string(),
        ] {
            prop_assert!(message.len() < 500, "{}", message);
        }
    }
}
