//! The templates of a component, filled with the application's variables.

use std::collections::BTreeMap;

use crate::allowed_hosts::AllowedHost;
use crate::error::StartError;
use crate::manifest::{Component, Manifest, ManifestError};
use crate::variables::{Template, Variables};

/// What the component will read as its variables.
pub(super) fn fill_variables(
    manifest: &Manifest,
    id: &str,
    component: &Component,
    variables: &Variables,
) -> Result<BTreeMap<String, String>, StartError> {
    let fill = |(name, template): (&String, &Template)| {
        let key = || format!("component.{id}.variables.{name}");
        let value = fill(manifest, key, template, variables)?;
        Ok((name.clone(), value))
    };
    component.variables.iter().map(fill).collect()
}

/// Where the component may send requests.
pub(super) fn fill_hosts(
    manifest: &Manifest,
    id: &str,
    component: &Component,
    variables: &Variables,
) -> Result<Vec<AllowedHost>, StartError> {
    let fill = |(index, template): (usize, &Template)| {
        let key = || format!("component.{id}.allowed_outbound_hosts[{index}]");
        let value = fill(manifest, key, template, variables)?;
        AllowedHost::parse(&value).map_err(|_| {
            invalid(manifest, key(), template, format!("{} once its variables are filled", AllowedHost::FORM))
        })
    };
    let hosts = component.allowed_outbound_hosts.iter().enumerate();
    hosts.map(fill).collect()
}

fn fill(
    manifest: &Manifest,
    key: impl Fn() -> String,
    template: &Template,
    variables: &Variables,
) -> Result<String, StartError> {
    variables.fill(template).map_err(|unknown| {
        let expected = format!("variables of [variables], not `{unknown}`; it has {}", variables.known());
        invalid(manifest, key(), template, expected)
    })
}

/// An error that shows a template as written, never what it becomes.
fn invalid(manifest: &Manifest, key: String, template: &Template, expected: String) -> StartError {
    StartError::Manifest {
        path: manifest.path.clone(),
        source: ManifestError::Invalid { key, value: template.as_written().to_owned(), expected },
    }
}
