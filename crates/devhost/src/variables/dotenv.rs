//! `.env` files: `KEY=value` lines, `#` comments, values bare or in quotes.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::StartError;

/// Reads the file, or nothing if there is none.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, String>, StartError> {
    if !super::exists(path) {
        return Ok(BTreeMap::new());
    }
    let text = std::fs::read_to_string(path).map_err(|source| StartError::File {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    parse(&text).map_err(|line| StartError::Dotenv { path: path.to_owned(), line })
}

/// Parses the text; the error is the number of the line that has no form.
fn parse(text: &str) -> Result<BTreeMap<String, String>, usize> {
    let mut values = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let assignment = line.strip_prefix("export ").unwrap_or(line);
        let (key, value) = assignment
            .split_once('=')
            .and_then(|(key, value)| Some((key.trim(), unquote(value.trim())?)))
            .filter(|(key, _)| !key.is_empty() && !key.contains(char::is_whitespace))
            .ok_or(index + 1)?;
        values.insert(key.to_owned(), value);
    }
    Ok(values)
}

/// Takes quotes or an ending comment off a value; `None` if a quote is not closed.
fn unquote(value: &str) -> Option<String> {
    for quote in ['"', '\''] {
        if let Some(quoted) = value.strip_prefix(quote) {
            let (inner, after) = quoted.rsplit_once(quote)?;
            let after = after.trim_start();
            return (after.is_empty() || after.starts_with('#')).then(|| inner.to_owned());
        }
    }
    let bare = value.split_once(" #").map_or(value, |(bare, _)| bare);
    Some(bare.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use fuzzing::{config, damaged};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_become_values() {
        let text = "# comment\n\nA=1\nexport B = two words # note\nC=\"x # y\"\nD='z'  # q\nE=\nA=2\n";
        let values = parse(text).unwrap();
        let expected = [("A", "2"), ("B", "two words"), ("C", "x # y"), ("D", "z"), ("E", "")];
        assert_eq!(values, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn a_line_without_form_is_refused_by_number() {
        for (text, line) in [("A=1\nB", 2), ("=1", 1), ("A B=1", 1), ("A=\"x", 1)] {
            assert_eq!(parse(text), Err(line), "{text}");
        }
    }

    proptest! {
        #![proptest_config(config(2_000))]

        #[test]
        fn any_file_is_read_or_refused_by_a_line_that_it_has(
            text in damaged(Just("# c\nA=1\nexport B = \"x # y\" # z\nC='q'\n".to_owned()), &["=", "\"", "'", "#", "export "]),
        ) {
            if let Err(line) = parse(&text) {
                prop_assert!((1..=text.lines().count()).contains(&line));
            }
        }
    }
}
