//! `[[trigger.http]]`.

use std::collections::BTreeMap;

use toml::Value;

use super::table::{Table, invalid, list};
use super::{Component, ManifestError, Trigger, component};
use crate::routes::Pattern;

const ROUTE: &str = "a path such as `/api/tasks/...` or `/users/:id`, or `{ private = true }`";
const COMPONENT: &str = "the id of a component, or its table";

/// Reads the triggers; components written inline are added to `components`.
pub(super) fn read(
    mut table: Table,
    components: &mut BTreeMap<String, Component>,
) -> Result<Vec<Trigger>, ManifestError> {
    let mut triggers: Vec<Trigger> = Vec::new();
    for (path, value) in table.array("http", "an array of tables, as in [[trigger.http]]")? {
        let entry = Table::from_value(path.clone(), value, "a table, as in [[trigger.http]]")?;
        let trigger = read_one(entry, triggers.len(), components)?;
        if let Some(route) = &trigger.route
            && triggers.iter().any(|other| is_same(other.route.as_deref(), route))
        {
            return Err(ManifestError::Invalid {
                key: format!("{path}.route"),
                value: route.clone(),
                expected: "a route that no other trigger has".into(),
            });
        }
        triggers.push(trigger);
    }
    if let Some((key, _, value)) = table.entries().next() {
        return Err(ManifestError::Unsupported {
            key,
            value: value.to_string(),
            instead: "only `[[trigger.http]]` is".into(),
        });
    }
    if triggers.is_empty() {
        return Err(ManifestError::Missing {
            key: "trigger.http".into(),
            expected: "at least one `[[trigger.http]]` with `route` and `component`".into(),
        });
    }
    Ok(triggers)
}

fn is_same(other: Option<&str>, route: &str) -> bool {
    match (other.and_then(Pattern::parse), Pattern::parse(route)) {
        (Some(other), Some(route)) => other.is_same_as(&route),
        _ => false,
    }
}

fn read_one(
    mut table: Table,
    index: usize,
    components: &mut BTreeMap<String, Component>,
) -> Result<Trigger, ManifestError> {
    let id = table.string("id", "a string")?;
    table.refuse("components", "use `component`")?;
    table.refuse("static_response", "use a component")?;
    read_executor(&mut table)?;
    let route = read_route(&mut table)?;
    let key = table.key("component");
    let component = match table.take("component") {
        Some(Value::String(id)) => {
            if !components.contains_key(&id) {
                return Err(ManifestError::Invalid {
                    key,
                    value: id,
                    expected: format!("one of the manifest's components: {}", list(components.keys())),
                });
            }
            id
        }
        Some(value @ Value::Table(_)) => {
            let inline = component::read(Table::from_value(key, value, COMPONENT)?)?;
            let name = match id {
                Some(id) => format!("inline-{id}"),
                None => format!("inline-http{index}"),
            };
            components.insert(name.clone(), inline);
            name
        }
        Some(other) => return Err(invalid(key, &other, COMPONENT)),
        None => {
            return Err(ManifestError::Missing { key, expected: COMPONENT.into() });
        }
    };
    table.finish()?;
    Ok(Trigger { route, component })
}

fn read_route(table: &mut Table) -> Result<Option<String>, ManifestError> {
    let key = table.key("route");
    match table.take("route") {
        Some(Value::String(route)) => match Pattern::parse(&route) {
            Some(_) => Ok(Some(route)),
            None => Err(invalid(key, &Value::String(route), ROUTE)),
        },
        Some(value @ Value::Table(_)) => {
            let mut private = Table::from_value(key.clone(), value.clone(), ROUTE)?;
            if !private.boolean("private")? {
                return Err(invalid(key, &value, ROUTE));
            }
            private.finish()?;
            Ok(None)
        }
        Some(other) => Err(invalid(key, &other, ROUTE)),
        None => Err(ManifestError::Missing { key, expected: ROUTE.into() }),
    }
}

fn read_executor(table: &mut Table) -> Result<(), ManifestError> {
    let key = table.key("executor");
    let Some(value) = table.take("executor") else {
        return Ok(());
    };
    let mut executor = Table::from_value(key.clone(), value.clone(), "`{ type = \"http\" }`")?;
    match executor.string("type", "`http`")?.as_deref() {
        Some("http" | "spin") => Ok(()),
        _ => Err(ManifestError::Unsupported {
            key,
            value: value.to_string(),
            instead: "leave it out: components export `wasi:http/incoming-handler`".into(),
        }),
    }
}
