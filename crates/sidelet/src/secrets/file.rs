//! A file of secrets: a JSON object, as deep as one likes, made flat.

use std::{collections::BTreeMap, io, path::Path};

use serde_json::{Map, Value};

use super::{Secret, SecretStore};

/// How a file is made flat.
#[derive(Debug)]
pub(crate) struct FileForm {
    /// What joins the names of one value, from the outermost in.
    pub(crate) separator: String,
    /// Whether each name of the outermost object is one secret, whose values have keys of their own.
    pub(crate) multi_valued: bool,
}

/// Why a file holds no secrets. What it does hold is not told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidSecrets {
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("is not a JSON object; line {line}, column {column}")]
    Json { line: usize, column: usize },
    #[error("has the name `{name}` twice once its parts are joined")]
    Twice { name: String },
}

impl SecretStore {
    /// Reads a file.
    pub(crate) fn read(path: &Path, form: &FileForm) -> Result<Self, InvalidSecrets> {
        let text = std::fs::read(path)?;
        let object: Map<String, Value> = serde_json::from_slice(&text)
            .map_err(|error| InvalidSecrets::Json { line: error.line(), column: error.column() })?;
        flat(object, form).map(Self::File)
    }
}

fn flat(object: Map<String, Value>, form: &FileForm) -> Result<BTreeMap<String, Secret>, InvalidSecrets> {
    let mut secrets = BTreeMap::new();
    if form.multi_valued {
        for (name, value) in object {
            let mut secret = Secret::new();
            match value {
                Value::Object(_) | Value::Array(_) => collect(&mut secret, String::new(), value, form)?,
                plain => collect(&mut secret, name.clone(), plain, form)?,
            }
            secrets.insert(name, secret);
        }
    } else {
        let mut values = Secret::new();
        collect(&mut values, String::new(), Value::Object(object), form)?;
        secrets.extend(values.into_iter().map(|(name, value)| (name.clone(), [(name, value)].into())));
    }
    Ok(secrets)
}

/// Adds `value`, or all that is in it, under `name`.
fn collect(values: &mut Secret, name: String, value: Value, form: &FileForm) -> Result<(), InvalidSecrets> {
    let below = |part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}{}{part}", form.separator) };
    let text = match value {
        Value::Object(object) => {
            return object.into_iter().try_for_each(|(part, value)| collect(values, below(&part), value, form));
        }
        Value::Array(list) => {
            let mut list = list.into_iter().enumerate();
            return list.try_for_each(|(index, value)| collect(values, below(&index.to_string()), value, form));
        }
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    };
    match values.insert(name.clone(), text) {
        None => Ok(()),
        Some(_) => Err(InvalidSecrets::Twice { name }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, separator: &str, multi_valued: bool) -> Result<BTreeMap<String, Secret>, InvalidSecrets> {
        let form = FileForm { separator: separator.to_owned(), multi_valued };
        flat(serde_json::from_str(text).unwrap(), &form)
    }

    const TEXT: &str = r#"{"plain":"a","nested":{"b":"c","d":{"e":5}},"list":["f",true,null]}"#;

    #[test]
    fn values_are_found_by_all_their_names() {
        let secrets = read(TEXT, ":", false).unwrap();
        let found: Vec<_> = secrets.iter().map(|(name, secret)| (name.as_str(), secret[name].as_str())).collect();
        let expected = [
            ("list:0", "f"),
            ("list:1", "true"),
            ("list:2", ""),
            ("nested:b", "c"),
            ("nested:d:e", "5"),
            ("plain", "a"),
        ];
        assert_eq!(found, expected);
        assert!(
            matches!(read(r#"{"a":{"b":"1"},"a.b":"2"}"#, ".", false), Err(InvalidSecrets::Twice { name }) if name == "a.b")
        );
    }

    #[test]
    fn a_secret_of_many_values_keeps_them_together() {
        let secrets = read(TEXT, ".", true).unwrap();
        assert_eq!(secrets["plain"]["plain"], "a");
        assert_eq!((secrets["nested"]["b"].as_str(), secrets["nested"]["d.e"].as_str()), ("c", "5"));
        assert_eq!(secrets["list"]["0"], "f");
    }
}
