//! Numbered entries in blocks: many small documents in place of a long one, each written by few events.
//!
//! Entries are JSON texts that go from one write to the next as they are: a block costs a copy, and keeps what a newer
//! release added to them.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Entries of one range of numbers, as it is stored.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Block {
    /// In the order of their numbers, each once.
    pub entries: Vec<Entry>,
}

/// One numbered entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Its number.
    pub number: u64,
    /// Its JSON.
    pub value: Box<RawValue>,
}

impl Entry {
    /// An entry of a value.
    pub fn new(number: u64, value: &impl Serialize) -> Self {
        let value = serde_json::value::to_raw_value(value).expect("entries have text keys and finite numbers");
        Self { number, value }
    }
}

impl Block {
    /// Adds an entry at its place; `false` when its number is there already.
    pub fn insert(&mut self, entry: Entry) -> bool {
        let place = self.entries.partition_point(|known| known.number < entry.number);
        if self.entries.get(place).is_some_and(|known| known.number == entry.number) {
            return false;
        }
        self.entries.insert(place, entry);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stand_in_order_and_once_however_they_come() {
        let mut block = Block::default();
        let added: Vec<bool> = [3, 1, 3, 2, 1].map(|number| block.insert(Entry::new(number, &number))).into();
        assert_eq!(added, [true, true, false, true, false]);
        let text = serde_json::to_string(&block).unwrap();
        assert_eq!(text, r#"{"entries":[{"number":1,"value":1},{"number":2,"value":2},{"number":3,"value":3}]}"#);
    }
}
