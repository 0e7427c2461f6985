//! Objects as Kubernetes is given them.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::build::root;

/// The objects of one rendering of the chart, or of one folder.
pub(super) struct Rendering {
    /// What it is called where something is wrong with it.
    pub(super) name: String,
    /// The file or folder that has it.
    pub(super) path: PathBuf,
    pub(super) objects: Vec<Value>,
}

impl Rendering {
    pub(super) fn of_text(name: String, path: PathBuf, text: &str) -> Result<Self> {
        let objects = objects(text).with_context(|| name.clone())?;
        Ok(Self { name, path, objects })
    }

    /// The objects of all files of a folder.
    pub(super) fn of_folder(name: &str) -> Result<Self> {
        let path = root().join(name);
        let mut found = Vec::new();
        for (file, text) in files(name)? {
            found.extend(objects(&text).with_context(|| format!("{name}/{file}"))?);
        }
        Ok(Self { name: name.to_owned(), path, objects: found })
    }

    /// The objects of a kind.
    pub(super) fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.objects.iter().filter(move |object| text(object, "/kind") == kind)
    }

    /// The object of a kind and a name.
    pub(super) fn object(&self, kind: &str, name: &str) -> Option<&Value> {
        let same = |object: &&Value| text(object, "/kind") == kind && text(object, "/metadata/name") == name;
        self.objects.iter().find(same)
    }
}

/// The texts of the YAML files of a folder by their names.
pub(super) fn files(folder: &str) -> Result<Vec<(String, String)>> {
    let path = root().join(folder);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&path).with_context(|| format!("could not read `{}`", path.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            let text =
                std::fs::read_to_string(&path).with_context(|| format!("could not read `{}`", path.display()))?;
            found.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text));
        }
    }
    found.sort();
    Ok(found)
}

/// The documents of a text that have anything in them.
pub(super) fn objects(text: &str) -> Result<Vec<Value>> {
    let all: Vec<Value> = serde_saphyr::from_multiple(text).context("this is no YAML")?;
    Ok(all.into_iter().filter(|object| !object.is_null()).collect())
}

/// The text at a place; empty where there is none.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The list at a place; empty where there is none.
pub(super) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The texts of the list at a place.
pub(super) fn texts<'a>(value: &'a Value, pointer: &str) -> Vec<&'a str> {
    list(value, pointer).iter().filter_map(Value::as_str).collect()
}

/// An object's kind and name.
pub(super) fn title(object: &Value) -> String {
    format!("{} `{}`", text(object, "/kind"), text(object, "/metadata/name"))
}
