//! How far a group has come, as Kafka remembers it: the committed offset is the lowest that is not finished, and what is
//! finished beyond it is in the commit's metadata.
//!
//! Whoever reads the offset alone, as other clients and autoscalers do, sees a true one, and begins with repeats at worst.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::log::Progress;

/// Brokers take 4096 bytes unless they are told otherwise.
const LONGEST: usize = 4096;
/// Twice the messages that a group holds unfinished: a longer list is none of ours.
const MOST: i64 = 32_768;
/// What our metadata begins with: its form, and that it is ours.
const MARK: &str = "sidelet1:";

/// The offset to commit, and the metadata: after [`MARK`] in Base64 the lengths, in LEB128, of what is not finished and
/// of what is, in turn. What does not fit is left out, and comes again after a crash.
pub(super) fn encode(progress: &Progress) -> (i64, String) {
    let lowest = progress.lowest();
    if progress.unfinished.is_empty() {
        return (lowest, String::new());
    }
    let room = (LONGEST - MARK.len()) / 4 * 3;
    let mut bytes = Vec::new();
    let mut rest = progress.unfinished.iter().copied().peekable();
    while let Some(first) = rest.next() {
        let mut end = first + 1;
        while rest.next_if_eq(&end).is_some() {
            end += 1;
        }
        let finished_until = rest.peek().copied().unwrap_or(progress.next);
        let before = bytes.len();
        push(&mut bytes, end - first);
        push(&mut bytes, finished_until - end);
        if bytes.len() > room {
            bytes.truncate(before);
            break;
        }
    }
    (lowest, format!("{MARK}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// Reads what [`encode`] wrote. Of metadata that others wrote nothing is taken.
pub(super) fn decode(committed: i64, metadata: &str) -> Progress {
    let runs = metadata.strip_prefix(MARK).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let mut runs = runs.as_deref().unwrap_or_default();
    let mut progress = Progress { next: committed, unfinished: Vec::new() };
    let mut count = 0;
    while let (Some(open), Some(finished)) = (pull(&mut runs), pull(&mut runs)) {
        count += open;
        if count > MOST {
            break;
        }
        progress.unfinished.extend(progress.next..progress.next + open);
        progress.next += open + finished;
    }
    progress
}

fn push(bytes: &mut Vec<u8>, length: i64) {
    let mut rest = length.unsigned_abs();
    loop {
        let low = u8::try_from(rest & 0x7f).expect("seven bits are a byte");
        rest >>= 7;
        if rest == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

/// A length up to 2^28.
fn pull(bytes: &mut &[u8]) -> Option<i64> {
    let mut length = 0;
    for shift in [0, 7, 14, 21] {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        length |= i64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(length);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_group_without_gaps_needs_no_metadata() {
        let progress = Progress { next: 7, unfinished: Vec::new() };
        assert_eq!(encode(&progress), (7, String::new()));
        assert_eq!(decode(7, ""), progress);
    }

    #[test]
    fn what_others_wrote_is_not_taken() {
        for metadata in ["x", "sidelet1:", "sidelet1:?", "sidelet1:gICAgICAgA", "sidelet1:AA"] {
            assert_eq!(decode(3, metadata), Progress { next: 3, unfinished: Vec::new() }, "{metadata}");
        }
    }

    proptest! {
        #[test]
        fn what_fits_is_read_back_and_what_does_not_is_repeated(
            start in 0_i64..1 << 40,
            steps in prop::collection::vec((1_i64..4, 1_i64..300), 0..4000),
        ) {
            let (mut at, mut unfinished) = (start, Vec::new());
            for (open, finished) in &steps {
                unfinished.extend(at..at + open);
                at += open + finished;
            }
            let progress = Progress { next: at, unfinished };
            let (committed, metadata) = encode(&progress);
            prop_assert!(metadata.len() <= LONGEST);
            let read = decode(committed, &metadata);
            prop_assert_eq!(read.lowest(), progress.lowest());
            if steps.len() < 1000 {
                prop_assert_eq!(&read, &progress);
            }
            // Never more than was finished.
            prop_assert!(read.next <= progress.next);
            prop_assert!(progress.unfinished.iter().all(|offset| !read.has_finished(*offset)));
        }

        #[test]
        fn any_metadata_is_read(committed in 0_i64..1 << 40, metadata in "(sidelet1:)?[A-Za-z0-9_-]{0,40}") {
            let progress = decode(committed, &metadata);
            prop_assert!(progress.next >= committed);
        }
    }
}
