//! Reading and compiling the whole application.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wasmtime::Engine;

use super::templates::{fill_hosts, fill_variables};
use crate::cache::Cache;
use crate::component::{Permissions, Prepared, Preparer};
use crate::config::Config;
use crate::engine;
use crate::error::StartError;
use crate::files;
use crate::manifest::Manifest;
use crate::routes::{Pattern, Router};
use crate::variables::{Variables, names};

/// An application of which nothing is left to be read.
pub(crate) struct Ready {
    pub(super) router: Router<Arc<Prepared>>,
    /// The components by id.
    pub(crate) components: BTreeMap<String, Arc<Prepared>>,
}

/// Reads the manifest, fills in the variables and compiles the components.
pub(super) fn prepare(config: Config) -> Result<(Engine, Ready), StartError> {
    let manifest = Manifest::read(&config.manifest).map_err(|(path, source)| StartError::Manifest { path, source })?;
    let wanted = wanted_components(&manifest, &config.component_ids)?;
    let variables = Variables::resolve(&manifest, config.variables)?;
    let cache = Cache::open(&config.cache_dir)?;
    let engine = engine::create(&config.limits)?;
    let preparer = Preparer::new(engine.clone(), cache)?;
    let mut components = BTreeMap::new();
    for (id, component) in &manifest.components {
        if !wanted.contains(id.as_str()) {
            continue;
        }
        let mounts =
            files::prepare(id, &component.files, &component.exclude_files, manifest.directory(), &config.cache_dir)?;
        let permissions = Permissions {
            id: id.as_str().into(),
            variables: fill_variables(&manifest, id, component, &variables)?,
            environment: component.environment.clone().into_iter().collect(),
            allowed_hosts: fill_hosts(&manifest, id, component, &variables)?,
            mounts,
        };
        let source = manifest.directory().join(&component.source);
        let prepared = preparer.prepare(&source, permissions)?;
        tracing::debug!(component.id = id, "component is ready");
        components.insert(id.clone(), Arc::new(prepared));
    }
    let routes = manifest
        .triggers
        .iter()
        .filter_map(|trigger| {
            let pattern = Pattern::parse(trigger.route.as_ref()?)?;
            let component = components.get(&trigger.component)?;
            Some((pattern, Arc::clone(component)))
        })
        .collect();
    tracing::info!(application = manifest.application, components = components.len(), "application is ready");
    let ready = Ready { router: Router::new(routes), components };
    Ok((engine, ready))
}

/// The components to serve: those with a trigger, or of these the ones asked for.
fn wanted_components<'a>(manifest: &'a Manifest, ids: &'a [String]) -> Result<BTreeSet<&'a str>, StartError> {
    if let Some(id) = ids.iter().find(|id| !manifest.components.contains_key(*id)) {
        return Err(StartError::UnknownComponent { id: id.clone(), known: names(manifest.components.keys()) });
    }
    Ok(manifest
        .triggers
        .iter()
        .map(|trigger| trigger.component.as_str())
        .filter(|id| ids.is_empty() || ids.iter().any(|wanted| wanted == id))
        .collect())
}
