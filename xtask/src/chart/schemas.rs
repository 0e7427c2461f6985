//! The schemas of the kinds that are used: those of a real API server, without words and without what is not referred to.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::build::root;

/// Where they are, by the names that kubeconform looks for.
pub(super) const FOLDER: &str = "charts/schemas";
/// The kinds, as kubeconform's names of files.
const KINDS: [&str; 25] = [
    "component-dapr-v1alpha1",
    "configmap-v1",
    "configuration-dapr-v1alpha1",
    "deployment-apps-v1",
    "horizontalpodautoscaler-autoscaling-v2",
    "ingress-networking-v1",
    "job-batch-v1",
    "kafka-kafka-v1",
    "kafkanodepool-kafka-v1",
    "kafkatopic-kafka-v1",
    "networkpolicy-networking-v1",
    "persistentvolumeclaim-v1",
    "pod-v1",
    "poddisruptionbudget-policy-v1",
    "resiliency-dapr-v1alpha1",
    "role-rbac-v1",
    "rolebinding-rbac-v1",
    "scaledobject-keda-v1alpha1",
    "secret-v1",
    "service-v1",
    "serviceaccount-v1",
    "spinapp-core-v1alpha1",
    "spinappexecutor-core-v1alpha1",
    "subscription-dapr-v2alpha1",
    "triggerauthentication-keda-v1alpha1",
];
/// What says something to people, or to `kubectl` alone.
const WORDS: [&str; 4] = ["description", "title", "x-kubernetes-group-version-kind", "format"];
const DEFINITIONS: &str = "#/definitions/";

/// Writes the schemas anew from a folder that has those of all kinds of a cluster, each with every definition of its group.
pub(crate) fn renew(from: &Path) -> Result<()> {
    for kind in KINDS {
        let path = from.join(format!("{kind}.json"));
        let text = std::fs::read(&path).with_context(|| format!("could not read `{}`", path.display()))?;
        let schema = serde_json::from_slice(&text).with_context(|| format!("`{}` is no JSON", path.display()))?;
        let to = root().join(FOLDER).join(format!("{kind}.json"));
        let text = serde_json::to_string(&small(schema)).context("a schema is JSON")? + "\n";
        std::fs::write(&to, text).with_context(|| format!("could not write `{}`", to.display()))?;
    }
    Ok(())
}

/// The same without words and without definitions that nothing refers to.
fn small(mut schema: Value) -> Value {
    let definitions = schema.as_object_mut().and_then(|schema| schema.remove("definitions")).unwrap_or_default();
    without_words(&mut schema);
    let mut kept = Map::new();
    let mut wanted = references(&schema);
    while let Some(name) = wanted.pop_first() {
        if let Some(definition) = definitions.get(&name).filter(|_| !kept.contains_key(&name)) {
            let mut definition = definition.clone();
            without_words(&mut definition);
            wanted.extend(references(&definition));
            kept.insert(name, definition);
        }
    }
    if let Some(schema) = schema.as_object_mut().filter(|_| !kept.is_empty()) {
        schema.insert("definitions".to_owned(), Value::Object(kept));
    }
    schema
}

/// Removes what is said in words, but for properties that have such a name.
fn without_words(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.retain(|name, value| !WORDS.contains(&name.as_str()) || value.is_object());
            fields.values_mut().for_each(without_words);
        }
        Value::Array(items) => items.iter_mut().for_each(without_words),
        _ => {}
    }
}

/// The definitions that a schema refers to.
fn references(schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut places = vec![schema];
    while let Some(place) = places.pop() {
        match place {
            Value::Object(fields) => {
                let named = fields.get("$ref").and_then(Value::as_str);
                found.extend(named.and_then(|name| name.strip_prefix(DEFINITIONS)).map(str::to_owned));
                places.extend(fields.values());
            }
            Value::Array(items) => places.extend(items),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_nothing_refers_to_goes() {
        let schema = json!({
            "description": "words",
            "properties": {"description": {"type": "string"}, "a": {"$ref": "#/definitions/a"}},
            "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"title": "words"}, "c": {}},
        });
        assert_eq!(
            small(schema),
            json!({
                "properties": {"description": {"type": "string"}, "a": {"$ref": "#/definitions/a"}},
                "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {}},
            })
        );
    }
}
