//! Finding a text whatever its case.

use crate::view::TaskView;

/// A text to look for, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needle(String);

impl Needle {
    /// The most comparisons of bytes that one text may cost.
    const COMPARED: usize = 1 << 16;

    /// `None` for a blank text, which is in every task.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let lower = text.trim().to_lowercase();
        (!lower.is_empty()).then_some(Self(lower))
    }

    /// Whether the title, the description or a tag holds it.
    pub(crate) fn is_in(&self, view: &TaskView<'_>) -> bool {
        self.is_within(&view.title)
            || self.is_within(&view.description)
            || view.tags().iter().any(|tag| self.is_within(tag))
    }

    fn is_within(&self, text: &str) -> bool {
        // Comparing at each place takes the product of both lengths at worst; the library's search takes their sum.
        let is_small = text.len().saturating_mul(self.0.len()) <= Self::COMPARED;
        if is_small && text.is_ascii() {
            self.is_within_ascii(text.as_bytes())
        } else {
            text.to_lowercase().contains(&self.0)
        }
    }

    /// Most texts are ASCII, and then nothing has to be copied.
    fn is_within_ascii(&self, text: &[u8]) -> bool {
        let needle = self.0.as_bytes();
        let first = needle[0];
        let Some(last_start) = text.len().checked_sub(needle.len()) else { return false };
        (0..=last_start).any(|start| {
            text[start].to_ascii_lowercase() == first && text[start..start + needle.len()].eq_ignore_ascii_case(needle)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_whatever_its_case() {
        let within = |needle: &str, text: &str| Needle::parse(needle).unwrap().is_within(text);
        assert!(within("RENT", "pay rent"));
        assert!(within("über", "Die ÜBERWEISUNG"));
        assert!(within("t", "t"));
        assert!(!within("rent", "ren"));
        assert!(!within("ä", "a"));
    }

    #[test]
    fn a_text_that_almost_matches_everywhere_is_read_once() {
        let needle = Needle::parse(&format!("{}b", "a".repeat(5_000))).unwrap();
        let text = "A".repeat(10_000);
        let (found, time) = fuzzing::computed(|| (0..1_000).filter(|_| needle.is_within(&text)).count());
        assert!(found == 0 && time < std::time::Duration::from_secs(1), "{time:?}");
    }

    #[test]
    fn wildcards_of_databases_are_ordinary_characters() {
        let within = |needle: &str, text: &str| Needle::parse(needle).unwrap().is_within(text);
        assert!(within("100%", "done to 100%"));
        assert!(!within("100%", "done to 100"));
        assert!(!within("a_c", "abc"));
    }
}
