//! From a configuration to an open port.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::allowed_hosts::AllowedHost;
use crate::cache::Cache;
use crate::component::{Permissions, Prepared, Preparer};
use crate::config::Config;
use crate::engine::{self, Ticker};
use crate::error::StartError;
use crate::files;
use crate::guest::Host;
use crate::manifest::{Component, Manifest, ManifestError};
use crate::outbound;
use crate::routes::{Pattern, Router};
use crate::server::{self, Running};
use crate::variables::{Template, Variables, names};

/// Starts the application and serves it.
///
/// The manifest, the variables and every component are read, checked and compiled before the port
/// is opened, so nothing is served by halves.
///
/// # Errors
///
/// Says which file, key, variable or component is not as it should be. Nothing runs then.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let Config {
        listen,
        limits,
        ..
    } = config.clone();
    let engine = engine::create(&limits)?;
    let compiler = engine.clone();
    let prepared = tokio::task::spawn_blocking(move || prepare(config, compiler)).await;
    let router = match prepared {
        Ok(router) => router?,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    };
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|source| StartError::Listen {
            address: listen,
            source,
        })?;
    let ticker = Ticker::start(engine.clone()).map_err(|error| StartError::Engine {
        source: error.into(),
    })?;
    let host = Arc::new(Host {
        engine,
        ticker,
        client: outbound::client(),
        limits,
    });
    server::serve(listener, host, router).map_err(|source| StartError::Listen {
        address: listen,
        source,
    })
}

fn prepare(
    config: Config,
    engine: wasmtime::Engine,
) -> Result<Router<Arc<Prepared>>, StartError> {
    let manifest = Manifest::read(&config.manifest)
        .map_err(|(path, source)| StartError::Manifest { path, source })?;
    let wanted = wanted_components(&manifest, &config.component_ids)?;
    let variables = Variables::resolve(&manifest, config.variables)?;
    let cache = Cache::open(&config.cache_dir)?;
    let preparer = Preparer::new(engine, cache)?;
    let mut components = BTreeMap::new();
    for (id, component) in &manifest.components {
        if !wanted.contains(id.as_str()) {
            continue;
        }
        let mounts = files::prepare(
            id,
            &component.files,
            &component.exclude_files,
            manifest.directory(),
            &config.cache_dir,
        )?;
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
        components.insert(id.as_str(), Arc::new(prepared));
    }
    let routes = manifest
        .triggers
        .iter()
        .filter_map(|trigger| {
            let pattern = Pattern::parse(trigger.route.as_ref()?)?;
            let component = components.get(trigger.component.as_str())?;
            Some((pattern, Arc::clone(component)))
        })
        .collect();
    tracing::info!(
        application = manifest.application,
        components = components.len(),
        "application is ready"
    );
    Ok(Router::new(routes))
}

/// The components to serve: those with a trigger, or of these the ones asked for.
fn wanted_components<'a>(
    manifest: &'a Manifest,
    ids: &'a [String],
) -> Result<BTreeSet<&'a str>, StartError> {
    if let Some(id) = ids.iter().find(|id| !manifest.components.contains_key(*id)) {
        return Err(StartError::UnknownComponent {
            id: id.clone(),
            known: names(manifest.components.keys()),
        });
    }
    Ok(manifest
        .triggers
        .iter()
        .map(|trigger| trigger.component.as_str())
        .filter(|id| ids.is_empty() || ids.iter().any(|wanted| wanted == id))
        .collect())
}

fn fill_variables(
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

fn fill_hosts(
    manifest: &Manifest,
    id: &str,
    component: &Component,
    variables: &Variables,
) -> Result<Vec<AllowedHost>, StartError> {
    let fill = |(index, template): (usize, &Template)| {
        let key = || format!("component.{id}.allowed_outbound_hosts[{index}]");
        let value = fill(manifest, key, template, variables)?;
        AllowedHost::parse(&value).map_err(|_| {
            invalid(
                manifest,
                key(),
                template,
                format!("{} once its variables are filled", AllowedHost::FORM),
            )
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
        let expected = format!(
            "variables of [variables], not `{unknown}`; it has {}",
            variables.known()
        );
        invalid(manifest, key(), template, expected)
    })
}

/// An error that shows a template as written, never what it becomes.
fn invalid(manifest: &Manifest, key: String, template: &Template, expected: String) -> StartError {
    StartError::Manifest {
        path: manifest.path.clone(),
        source: ManifestError::Invalid {
            key,
            value: template.as_written().to_owned(),
            expected,
        },
    }
}
