//! `values.yaml`: a comment on each value, and a place in the schema.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::CHART;
use super::rendering::objects;
use crate::build::root;

pub(super) fn check() -> Result<()> {
    let read = |file: &str| {
        let path = root().join(CHART).join(file);
        std::fs::read_to_string(&path).with_context(|| format!("could not read `{}`", path.display()))
    };
    let text = read("values.yaml")?;
    if let Some(line) = uncommented(&text) {
        bail!("no comment says what the value `{}` of {CHART}/values.yaml is for", line.trim());
    }
    let schema: Value = serde_json::from_str(&read("values.schema.json")?).context("the schema is no JSON")?;
    let values = objects(&text)?.into_iter().next().context("values.yaml has no values")?;
    for (name, _) in values.as_object().into_iter().flatten() {
        ensure!(schema["properties"][name].is_object(), "the value `{name}` is not in the schema");
    }
    closed(&schema)
}

/// The first value that has no comment above it.
fn uncommented(text: &str) -> Option<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let is_value = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with(['#', '-']);
    (0..lines.len()).find_map(|index| {
        let above = index.checked_sub(1).map_or("", |above| lines[above].trim_start());
        (is_value(lines[index]) && !above.starts_with('#')).then_some(lines[index])
    })
}

/// Refuses an object of the schema that takes names it does not know.
fn closed(schema: &Value) -> Result<()> {
    let mut places = vec![&schema["properties"], &schema["$defs"]];
    while let Some(place) = places.pop() {
        if place["type"] == "object" && place["properties"].is_object() {
            ensure!(place["additionalProperties"] == false, "an object of the schema takes any name: {place}");
        }
        places.extend(place.as_object().into_iter().flat_map(|fields| fields.values()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_without_a_comment_is_found() {
        assert_eq!(uncommented("# One.\na: 1\n# Two.\nb:\n  # Three.\n  c: 3\n"), None);
        assert_eq!(uncommented("# One.\na:\n  b: 2\n"), Some("  b: 2"));
        assert_eq!(uncommented("# One.\na: 1\nb: 2\n"), Some("b: 2"));
    }
}
