//! Near-valid input for the tests of parsers: what would be read gladly, with a few things wrong in it.
//!
//! Random bytes end at a parser's first look; the mistakes behind it are found by texts that are almost right.
//! Tests run a bounded number of cases; the environment variable [`FACTOR`] makes them run for as long as one likes:
//!
//! ```sh
//! FUZZ_FACTOR=1000 cargo test --release --package todo-domain --test parsers
//! ```

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::Config;

/// How many times as many cases to run; 1 unless it is set to a whole number.
pub const FACTOR: &str = "FUZZ_FACTOR";

/// What parsers stumble over: bounds of numbers, brackets, separators, characters that take more than a byte or no room.
const TROUBLE: [&str; 40] = [
    "\0",
    "\u{feff}",
    "é",
    "𝄞",
    "\u{202e}",
    "ß",
    "İ",
    "٣",
    "\r",
    "\n",
    "\r\n",
    "\t",
    " ",
    "-",
    "-1",
    "0",
    "+1",
    "00",
    "32768",
    "-32768",
    "2147483648",
    "-9223372036854775808",
    "18446744073709551616",
    "1e999",
    "%00",
    "%2f",
    "%ff",
    "..",
    "\"",
    "'",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ";",
    "=",
    "*",
    "/",
];

/// So many cases, times [`FACTOR`]; failures are printed and kept nowhere.
pub fn config(cases: u32) -> Config {
    let factor = std::env::var(FACTOR).ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    Config {
        cases: cases.saturating_mul(factor),
        failure_persistence: None,
        max_shrink_iters: 10_000,
        ..Config::default()
    }
}

/// One thing that is done to a text.
#[derive(Debug, Clone)]
enum Damage {
    Delete(Index, usize),
    Insert(Index, &'static str),
    Repeat(Index, usize, usize),
    Move(Index, usize, Index),
    Case(Index),
}

/// The texts as they are, or with up to four places deleted, repeated, moved, or with something put in:
/// a piece of trouble, or one of the format's own `words`.
pub fn damaged(texts: impl Strategy<Value = String>, words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let word = || if words.is_empty() { select(&TROUBLE[..]).boxed() } else { select(words).boxed() };
    let damage = prop_oneof![
        2 => (any::<Index>(), 1..8_usize).prop_map(|(at, length)| Damage::Delete(at, length)),
        2 => (any::<Index>(), select(&TROUBLE[..])).prop_map(|(at, text)| Damage::Insert(at, text)),
        2 => (any::<Index>(), word()).prop_map(|(at, text)| Damage::Insert(at, text)),
        1 => (any::<Index>(), 1..12_usize, 1..40_usize).prop_map(|(at, length, times)| Damage::Repeat(at, length, times)),
        1 => (any::<Index>(), 1..12_usize, any::<Index>()).prop_map(|(from, length, to)| Damage::Move(from, length, to)),
        1 => any::<Index>().prop_map(Damage::Case),
    ];
    (texts, vec(damage, 0..=4))
        .prop_map(|(text, damages)| damages.iter().fold(text, |text, damage| damage.done_to(&text)))
}

impl Damage {
    fn done_to(&self, text: &str) -> String {
        let mut letters: Vec<char> = text.chars().collect();
        let place = |at: &Index, letters: &[char]| at.index(letters.len() + 1);
        match self {
            Self::Delete(at, length) => {
                let from = place(at, &letters);
                letters.drain(from..(from + length).min(letters.len()));
            }
            Self::Insert(at, inserted) => {
                let at = place(at, &letters);
                letters.splice(at..at, inserted.chars());
            }
            Self::Repeat(at, length, times) => {
                let from = place(at, &letters);
                let piece: Vec<char> = letters[from..].iter().copied().take(*length).collect();
                letters.splice(from..from, piece.repeat(*times));
            }
            Self::Move(from, length, to) => {
                let from = place(from, &letters);
                let piece: Vec<char> = letters.drain(from..(from + length).min(letters.len())).collect();
                let to = place(to, &letters);
                letters.splice(to..to, piece);
            }
            Self::Case(at) => {
                let at = place(at, &letters);
                if let Some(letter) = letters.get_mut(at) {
                    let is_lower = letter.is_ascii_lowercase();
                    *letter = if is_lower { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
                }
            }
        }
        letters.into_iter().collect()
    }
}

/// Does the work and says how long this thread computed, whatever else the machine was doing.
///
/// Where the system does not tell that, it is how long the work took.
pub fn computed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let (begin, before) = (Instant::now(), thread_time());
    let done = work();
    let computed = before.zip(thread_time()).map(|(before, after)| after.saturating_sub(before));
    (done, computed.unwrap_or_else(|| begin.elapsed()))
}

/// What Linux counts for each thread.
fn thread_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}
