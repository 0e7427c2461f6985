//! JSON with places where anything of a kind may stand.

use serde_json::Value;

/// The member of an expected object that allows more members.
const MORE: &str = "...";

/// Whether a value is as expected, or where it is not.
pub(crate) fn differs(expected: &Value, found: &Value) -> Option<String> {
    differs_at("", expected, found)
}

fn differs_at(place: &str, expected: &Value, found: &Value) -> Option<String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (name, expected) in expected.iter().filter(|(name, _)| *name != MORE) {
                let Some(found) = found.get(name) else { return Some(format!("{place}/{name} is not there")) };
                let difference = differs_at(&format!("{place}/{name}"), expected, found);
                if difference.is_some() {
                    return difference;
                }
            }
            let more = found.keys().find(|name| !expected.contains_key(*name) && !expected.contains_key(MORE));
            more.map(|name| format!("{place}/{name} is there"))
        }
        (Value::Array(expected), Value::Array(found)) => {
            if expected.len() != found.len() {
                return Some(format!("{place} has {} elements, not {}", found.len(), expected.len()));
            }
            let mut places = expected.iter().zip(found).enumerate();
            places.find_map(|(at, (expected, found))| differs_at(&format!("{place}/{at}"), expected, found))
        }
        (Value::String(expected), found) => {
            (!is(expected, found)).then(|| format!("{place} is {found}, not {expected:?}"))
        }
        (expected, found) => (expected != found).then(|| format!("{place} is {found}, not {expected}")),
    }
}

/// Whether a value is what a text stands for.
fn is(expected: &str, found: &Value) -> bool {
    match (expected, found) {
        ("<any>", _) => true,
        (expected, Value::String(found)) => text_is(expected, found),
        _ => false,
    }
}

/// Whether a text is what an expected text stands for; `*` at its end stands for anything.
pub(crate) fn text_is(expected: &str, found: &str) -> bool {
    match expected {
        "<any>" => true,
        "<text>" => !found.is_empty(),
        "<uuid>" => found.len() == 36 && found.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'),
        // As in RFC 3339.
        "<time>" => found.len() >= 20 && found.as_bytes()[10] == b'T' && found.starts_with("20"),
        _ => match expected.strip_suffix('*') {
            Some(start) => found.starts_with(start),
            None => expected == found,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_is_named_by_its_place() {
        let expected = json!({ "a": [1, "<uuid>"], "t": "<time>", "m": "begins*" });
        let found =
            json!({ "a": [1, "0189f7ea-ae2c-7f1c-8a2b-0123456789ab"], "t": "2026-11-21T05:56:38Z", "m": "begins so" });
        assert_eq!(differs(&expected, &found), None);
        for (found, place) in [
            (json!({ "a": [1], "t": "", "m": "" }), "/a has 1"),
            (json!({ "a": [1, "x"], "t": "", "m": "" }), "/a/1 is"),
            (json!({ "a": [1, "0189f7ea-ae2c-7f1c-8a2b-0123456789ab"] }), "/m is not there"),
        ] {
            assert!(differs(&expected, &found).unwrap().starts_with(place), "{found}");
        }
        assert_eq!(differs(&json!({}), &json!({ "b": 1 })), Some("/b is there".into()));
        assert_eq!(differs(&json!({ "...": "" }), &json!({ "b": 1 })), None);
    }
}
