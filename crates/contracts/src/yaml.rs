//! JSON values as YAML, for people to read and compare.
//!
//! Every JSON string is a YAML string too, so only the layout and the plain words are YAML's own.

use serde_json::Value;

/// The text of a document.
pub(crate) fn document(value: &Value) -> String {
    let mut text = String::new();
    block(value, 0, &mut text);
    text
}

/// Writes a value at the beginning of a line.
fn block(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, value) in map {
                text.push_str(&format!("{:indent$}{}:", "", scalar(name), indent = depth * 2));
                behind(value, depth + 1, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                text.push_str(&format!("{:indent$}-", "", indent = depth * 2));
                behind(item, depth + 1, text);
            }
        }
        flat => text.push_str(&format!("{:indent$}{}\n", "", flow(flat), indent = depth * 2)),
    }
}

/// Writes a value behind a name or a dash.
fn behind(value: &Value, depth: usize, text: &mut String) {
    let nested = match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.iter().all(is_word),
        _ => false,
    };
    if nested {
        text.push('\n');
        block(value, depth, text);
    } else {
        text.push_str(&format!(" {}\n", flow(value)));
    }
}

/// Whether a value is short enough to stand in a row.
fn is_word(value: &Value) -> bool {
    match value {
        Value::String(word) => word.len() <= 24,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => true,
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(word) => scalar(word),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// A string, plain where no reader could take it for anything else.
fn scalar(word: &str) -> String {
    const RESERVED: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let begins = word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    let plain = |character: char| character.is_ascii_alphanumeric() || " _-./".contains(character);
    if begins && word.chars().all(plain) && !word.ends_with(' ') && !RESERVED.contains(&&*word.to_ascii_lowercase()) {
        word.to_owned()
    } else {
        Value::from(word).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_plain_goes_without_quotes() {
        let value =
            json!({ "a b": ["no", 1, null], "list": [{ "x": "2026-03-01" }, [[1]], []], "of": {}, "t": "a: b" });
        let expected =
            "a b: [\"no\", 1, null]\nlist:\n  -\n    x: \"2026-03-01\"\n  -\n    - [1]\n  - []\nof: {}\nt: \"a: b\"\n";
        assert_eq!(document(&value), expected);
    }
}
