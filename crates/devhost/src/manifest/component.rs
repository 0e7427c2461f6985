//! `[component.<id>]`, or the same written inline in a trigger.

use std::collections::BTreeMap;
use std::path::PathBuf;

use toml::Value;

use super::application::VARIABLE_NAME;
use super::table::{Table, invalid};
use super::{Component, FilesEntry, ManifestError};
use crate::allowed_hosts::AllowedHost;
use crate::variables::{Template, is_variable_name};

const SOURCE: &str = "the path of a Wasm component beside the manifest, such as `todo.wasm`";
const FILES: &str = "a glob such as `\"assets/**/*\"` or `{ source = \"assets\", destination = \"/\" }`";
const NO_STORE: &str = "keep state behind an HTTP API that the component may call";

/// Refuses an id that is not kebab-case.
pub(super) fn check_id(path: &str, id: &str) -> Result<(), ManifestError> {
    let fits = id.split('-').all(|word| {
        word.starts_with(|first: char| first.is_ascii_alphabetic())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    if fits {
        return Ok(());
    }
    Err(ManifestError::Invalid {
        key: path.to_owned(),
        value: id.to_owned(),
        expected: "an id of words joined by `-`, such as `task-list`".into(),
    })
}

/// Reads one component's table.
pub(super) fn read(mut table: Table) -> Result<Component, ManifestError> {
    table.refuse("key_value_stores", NO_STORE)?;
    table.refuse("sqlite_databases", NO_STORE)?;
    table.refuse("ai_models", "call a model over HTTP")?;
    table.refuse("allowed_http_hosts", "use `allowed_outbound_hosts`")?;
    table.refuse("dependencies", "compose the components before (`wac plug`)")?;
    table.refuse("dependencies_inherit_configuration", "compose the components before")?;
    table.refuse("profile", "write the source to run into `source`")?;
    table.refuse("trigger", "use `[[trigger.http]]`")?;
    let component = Component {
        source: read_source(&mut table)?,
        files: read_files(&mut table)?,
        exclude_files: table.strings("exclude_files", "an array of globs")?,
        environment: table.string_map("environment")?,
        variables: read_variables(&mut table)?,
        allowed_outbound_hosts: read_hosts(&mut table)?,
    };
    table.ignore(&["description", "build", "tool"]);
    table.finish()?;
    Ok(component)
}

fn read_source(table: &mut Table) -> Result<PathBuf, ManifestError> {
    let key = table.key("source");
    match table.take("source") {
        Some(Value::String(path)) if path.contains("://") => {
            Err(ManifestError::Unsupported { key, value: path, instead: format!("expected {SOURCE}") })
        }
        Some(Value::String(path)) if !path.is_empty() => Ok(path.into()),
        Some(value @ Value::Table(_)) => Err(ManifestError::Unsupported {
            key,
            value: value.to_string(),
            instead: format!("sources are not fetched: expected {SOURCE}"),
        }),
        Some(other) => Err(invalid(key, &other, SOURCE)),
        None => Err(ManifestError::Missing { key, expected: SOURCE.into() }),
    }
}

fn read_files(table: &mut Table) -> Result<Vec<FilesEntry>, ManifestError> {
    let mut entries = Vec::new();
    for (path, value) in table.array("files", FILES)? {
        entries.push(match value {
            Value::String(pattern) => FilesEntry::Pattern(pattern),
            value @ Value::Table(_) => {
                let mut table = Table::from_value(path.clone(), value.clone(), FILES)?;
                let source = table.string("source", FILES)?;
                let destination = table.string("destination", FILES)?;
                table.finish()?;
                match (source, destination) {
                    (Some(source), Some(destination)) if destination.starts_with('/') => {
                        FilesEntry::Placement { source, destination }
                    }
                    _ => return Err(invalid(path, &value, FILES)),
                }
            }
            other => return Err(invalid(path, &other, FILES)),
        });
    }
    Ok(entries)
}

fn read_variables(table: &mut Table) -> Result<BTreeMap<String, Template>, ManifestError> {
    let key = table.key("variables");
    let mut variables = BTreeMap::new();
    for (name, text) in table.string_map("variables")? {
        let path = format!("{key}.{name}");
        if !is_variable_name(&name) {
            return Err(invalid(path, &Value::String(name), VARIABLE_NAME));
        }
        variables.insert(name, read_template(path, text)?);
    }
    Ok(variables)
}

fn read_hosts(table: &mut Table) -> Result<Vec<Template>, ManifestError> {
    let key = table.key("allowed_outbound_hosts");
    let mut hosts = Vec::new();
    for (index, text) in table.strings("allowed_outbound_hosts", AllowedHost::FORM)?.into_iter().enumerate() {
        let path = format!("{key}[{index}]");
        let template = read_template(path.clone(), text.clone())?;
        // A host that no variable decides is checked now, the others once the variables are known.
        if template.is_literal() {
            AllowedHost::parse(&text).map_err(|_| invalid(path, &Value::String(text), AllowedHost::FORM))?;
        }
        hosts.push(template);
    }
    Ok(hosts)
}

fn read_template(path: String, text: String) -> Result<Template, ManifestError> {
    Template::parse(&text).ok_or_else(|| {
        invalid(path, &Value::String(text), "text in which each `{{` is followed by a variable's name and `}}`")
    })
}
