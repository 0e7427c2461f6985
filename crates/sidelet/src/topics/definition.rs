//! One topic's file.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use serde_json::Value;

use crate::{error::StartError, kafka::is_topic};

/// What a topic is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) partitions: usize,
    /// Copies of each message. None: as many as the brokers' default.
    pub(crate) replicas: Option<u16>,
    /// Kafka's settings of a topic, such as `retention.ms`. What is not named is not touched.
    pub(crate) settings: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Text {
    api_version: String,
    kind: String,
    metadata: Meta,
    spec: Spec,
}

#[derive(Deserialize)]
struct Meta {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    /// Where a name is none that Kubernetes takes.
    #[serde(default)]
    topic_name: Option<String>,
    partitions: usize,
    #[serde(default)]
    replicas: Option<u16>,
    #[serde(default)]
    config: BTreeMap<String, Value>,
}

/// Reads every topic of a file.
pub(super) fn read(file: &Path) -> Result<Vec<Definition>, StartError> {
    let text =
        std::fs::read_to_string(file).map_err(|source| StartError::ReadResource { path: file.to_owned(), source })?;
    parse(&text).map_err(|message| StartError::Resource { location: format!("`{}`", file.display()), message })
}

fn parse(text: &str) -> Result<Vec<Definition>, String> {
    let expected = "expected a `KafkaTopic` with `metadata.name`, `spec.partitions`, `spec.replicas` and `spec.config`";
    let texts: Vec<Text> = serde_saphyr::from_multiple(text).map_err(|error| {
        let error = error.to_string();
        format!("it defines no topic: {}; {expected}", error.lines().next().unwrap_or_default())
    })?;
    texts.into_iter().map(Definition::new).collect()
}

impl Definition {
    fn new(text: Text) -> Result<Self, String> {
        let Text { api_version, kind, metadata, spec } = text;
        let name = spec.topic_name.unwrap_or(metadata.name);
        if kind != "KafkaTopic" || !api_version.starts_with("kafka.strimzi.io/") {
            return Err(format!(
                "`{name}` is a `{kind}` of `{api_version}`; expected a `KafkaTopic` of `kafka.strimzi.io/v1`"
            ));
        }
        if !is_topic(&name) {
            let form = "expected letters, digits, `.`, `_` and `-`, 249 at most";
            return Err(format!("the topic's name is `{name}`; {form}"));
        }
        if !(1..=10_000).contains(&spec.partitions) {
            return Err(format!(
                "topic `{name}`: `spec.partitions` is `{}`; expected a number from 1 to 10000",
                spec.partitions
            ));
        }
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let settings = spec.config.into_iter().map(|(key, value)| (key, text(value))).collect();
        Ok(Self { name, partitions: spec.partitions, replicas: spec.replicas.filter(|count| *count > 0), settings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_of_strimzi_is_read() {
        let text = "
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata: {name: task-events, labels: {strimzi.io/cluster: todo}}
spec: {partitions: 3, replicas: 1, config: {retention.ms: 604800000, cleanup.policy: delete}}
";
        let settings = [("retention.ms", "604800000"), ("cleanup.policy", "delete")];
        let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let expected = Definition { name: "task-events".into(), partitions: 3, replicas: Some(1), settings };
        assert_eq!(parse(text).unwrap(), [expected]);
    }

    #[test]
    fn what_defines_no_topic_is_refused_with_the_accepted_form() {
        let topic = |head: &str, spec: &str| format!("{head}\nmetadata: {{name: t}}\nspec: {spec}");
        let head = "apiVersion: kafka.strimzi.io/v1\nkind: KafkaTopic";
        for (text, expected) in [
            (topic(head, "{partitions: 0}"), "a number from 1"),
            (topic(head, "{partitions: 1, topicName: a/b}"), "`a/b`; expected letters"),
            (topic(head, "{}"), "expected a `KafkaTopic` with"),
            (topic(head, "{partitions: 1, retention: 5}"), "expected a `KafkaTopic` with"),
            (topic("apiVersion: kafka.strimzi.io/v1\nkind: Kafka", "{partitions: 1}"), "expected a `KafkaTopic` of"),
        ] {
            let refused = parse(&text).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
