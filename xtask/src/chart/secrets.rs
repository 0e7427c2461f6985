//! Nothing secret is written down: not in a variable, not in a component, not in an address.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::rendering::{Rendering, list, objects, text, title};

/// Parts of names whose values are secret.
const WORDS: [&str; 6] = ["token", "key", "password", "secret", "username", "connectionstring"];
/// The Secrets that the chart fills with random values, by the ends of their names.
const RANDOM: [&str; 3] = ["-api-token", "-app-token", "-keys"];
/// Names that have such a word, and are none.
const HARMLESS: [&str; 1] = ["keyPrefix"];
/// Values that a secret's name may have: a path of a file is no password.
const PATHS: [&str; 1] = ["todo.db"];

pub(super) fn check(rendering: &Rendering) -> Result<()> {
    for object in &rendering.objects {
        check_object(object).with_context(|| title(object))?;
    }
    Ok(())
}

fn check_object(object: &Value) -> Result<()> {
    if text(object, "/kind") == "Secret" {
        let name = text(object, "/metadata/name");
        ensure!(RANDOM.iter().any(|end| name.ends_with(end)), "a Secret is for others to make");
        return Ok(());
    }
    // The documents of Dapr that the sidecar is given.
    if text(object, "/kind") == "ConfigMap" {
        for (file, content) in object["data"].as_object().into_iter().flatten() {
            for document in objects(content.as_str().unwrap_or_default()).with_context(|| file.clone())? {
                check_object(&document).with_context(|| file.clone())?;
            }
        }
    }
    let mut places = vec![object];
    while let Some(place) = places.pop() {
        match place {
            Value::Object(fields) => {
                if let (Some(name), Some(value)) = (fields.get("name"), fields.get("value")) {
                    named(name.as_str().unwrap_or_default(), value)?;
                }
                places.extend(fields.values());
            }
            Value::Array(items) => places.extend(items),
            Value::String(text) => ensure!(!has_password(text), "an address has a password in it"),
            _ => {}
        }
    }
    // What belongs together is asked for once: a variable is not in the list twice.
    let variables = list(object, "/spec/variables");
    for (index, variable) in variables.iter().enumerate() {
        let again = variables[..index].iter().any(|other| other["name"] == variable["name"]);
        ensure!(!again, "the variable {} is there twice", variable["name"]);
    }
    Ok(())
}

/// Refuses a value where the name says that it is secret.
fn named(name: &str, value: &Value) -> Result<()> {
    let small = name.to_ascii_lowercase();
    let secret = WORDS.iter().any(|word| small.contains(word)) && !HARMLESS.contains(&name);
    let allowed = value.as_str().is_some_and(|value| value.is_empty() || PATHS.contains(&value));
    ensure!(!secret || allowed, "`{name}` is written down: it is to come from a Secret");
    Ok(())
}

/// Whether a text has an address with a user and a password, other than one that only shows the form.
fn has_password(text: &str) -> bool {
    text.split("://").skip(1).any(|address| {
        let host = address.split(['/', ' ', '"', '\n']).next().unwrap_or_default();
        host.rsplit_once('@').is_some_and(|(user, _)| user.contains(':') && !user.contains('<'))
    })
}
