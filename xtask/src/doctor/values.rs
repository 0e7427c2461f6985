//! What the chart's values ask of a cluster.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::quantity::{Amounts, add, requests, times};

/// The chart's own values.
const DEFAULTS: &str = "charts/todo/values.yaml";
/// The broker of `broker: strimzi`.
const BROKER: &str = include_str!("../../../kafka/strimzi/kafka.yaml");

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

    /// What the application requests with each handler awake, and the broker where it has its own.
    pub(super) fn requests(&self) -> Amounts {
        let is_dapr = self.text("sidecar") == "dapr";
        // As the chart's templates have it.
        let beside = if is_dapr { requests(&json!({"cpu": "50m", "memory": "96Mi"})) } else { (0, 0) };
        let pods = |replicas: u64, resources: &Value| {
            times(add(requests(&resources["requests"]), beside), i128::from(replicas))
        };
        let mut sum = pods(self.number("api.minReplicas"), self.at("api.resources"));
        for (name, own) in self.at("handlers").as_object().into_iter().flatten() {
            if is_dapr || name != "updates" {
                let mut handler = self.at("handler").clone();
                merge(&mut handler, own.clone());
                let replicas = handler["minReplicas"].as_u64().unwrap_or_default().max(1);
                sum = add(sum, pods(replicas, &handler["resources"]));
            }
        }
        if !is_dapr {
            let sidelet = requests(self.at("sidelet.resources.requests"));
            sum = add(sum, times(sidelet, i128::from(self.number("sidelet.replicas"))));
        }
        if self.text("broker") == "strimzi" {
            sum = add(sum, broker());
        }
        sum
    }

    fn at(&self, path: &str) -> &Value {
        path.split('.').fold(&self.0, |value, key| &value[key])
    }
}

/// What the brokers request.
fn broker() -> Amounts {
    let documents: Vec<Value> = serde_saphyr::from_multiple(BROKER).expect("kafka/strimzi/kafka.yaml is YAML");
    let pools = documents.iter().filter(|document| document["kind"] == "KafkaNodePool");
    let each = pools.map(|pool| {
        let replicas = pool["spec"]["replicas"].as_u64().unwrap_or_default();
        times(requests(&pool["spec"]["resources"]["requests"]), i128::from(replicas))
    });
    each.fold((0, 0), add)
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
