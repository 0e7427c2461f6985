//! The inbox is what its newest entries make it, whatever their order and however often each comes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;
use todo_app::notifications::inbox::{Entry, Inbox, MAX_ENTRIES};
use uuid::Uuid;

/// The `number`th entry; several come about in the same second.
fn entry(number: u16) -> Entry {
    let at = Timestamp::from_second(1_772_355_600 + i64::from(number / 3)).expect("an instant of our days");
    let id = Uuid::from_u128(u128::from(number) * 7919 % 65_521);
    serde_json::from_value(json!({ "id": id, "kind": "reminder", "title": format!("{number}"), "createdAt": at }))
        .expect("an entry")
}

fn filled(numbers: &[u16]) -> Inbox {
    let mut inbox = Inbox::default();
    numbers.iter().for_each(|number| inbox.add(entry(*number)));
    inbox
}

fn all(inbox: &Inbox) -> Vec<Entry> {
    inbox.page(usize::MAX / 2, None).entries
}

/// Some numbers, and the same with repeats in any order.
fn deliveries() -> impl Strategy<Value = (Vec<u16>, Vec<u16>)> {
    let numbers = prop::collection::btree_set(0_u16..2_000, 0..700).prop_map(Vec::from_iter);
    numbers.prop_flat_map(|numbers| {
        let times = prop::collection::vec(1_usize..4, numbers.len());
        (Just(numbers), times).prop_flat_map(|(numbers, times)| {
            let repeated: Vec<u16> =
                numbers.iter().zip(times).flat_map(|(number, times)| std::iter::repeat_n(*number, times)).collect();
            (Just(numbers), Just(repeated).prop_shuffle())
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn repeats_and_disorder_leave_what_one_clean_delivery_leaves((numbers, repeated) in deliveries()) {
        let (clean, messy) = (filled(&numbers), filled(&repeated));
        prop_assert_eq!(all(&messy), all(&clean));
        let mut newest = numbers.iter().map(|number| entry(*number)).collect::<Vec<_>>();
        newest.sort_by_key(|entry| std::cmp::Reverse((entry.created_at, entry.id)));
        newest.truncate(MAX_ENTRIES);
        prop_assert_eq!(all(&messy), newest);
    }

    #[test]
    fn what_was_read_stays_read((numbers, repeated) in deliveries(), reads in prop::collection::vec(any::<prop::sample::Index>(), 0..40)) {
        let mut inbox = filled(&numbers);
        let mut read_at: BTreeMap<Uuid, Timestamp> = BTreeMap::new();
        for (second, read) in (0..).zip(reads) {
            let Some(entry) = all(&inbox).get(read.index(all(&inbox).len().max(1))).cloned() else { continue };
            let now = Timestamp::from_second(second).unwrap();
            prop_assert!(inbox.mark_read(entry.id, now));
            read_at.entry(entry.id).or_insert(now);
        }
        repeated.iter().for_each(|number| inbox.add(entry(*number)));
        let page = inbox.page(1, None);
        prop_assert_eq!(page.unread, page.total - read_at.len());
        for entry in all(&inbox) {
            prop_assert_eq!(entry.read_at, read_at.get(&entry.id).copied());
        }
        inbox.mark_all_read(Timestamp::MAX);
        prop_assert_eq!(inbox.page(1, None).unread, 0);
        prop_assert!(!inbox.mark_read(Uuid::max(), Timestamp::MIN));
    }

    #[test]
    fn the_pages_together_are_the_inbox_without_repeats((numbers, _) in deliveries(), limit in 1_usize..80) {
        let inbox = filled(&numbers);
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = inbox.page(limit, after);
            prop_assert!(page.entries.len() <= limit);
            prop_assert_eq!(page.total, all(&inbox).len());
            seen.extend(page.entries);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        prop_assert_eq!(seen, all(&inbox));
        prop_assert!(inbox.page(limit, Some(Uuid::max())).entries.is_empty());
    }

    #[test]
    fn an_inbox_reads_back_what_it_wrote((numbers, _) in deliveries()) {
        let inbox = filled(&numbers);
        let text = serde_json::to_string(&inbox).unwrap();
        prop_assert_eq!(serde_json::from_str::<Inbox>(&text).unwrap(), inbox);
    }
}
