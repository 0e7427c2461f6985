//! The document: `spin_manifest_version`, `[application]`, `[variables]` and what they lead to.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Value;

use super::table::{Table, invalid};
use super::{Manifest, ManifestError, Variable, component, trigger};
use crate::variables::is_variable_name;

pub(super) const VARIABLE_NAME: &str = "a name of lower-case words joined by `_`, such as `api_host`";

/// Reads the whole document.
pub(super) fn read(document: toml::Table, path: &Path) -> Result<Manifest, ManifestError> {
    let mut root = Table::root(document);
    read_version(&mut root)?;
    let application = read_application(&mut root)?;
    let variables = read_variables(root.table("variables")?)?;
    let mut components = BTreeMap::new();
    for (path, id, value) in root.table("component")?.entries() {
        component::check_id(&path, &id)?;
        let table = Table::from_value(path, value, "a table, as in [component.hello]")?;
        components.insert(id, component::read(table)?);
    }
    let triggers = trigger::read(root.table("trigger")?, &mut components)?;
    root.finish()?;
    Ok(Manifest { path: path.to_owned(), application, variables, triggers, components })
}

fn read_version(root: &mut Table) -> Result<(), ManifestError> {
    let expected = "`2`, the manifest version of Spin 2 and later";
    match root.take("spin_manifest_version") {
        Some(Value::Integer(2)) => Ok(()),
        Some(other) => Err(invalid("spin_manifest_version".into(), &other, expected)),
        None => Err(ManifestError::Missing { key: "spin_manifest_version".into(), expected: expected.into() }),
    }
}

fn read_application(root: &mut Table) -> Result<String, ManifestError> {
    let mut table = root.table("application")?;
    let expected = "the application's name, such as `todo`";
    let name = table
        .string("name", expected)?
        .ok_or_else(|| ManifestError::Missing { key: "application.name".into(), expected: expected.into() })?;
    table.ignore(&["version", "description", "authors", "targets", "tool"]);
    let mut settings = table.table("trigger")?;
    let mut http = settings.table("http")?;
    if let Some(base) = http.take("base")
        && base.as_str() != Some("/")
    {
        return Err(ManifestError::Unsupported {
            key: http.key("base"),
            value: base.to_string(),
            instead: "write the base into each route".into(),
        });
    }
    http.finish()?;
    settings.refuse("redis", "only the HTTP trigger is")?;
    settings.finish()?;
    table.finish()?;
    Ok(name)
}

fn read_variables(table: Table) -> Result<BTreeMap<String, Variable>, ManifestError> {
    let mut variables = BTreeMap::new();
    for (path, name, value) in table.entries() {
        if !is_variable_name(&name) {
            return Err(invalid(path, &Value::String(name), VARIABLE_NAME));
        }
        let form = "a table such as `{ default = \"80\" }` or `{ required = true }`";
        let mut table = Table::from_value(path.clone(), value, form)?;
        let default = table.string("default", "a string")?;
        let required = table.boolean("required")?;
        // Every value is treated as a secret: none is ever printed.
        table.boolean("secret")?;
        table.ignore(&["description"]);
        table.finish()?;
        if required == default.is_some() {
            return Err(ManifestError::Invalid {
                key: path,
                value: format!("required = {required}, default = {}", if required { "…" } else { "none" }),
                expected: "either `required = true` or a `default`".into(),
            });
        }
        variables.insert(name, Variable { default });
    }
    Ok(variables)
}
