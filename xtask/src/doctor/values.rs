//! What the chart's values ask of a cluster.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

/// The chart's own values.
const DEFAULTS: &str = "charts/todo/values.yaml";

/// The values that a release would have.
pub(super) struct Values(Value);

impl Values {
    /// The chart's own, with these over them.
    pub(super) fn read(files: &[PathBuf]) -> Result<Self> {
        let mut values = Value::Null;
        for file in std::iter::once(Path::new(DEFAULTS)).chain(files.iter().map(PathBuf::as_path)) {
            let text = std::fs::read_to_string(file).with_context(|| format!("could not read `{}`", file.display()))?;
            let more =
                serde_saphyr::from_str(&text).with_context(|| format!("`{}` is no file of values", file.display()))?;
            merge(&mut values, more);
        }
        Ok(Self(values))
    }

    /// The text at a path such as `kafka.sasl`; empty where there is none.
    pub(super) fn text(&self, path: &str) -> &str {
        self.at(path).as_str().unwrap_or_default()
    }

    /// Whether the value at a path is `true`.
    pub(super) fn is_on(&self, path: &str) -> bool {
        self.at(path).as_bool().unwrap_or_default()
    }

    /// The whole number at a path; 0 where there is none.
    pub(super) fn number(&self, path: &str) -> u64 {
        self.at(path).as_u64().unwrap_or_default()
    }

    fn at(&self, path: &str) -> &Value {
        path.split('.').fold(&self.0, |value, key| &value[key])
    }
}

/// As Helm does: maps are merged, everything else is replaced.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
impl Values {
    /// Values in YAML, the later over the earlier.
    pub(super) fn of(texts: &[&str]) -> Self {
        let mut values = Value::Null;
        for text in texts {
            merge(&mut values, serde_saphyr::from_str(text).unwrap());
        }
        Self(values)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::merge;

    #[test]
    fn later_values_replace_what_they_name_and_no_more() {
        let mut values = json!({"kafka": {"sasl": "none", "tls": true}, "nets": [1, 2]});
        merge(&mut values, json!({"kafka": {"sasl": "PLAIN"}, "nets": [3]}));
        assert_eq!(values, json!({"kafka": {"sasl": "PLAIN", "tls": true}, "nets": [3]}));
    }
}
